/** Why an object, foremost a pool, is not in force. */
const faultsOfObjects = {
  InvalidAddressRange: 'An entry of spec.addresses is not a CIDR or a first-last range.',
  InvalidSelector: 'A label selector has an operator that does not exist, or values that do not fit its operator.',
  InvalidSpec: 'The spec contradicts itself; the message says where.',
  NamespaceNotWatched: 'Herald reads this kind only in its own namespace and in those of --config-namespaces.',
  OverlapsPodRange: "The addresses lie in a node's range of pod addresses, and a living pod has one of them.",
  OverlapsPool: 'The addresses overlap those of an older pool; the older pool keeps them.',
  OverlapsServiceRange: 'The addresses overlap a range that the cluster gives to Services (ServiceCIDR).',
  Shadowed: 'An object of the same name in the own namespace of Herald is in force instead.',
  WouldBreakServices: 'The change would take away addresses that Services hold; what was in force before still is.',
} as const;

/** Why an object of another kind is not in force beside the others. */
const faultsBesideOthers = {
  AggregationTooShort: 'The prefixes to advertise would be larger than those that the pools have.',
  ContradictsAdvertisement:
    'An older advertisement gives the same prefixes another localPref, for the same peers from the same nodes.',
  ContradictsPeer: 'An older peer of the same nodes has another router ID, or in the same VRF another AS number.',
  DuplicateCommunity: 'An older Community defines the same name.',
  DuplicateQuota: 'An older quota limits the same addresses of the same Services.',
  DuplicatePeer: 'An older peer leads to the same address from the same nodes.',
  OverlapsReservation: 'Some of the addresses are reserved already, by an older reservation.',
} as const;

/**
 * Every reason word with the sentence that explains it: what conditions, events, logs and docs/reasons.md say.
 * Sorted by section: first the condition types, then refusals of the allocator, of the speakers, then events.
 */
