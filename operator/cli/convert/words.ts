/** The two spellings of the same words: of MetalLB's old kinds, and of its ConfigMap. */

/** As AddressPool (v1alpha1, v1beta1) and BGPPeer v1beta1 spell them. */
export const wordsOfKinds = {
  autoAssign: 'autoAssign',
  avoidBuggyIPs: 'avoidBuggyIPs',
  bgpAdvertisements: 'bgpAdvertisements',
  aggregationLength: 'aggregationLength',
  aggregationLengthV6: 'aggregationLengthV6',
  localPref: 'localPref',
  myASN: 'myASN',
  peerASN: 'peerASN',
  peerAddress: 'peerAddress',
  sourceAddress: 'sourceAddress',
  peerPort: 'peerPort',
  holdTime: 'holdTime',
  keepaliveTime: 'keepaliveTime',
  routerID: 'routerID',
  nodeSelectors: 'nodeSelectors',
  matchLabels: 'matchLabels',
  matchExpressions: 'matchExpressions',
  bfdProfile: 'bfdProfile',
  ebgpMultiHop: 'ebgpMultiHop',
} as const;

export type Words = { readonly [Word in keyof typeof wordsOfKinds]: string };

/** As the ConfigMap of MetalLB 0.12 and older spells them. */
export const wordsOfConfigMap: Words = {
  autoAssign: 'auto-assign',
  avoidBuggyIPs: 'avoid-buggy-ips',
  bgpAdvertisements: 'bgp-advertisements',
  aggregationLength: 'aggregation-length',
  aggregationLengthV6: 'aggregation-length-v6',
  localPref: 'localpref',
  myASN: 'my-asn',
  peerASN: 'peer-asn',
  peerAddress: 'peer-address',
  sourceAddress: 'source-address',
  peerPort: 'peer-port',
  holdTime: 'hold-time',
  keepaliveTime: 'keepalive-time',
  routerID: 'router-id',
  nodeSelectors: 'node-selectors',
  matchLabels: 'match-labels',
  matchExpressions: 'match-expressions',
  bfdProfile: 'bfd-profile',
  ebgpMultiHop: 'ebgp-multihop',
};
