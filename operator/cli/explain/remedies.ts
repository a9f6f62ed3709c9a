/** What would help, for each reason that a chain may end with. */

import { annotationOf, annotations, labels, serviceAnnotations } from '../../../crds/annotations.ts';
import type { Reason } from '../../../crds/reasons.ts';
import type { Service } from '../../cluster/objects.ts';
import type { ClusterSnapshot } from '../gather.ts';
import type { Step } from './explanation.ts';

/** What a remedy may speak of. */
interface Case {
  readonly service: Service;
  readonly step: Step;
  readonly snapshot: ClusterSnapshot;
}

/** Sentences without a full stop; none where nothing helps but waiting. */
export function remediesOf(service: Service, step: Step | undefined, snapshot: ClusterSnapshot): readonly string[] {
  if (!step) return [];
  const it: Case = { service, step, snapshot };
  const words = [step.reason, ...step.details.map(({ reason }) => reason)].filter((word) => word !== undefined);
  return [...new Set(words.flatMap((word) => REMEDIES[word]?.(it) ?? []))];
}

/** What would help an object of the configuration. */
export function configRemedies(reason: Reason | undefined, snapshot: ClusterSnapshot): readonly string[] {
  const remedy = reason && (CONFIG_REMEDIES[reason] ?? REMEDIES[reason]);
  return remedy?.({ service: NO_SERVICE, step: NO_STEP, snapshot }) ?? [];
}

/** Remedies for the configuration speak of no Service. */
const NO_SERVICE: Service = { metadata: { name: '' }, spec: {} };
const NO_STEP: Step = { name: 'accepted', answer: 'no', message: '', source: 'operator', details: [] };

type Remedy = (it: Case) => readonly string[];

/** Where the word means something else of an object of the configuration than of a Service. */
const CONFIG_REMEDIES: Partial<Readonly<Record<Reason, Remedy>>> = {
  AddressNotInPool: () => ['add the addresses to a pool, or take them out of the reservation'],
  PoolNotFound: () => ['correct the name of the pool, or create that pool'],
};