export const reasons = {
  /** On our kinds: the summary. */
  Ready: {
    Pending: 'The operator has not looked at it yet.',
    Serving: 'The pool gives addresses to Services.',
    Announcing: 'The advertisement is in force.',
    Draining: 'The pool keeps what it has given and gives nothing new.',
    Reserving: 'The addresses are kept for those that the reservation is for.',
    Limiting: 'No Service gets more than the quota allows.',
    Defined: 'Advertisements may use the names.',
    BackendMissing: 'This version of Herald reads the kind and does not act upon it.',
  },
  /** On our kinds: whether the spec makes sense by itself and beside the others. */
  Accepted: {
    Valid: 'The spec makes sense and is in force.',
    ...faultsBesideOthers,
    ...faultsOfObjects,
  },
  /** On advertisements and peers: whether what they name exists. */
  ResolvedRefs: {
    Resolved: 'Everything that the object names exists.',
    AddressNotInPool: 'Some of the addresses that the reservation names lie in no pool.',
    PoolNotFound: 'A pool that the object names does not exist; what else it names is in force.',
    PeerNotFound: 'A peer that the advertisement names does not exist.',
    CommunityNotFound: 'No Community defines a name that the advertisement uses.',
    ProfileNotFound: 'The BFDProfile that the peer names does not exist.',
    SecretNotFound: 'The Secret with the password of the peer does not exist, so the session stays down.',
    SecretInvalid: 'The Secret of the peer holds no usable password, so the session stays down.',
    SecretUnreadable: 'Herald may not read the Secret of the peer, so the session stays down.',
  },
  /** On pools: whether what is in force is the spec. */
  Programmed: {
    InForce: 'What is in force is the spec.',
    ...faultsOfObjects,
  },
  /** On our kinds, only while true: a warning. The object is in force, and something beside it is not as it should be. */
  Conflicting: {
    AggregationTooShort: 'For some pools the prefixes would be larger than the pool; those are left out.',
    ContainsNodeAddress: 'The pool has the address of a node: a Service that gets it takes it from the node.',
    DuplicateAdvertisement: 'An older advertisement says the same.',
    ExcludesNothing: 'An entry of spec.exclude has no address of the pool.',
    HeldByOthers: 'Services that the reservation is not for hold some of the addresses; they keep them.',
    InterfacesWithoutEffect: 'Another advertisement announces the same pools on every interface of every node.',
    OverlapsPodRange: "The addresses lie in a node's range of pod addresses, and no living pod has one of them.",
    OverQuota: 'Some hold more than the quota allows; they keep it, and get nothing new.',
    ShareExceedsPool: 'The shares that are reserved of a pool are larger than the pool.',
  },
  /** On our kinds, only while true: work is under way. */
  Reconciling: {
    Pending: 'The operator has not looked at it yet.',
    WaitingForRefs: 'What the object names may still appear.',
  },
  /** On our kinds, only while true: retrying does not help, somebody must change the object or another one. */
  Stalled: {
    BackendMissing: 'This version of Herald reads the kind and does not act upon it.',
    ...faultsBesideOthers,
    ...faultsOfObjects,
  },
  /** On the operator's ConfigurationState, MetalLB's word: whether every pool and community can be used. */
  poolReconcilerValid: {
    Reconciled: 'Every object can be used; the message names what is in force.',
    ConfigurationError: 'An object is refused, or names what cannot be used; the message says which.',
  },
  /** On the operator's ConfigurationState, MetalLB's word: whether every other object can be used. */
  configReconcilerValid: {
    Reconciled: 'Every object can be used; the message names what is in force.',
    ConfigurationError: 'An object is refused, or names what cannot be used; the message says which.',
  },
  /** On Services: whether the Service has its address. */
  'heraldlb.io/AddressAssigned': {
    Assigned: 'The Service has its address.',
    PartlyAssigned: 'The Service prefers both families and has an address of one.',
    NoPool: 'There is no pool.',
    NoPoolFits: 'No pool may give this Service an address; the message says why for each.',
    PoolExhausted: 'Every pool that may serve this Service is full.',
    PoolNotFound: 'The pool that the Service asks for does not exist.',
    AddressConflicts:
      'Somebody on the network has the address that the Service asks for; the message names the MAC address.',
    AddressInUse: 'The address that the Service asks for is held by another Service.',
    AddressNotInPool: 'The address that the Service asks for lies in no pool.',
    AddressReserved: 'What the Service asks for is kept for others by an AddressReservation.',
    CoolingDown: 'The address that the Service asks for rests after another Service let go of it.',
    InvalidRequest: 'What the Service asks for contradicts itself or cannot be read.',
    NotOurs: 'Somebody else answers for what the status shows; the message says why Herald does not take it over.',
    ContestedStatus: 'Somebody else changes the status back whenever Herald has written it, so Herald has stopped.',
    NoClusterIP: 'The Service has no cluster address, so nothing could forward to it.',
    QuotaExceeded: 'An AddressQuota allows no more addresses.',
    ProbingAddress: 'A speaker asks the network whether somebody has the address already: up to 5 s.',
    AddressPending: "The pool's external source was asked for an address and has not answered yet.",
    SourceUnreachable: "The pool's external source does not answer, or not as it must; the operator goes on asking.",
    SourceRefused: "The pool's external source refuses; the message has its own words.",
  },
  /** On Services with spec.externalIPs that lie in a pool: whether they may be announced. */
  'heraldlb.io/ExternalIPsAccepted': {
    Accepted: 'Every external IP that lies in a pool may be announced.',
    AddressInUse: 'Another Service has the address, by its status or as an external IP of its own.',
    AddressReserved: 'A reservation keeps the address for others.',
    ClusterAddress: 'The cluster itself uses the address: for a node, for pods or for its own Services.',
    NamespaceNotSelected:
      "The pool's serviceAllocation does not name or select the namespace; without one no namespace is selected.",
    PoolDraining: 'The pool is being drained and gives nothing new.',
    PoolWithoutExternalIPs: 'The pool does not say externalIPs: true, was deleted, or has an external source.',
    ServiceNotSelected: "The pool's serviceAllocation does not select the labels of the Service.",
  },
  /** On Services, and as Ready on a ServiceAnnouncement: whether every address is announced. */
  'heraldlb.io/Announced': {
    Announced: 'Every address of the Service is announced.',
    NoAddress: 'The Service has no address.',
    AddressInUse: 'Two Services hold the address without sharing it; the older one is announced.',
    NoAdvertisement: 'No advertisement covers the pool of the address.',
    NoEligibleNode: 'Labels, selectors or conditions exclude every node.',
    NoEndpoints: 'The Service has no endpoint that serves.',
    NoInterface: 'The node that owns the address has none of the interfaces that its advertisements name.',
    NoLocalEndpoints: 'No eligible node has an endpoint that serves, and externalTrafficPolicy is Local.',
    NoPool: 'The address lies in no pool that is in force.',
    NoReport: 'No living speaker reports what it announces.',
    NoSpeaker: 'None of the nodes that could announce the address has a living speaker.',
    NodeExcluded: 'Every node carries the label node.kubernetes.io/exclude-from-external-load-balancers.',
    NodeNetworkUnavailable: 'The condition NetworkUnavailable of every node is True.',
    ReportsDiffer: 'What the speakers report is not what follows from the configuration, for most of a minute.',
  },
  /** Why one pool refused one Service. */
  rejections: {
    AddressConflicts: 'A machine outside of the cluster uses the address.',
    AddressInUse: 'The address is held by another Service that does not share it.',
    AddressNotInPool: 'The address that the Service asks for is not in the pool.',
    AddressReserved: 'The address, or what is left of the pool, is kept for others by an AddressReservation.',
    AutoAssignDisabled: 'The pool serves only Services that name it (spec.autoAssign is false).',
    CoolingDown: 'Another Service let go of the address, and it rests before it is given again.',
    FamilyMissing: 'The pool has no address of a family that the Service needs.',
    NamespaceNotAllowed: "The pool's serviceAllocation does not include the namespace of the Service.",
    PoolDraining: 'The pool keeps what it has given and gives nothing new (spec.drain).',
    PoolExhausted: 'Every address of the pool is in use, rests, or is reserved.',
    PoolRemoved: 'The pool was deleted; what it gave stays, it gives nothing new.',
    QuotaExceeded: 'An AddressQuota allows no more addresses.',
    ServiceNotSelected: "The pool's serviceAllocation does not select the labels of the Service.",
    AddressPending: "The pool's external source was asked for an address and has not answered yet.",
    SourceRefused: "The pool's external source refuses; the message has its own words.",
  },
  /** Why a speaker does not announce an address. */
  refusals: {
    AddressInUse: 'Two Services hold the address without sharing it; the older one is announced.',
    NoAdvertisement: 'No advertisement covers the pool of the address.',
    NoEligibleNode: 'Labels, selectors or conditions exclude every node.',
    NoEndpoints: 'The Service has no endpoint that serves.',
    NoInterface: 'None of the interfaces that its advertisements name can announce on the node.',
    NoLocalEndpoints: 'The node has no endpoint that serves, and externalTrafficPolicy is Local.',
    NoPool: 'The address lies in no pool that is in force.',
    NodeExcluded: 'The node carries the label node.kubernetes.io/exclude-from-external-load-balancers.',
    NodeNetworkUnavailable: 'The condition NetworkUnavailable of the node is True.',
    NodeNotSelected: 'No advertisement of the pool selects the node.',
  },
  /** What does not work in a speaker. */
  faults: {
    HeartbeatPortTaken: "The heartbeat port is in use: perhaps MetalLB's speaker is still on this node.",
    InKernelResponderFailed: 'The kernel refused the program on an interface; packet sockets answer there.',
    InvalidExcludeInterfaces: 'The pattern of interfaces to leave out is no regular expression.',
    KernelAnswersToo:
      'An announced address is on an interface of the node, so that its kernel answers whichever node owns it.',
    MissingCapability: 'The process lacks a capability that it needs; the message names it.',
    NotReady: 'The speaker cannot own addresses yet; the message says what it waits for.',
    PacketSocketFailed: 'The kernel refused a packet socket on an interface; the message has its error.',
    ProxyHealthUnknown:
      'When the speaker started, kube-proxy did not tell whether it forwards, so it was waited for no longer than 5 s.',
    SocketFailed: 'The kernel refused the socket of the heartbeats; the message has its error.',
    WireThreadFailed: 'The thread that answers ARP and NDP ended; the message says why.',
  },
  /** Why the program in the kernel answers ARP and Neighbor Solicitations on a node, or packet sockets. */
  responders: {
    AsConfigured: 'The setting --l2-responder asks for it.',
    InKernelResponderFailed: 'The kernel refused the program or one of its maps; the message has its error.',
    KernelTooOld: 'Programs on the ingress of interfaces (tcx) need Linux 6.6.',
    NoBpfCapability: 'The speaker lacks the capability BPF or NET_ADMIN.',
    ProgramLoaded: 'The program is loaded and pinned: a restarted speaker goes on with it.',
    ProgramMissing: 'The build holds no program: no compiler for BPF was there when it was made.',
    ProgramNotPinned: 'The program is loaded; without a bpffs it ends with the speaker.',
    SeccompForbidsBpf: 'The seccomp profile of the pod forbids bpf(2).',
  },
  /** What `herald explain` says where nobody writes a condition. */
  explanations: {
    AdvertisementNotForPool:
      'The advertisement names other pools, or its selectors do not match the labels of the pool.',
    AdvertisementNotForService: 'The serviceSelectors of the advertisement do not match the labels of the Service.',
    NoLeader: 'No operator holds the Lease herald-operator, so nothing is decided.',
    NotInstalled: 'No operator of Herald was found in the cluster.',
    NotLoadBalancer: 'The Service is of another type than LoadBalancer.',
    NotLookedAt: 'An operator leads and has not written anything about the Service yet.',
    NotReported: 'Everything for an announcement is there, and no speaker has reported one.',
    OtherClass: 'The loadBalancerClass of the Service is not the one that Herald serves.',
  },
  /** Events on Services; the words of MetalLB where they mean the same. */
  events: {
    CRDsNotOurs:
      "A definition lacks fields that Herald writes, so it is somebody else's, perhaps that of MetalLB; no status is written for its kind.",
    ContestedStatus:
      'Somebody else changes the status of the Service back whenever Herald has written it; Herald has stopped.',
    NotOurs: 'Somebody else answers for what the status of the Service shows; Herald leaves it alone.',
    IPAllocated: 'The Service got an address.',
    AllocationFailed: 'The Service got no address; the message says why for each pool.',
    ExternalIPsRefused: 'Some of spec.externalIPs lie in a pool and may not be announced; the message says why.',
    AddressConflicts:
      'Somebody on the network has an address that the Service was to get; it is given to nobody for 10 minutes.',
    AddressInUse: 'The Service lost an address that an older Service holds.',
    AddressNotProbed: 'The Service got an address for which the network could not be asked; the message says why.',
    ClearAssignment: 'The Service lost an address that no pool permits any more.',
    LoadBalancerFailed: 'What the Service asks for cannot be read.',
    deprecatedAnnotation: 'The Service uses an annotation by its older name.',
    nodeAssigned: 'A node began to announce the address.',
    announceFailed: 'The node that should announce the address cannot.',
  },
} as const satisfies Record<string, Record<string, string>>;

type Table = typeof reasons;

/** The reason words of one section, for instance `ReasonOf<'Accepted'>`. */
export type ReasonOf<Section extends keyof Table> = keyof Table[Section] & string;

/** Any reason word. */
export type Reason = { [Section in keyof Table]: ReasonOf<Section> }[keyof Table];