const REMEDIES: Partial<Readonly<Record<Reason, Remedy>>> = {
  NotLoadBalancer: () => ['set spec.type to LoadBalancer'],
  OtherClass: ({ service, snapshot }) => {
    const { lbClass } = snapshot.installation;
    if (lbClass !== '')
      return [`create the Service anew with spec.loadBalancerClass ${lbClass}: the field cannot be changed`];
    const its = service.spec.loadBalancerClass;
    return [`create the Service anew without spec.loadBalancerClass, or run Herald with --lb-class=${its}`];
  },
  NotInstalled: () => ['install Herald, or name its namespace with --herald-namespace'],
  NoLeader: ({ snapshot }) => [
    `see why no operator runs: kubectl -n ${snapshot.installation.namespace} get pods -l app.kubernetes.io/component=operator`,
  ],
  NotLookedAt: () => ['wait a second and ask again'],
  NoPool: ({ snapshot }) =>
    snapshot.pools.length === 0
      ? [`create an IPAddressPool in namespace ${snapshot.installation.namespace}`]
      : ['make a pool valid again, or create another one'],
  PoolNotFound: ({ service }) => {
    const several = severalPools(service);
    if (several !== undefined)
      return [`correct ${serviceAnnotations.addressPools}${quoted(several)}, or create that pool`];
    const one = annotationOf(service.metadata.annotations, 'addressPool');
    return [`correct ${annotations.addressPool}${quoted(one)}, or create that pool`];
  },
  PoolExhausted: () => ['add addresses to a pool that serves this Service, or delete Services that are not needed'],
  AddressConflicts: ({ service }) => [
    'find who has that MAC address and take the IP address from it, or take the address out of the pool (spec.exclude)',
    ...(isAsking(service) ? [`drop ${askedBy(service)} and get any free address, or ask for another one`] : []),
  ],
  AddressPending: () => ['wait for the source of the pool, and ask again'],
  SourceUnreachable: () => [
    "mend what the message names: the source's server, its url in spec.source of the pool, or the Secret with its token; the operator goes on asking",
  ],
  SourceRefused: () => ['ask those who keep the source of the pool, or let another pool serve this Service'],
  ProbingAddress: () => ['wait for up to 5 s, and ask again'],
  AddressInUse: ({ service }) =>
    isAsking(service)
      ? [`drop ${askedBy(service)} and get any free address, or ask for another one`]
      : ['give one of the two Services another address'],
  AddressNotInPool: ({ service }) => [
    `ask for an address of a pool, drop ${askedBy(service)}, or add the address to a pool`,
  ],
  InvalidRequest: ({ service }) => {
    if (service.spec.loadBalancerIP && annotationOf(service.metadata.annotations, 'loadBalancerIPs'))
      return [`remove spec.loadBalancerIP: ${annotations.loadBalancerIPs} says the same and knows both families`];
    const isOfPools = severalPools(service) !== undefined;
    return [`correct or drop ${isOfPools ? serviceAnnotations.addressPools : askedBy(service)}`];
  },
  NoClusterIP: ({ service }) =>
    service.spec.clusterIP === 'None'
      ? ['a headless Service cannot be balanced: create it without clusterIP None']
      : ['use ipFamilyPolicy SingleStack or PreferDualStack, or give the cluster both families'],
  AutoAssignDisabled: () => [`name the pool in ${annotations.addressPool}, or set autoAssign in the pool`],
  NamespaceNotSelected: ({ service }) => [
    `add ${service.metadata.namespace} to serviceAllocation.namespaces of the pool: external IPs need a namespace that is named or selected`,
  ],
  PoolWithoutExternalIPs: () => ['set spec.externalIPs: true in the pool, or ask for an address as a load balancer'],
  ClusterAddress: () => ['name another address: this one belongs to the cluster itself'],
  PoolDraining: () => ['name another pool, or an address of one: this one is being drained (spec.drain)'],
  QuotaExceeded: () => ['delete Services that are not needed, or raise the AddressQuota'],
  AddressReserved: ({ service }) =>
    isAsking(service)
      ? [`drop ${askedBy(service)} and get any free address, or let the AddressReservation be for this Service too`]
      : ['add addresses to a pool that serves this Service, or let the AddressReservation be for it too'],
  CoolingDown: () => ['wait until the address has rested (spec.coolDown of its pool); it is given by itself then'],
  NamespaceNotAllowed: ({ service }) => [
    `add ${service.metadata.namespace} to serviceAllocation.namespaces of the pool, or label the namespace as its namespaceSelectors want`,
  ],
  ServiceNotSelected: () => ['label the Service as serviceAllocation.serviceSelectors of the pool want'],
  FamilyMissing: () => ['add a range of that family to the pool, or change ipFamilies of the Service'],
  PoolRemoved: () => ['name another pool: this one was deleted'],
  NotOurs: () => ['give the Service the loadBalancerClass of whoever serves it, or let that one give its address back'],
  ContestedStatus: () => [
    'remove the other controller, or give the Service a loadBalancerClass; then restart the operator',
  ],
  PartlyAssigned: ({ service }) =>
    severalPools(service) === undefined
      ? ['nothing has to be done: with PreferDualStack one family is enough. A pool of both families gives both']
      : [`see why the other pools of ${serviceAnnotations.addressPools} give nothing: herald explain pool/NAME`],
  OverlapsPool: () => ['make the ranges of the pools disjoint'],
  OverlapsServiceRange: () => ['choose addresses outside of the range that the cluster gives to Services'],
  InvalidAddressRange: () => ['correct spec.addresses of the pool'],
  InvalidSelector: () => ['correct the selector: operators are In, NotIn, Exists and DoesNotExist'],
  NamespaceNotWatched: ({ snapshot }) => [
    `move the object to namespace ${snapshot.installation.namespace}, or add its namespace to --config-namespaces`,
  ],
  Shadowed: () => ['rename one of the two objects'],
  OverlapsReservation: () => ['take the addresses out of one of the two reservations'],
  DuplicateQuota: () => ['delete one of the two quotas, or join them'],
  WouldBreakServices: () => ['delete the Services that hold the addresses, or give the addresses back to the pool'],
  NoAdvertisement: ({ snapshot }) =>
    snapshot.l2Advertisements.length === 0
      ? [`create an L2Advertisement in namespace ${snapshot.installation.namespace}`]
      : ['let an L2Advertisement name the pool, or create one that does'],
  AdvertisementNotForService: () => ['label the Service as the serviceSelectors want'],
  NoEndpoints: ({ service }) => [
    `see why no pod is ready: kubectl -n ${service.metadata.namespace} get endpointslices -l ${labels.serviceName}=${service.metadata.name}`,
  ],
  NoEligibleNode: () => ['let an advertisement select a node that may announce'],
  NoLocalEndpoints: () => [
    'run a pod of the Service on a node that may announce, or use externalTrafficPolicy Cluster',
  ],
  NodeExcluded: () => [
    `kubectl label node NODE ${labels.excludeFromExternalLoadBalancers}- takes the label away; --ignore-exclude-lb of the speakers disregards it`,
  ],
  NodeNetworkUnavailable: () => ["wait for the node's network, or see why it does not come up"],
  NoSpeaker: ({ snapshot }) => [
    `see why no speaker runs there: kubectl -n ${snapshot.installation.namespace} get pods -o wide -l app.kubernetes.io/component=speaker`,
  ],
  NoInterface: () => ['correct spec.interfaces of the advertisement, or bring up one of those interfaces on the node'],
  NoReport: ({ snapshot }) => [
    `see whether the speakers run: kubectl -n ${snapshot.installation.namespace} get pods -o wide -l app.kubernetes.io/component=speaker`,
  ],
};

const isAsking = ({ metadata, spec }: Service): boolean =>
  Boolean(annotationOf(metadata.annotations, 'loadBalancerIPs') || spec.loadBalancerIP);

const askedBy = ({ metadata }: Service): string =>
  annotationOf(metadata.annotations, 'loadBalancerIPs') ? annotations.loadBalancerIPs : 'spec.loadBalancerIP';

/** The pools that the Service wants addresses of each of, as it says so. */
const severalPools = ({ metadata }: Service): string | undefined =>
  metadata.annotations?.[serviceAnnotations.addressPools] || undefined;

const quoted = (text: string | undefined): string => (text === undefined ? '' : ` "${text}"`);
