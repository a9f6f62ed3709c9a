/** A hundred objects of all kinds that users write, most of them good, and the word that each shall be told. */

import { collection, type KubeObject } from './kube-api.ts';
import type { ConfigKind, World } from './world.ts';

/** How an object ends up: in force, waiting for others, refused, or sound and without a backend in this version. */
export type Fate = 'good' | 'waiting' | 'refused' | 'no backend';

export interface MixedObject {
  readonly object: KubeObject;
  readonly fate: Fate;
  /** The condition that says so. */
  readonly type: 'Ready' | 'Accepted' | 'ResolvedRefs' | 'Conflicting';
  readonly reason: string;
}

type Case = readonly [
  kind: ConfigKind,
  count: number,
  fate: Fate,
  type: MixedObject['type'],
  reason: string,
  spec: (at: number) => Record<string, unknown>,
];

/** Addresses for benchmarks (RFC 2544), which no other scenario uses; the pools give nothing by themselves. */
const pool = (addresses: readonly string[]): Record<string, unknown> => ({ addresses, autoAssign: false });
const badSelector = [{ matchExpressions: [{ key: 'rack', operator: 'Near', values: ['a'] }] }];

/** What must be older than the hundred, so that it is sure who is in the way of whom. */
export const seedsOf = (world: World): readonly KubeObject[] => {
  const seed = `${world.name}-seed`;
  return [
    world.configObject('IPAddressPool', seed, pool(['198.18.0.0/28', '2001:2:0:1::/64'])),
    world.configObject('BGPPeer', seed, { myASN: 64512, peerASN: 64513, peerAddress: '198.18.200.200' }),
    world.configObject('BGPAdvertisement', seed, { ipAddressPools: [seed], peers: [seed], localPref: 100 }),
    world.configObject('Community', seed, { communities: [{ name: seed, value: '65535:666' }] }),
    world.configObject('BFDProfile', seed, { transmitInterval: 100 }),
  ];
};

/** Where pools meet what the cluster has given to others. */
export interface Surroundings {
  readonly serviceRange: string;
  readonly podAddress: string;
  readonly nodeAddress: string;
}

export async function surroundingsOf({ api }: World): Promise<Surroundings> {
  const [range] = await api.list('/apis/networking.k8s.io/v1/servicecidrs');
  const pods = await api.list('/api/v1/pods?fieldSelector=spec.hostNetwork%3Dfalse%2Cstatus.phase%3DRunning');
  const nodes = await api.list(collection('v1', 'Node'));
  const addresses = (nodes[0]?.['status'].addresses ?? []) as { type: string; address: string }[];
  return {
    serviceRange: range?.['spec'].cidrs[0],
    podAddress: pods.find((one) => one['status'].podIP)?.['status'].podIP,
    nodeAddress: addresses.find(({ type }) => type === 'InternalIP')?.address ?? '',
  };
}

function poolCases({ serviceRange, podAddress, nodeAddress }: Surroundings): readonly Case[] {
  const one = (address: string): string => `${address}-${address}`;
  return [
    ['IPAddressPool', 20, 'good', 'Ready', 'Serving', (at) => pool([`198.18.${at + 1}.0/24`])],
    ['IPAddressPool', 1, 'good', 'Conflicting', 'ContainsNodeAddress', () => pool([one(nodeAddress)])],
    ['IPAddressPool', 3, 'refused', 'Accepted', 'OverlapsPool', (at) => pool([`198.18.0.${at}/32`])],
    ['IPAddressPool', 1, 'refused', 'Accepted', 'OverlapsServiceRange', () => pool([serviceRange])],
    ['IPAddressPool', 1, 'refused', 'Accepted', 'OverlapsPodRange', () => pool([one(podAddress)])],
    ['IPAddressPool', 2, 'refused', 'Accepted', 'InvalidAddressRange', () => pool(['2001:2:0:2::9-2001:2:0:2::1'])],
    [
      'IPAddressPool',
      2,
      'refused',
      'Accepted',
      'InvalidSpec',
      (at) => pool([`198.18.9${at}.0/24`, `198.18.9${at}.7/32`]),
    ],
  ];
}

function advertisementCases(seed: string): readonly Case[] {
  const ipAddressPools = [seed];
  const l2 = 'L2Advertisement';
  const bgp = 'BGPAdvertisement';
  return [
    [l2, 10, 'good', 'Ready', 'Announcing', (at) => ({ ipAddressPools, interfaces: [`mixed${at}`] })],
    [l2, 5, 'waiting', 'ResolvedRefs', 'PoolNotFound', (at) => ({ ipAddressPools: [seed, `nowhere-${at}`] })],
    [l2, 3, 'refused', 'Accepted', 'InvalidSelector', () => ({ ipAddressPools, nodeSelectors: badSelector })],
    [l2, 2, 'refused', 'Accepted', 'InvalidSpec', () => ({ ipAddressPools, interfaces: ['eth0', 'eth0'] })],
    [bgp, 8, 'no backend', 'Ready', 'BackendMissing', (at) => ({ ipAddressPools, peers: [`${seed}-${at}`] })],
    [bgp, 1, 'no backend', 'ResolvedRefs', 'PeerNotFound', () => ({ ipAddressPools, peers: ['nobody'] })],
    [
      bgp,
      1,
      'no backend',
      'ResolvedRefs',
      'CommunityNotFound',
      () => ({ ipAddressPools, peers: [seed], localPref: 100, communities: ['x'] }),
    ],
    [bgp, 1, 'no backend', 'ResolvedRefs', 'PoolNotFound', () => ({ ipAddressPools: ['nowhere'], peers: [seed] })],
    [
      bgp,
      1,
      'refused',
      'Accepted',
      'AggregationTooShort',
      () => ({ ipAddressPools, peers: ['x'], aggregationLength: 24 }),
    ],
    [
      bgp,
      1,
      'refused',
      'Accepted',
      'ContradictsAdvertisement',
      () => ({ ipAddressPools, peers: [seed], localPref: 200 }),
    ],
    [
      bgp,
      2,
      'refused',
      'Accepted',
      'InvalidSpec',
      (at) => ({ ipAddressPools, peers: ['x'], communities: [`1:2:${at}`] }),
    ],
  ];
}

function routerCases(seed: string): readonly Case[] {
  const peer = (at: number, more: Record<string, unknown> = {}): Record<string, unknown> => ({
    myASN: 64512,
    peerASN: 64513,
    peerAddress: `198.18.200.${at}`,
    ...more,
  });
  const community = (name: string, value: string) => ({ communities: [{ name, value }] });
  const passwordSecret = { name: 'mixed-objects-nowhere' };
  return [
    ['BGPPeer', 8, 'no backend', 'Ready', 'BackendMissing', (at) => peer(at, { bfdProfile: seed })],
    ['BGPPeer', 2, 'no backend', 'ResolvedRefs', 'SecretNotFound', (at) => peer(100 + at, { passwordSecret })],
    ['BGPPeer', 1, 'no backend', 'ResolvedRefs', 'ProfileNotFound', () => peer(110, { bfdProfile: 'nowhere' })],
    ['BGPPeer', 2, 'refused', 'Accepted', 'DuplicatePeer', () => peer(200)],
    ['BGPPeer', 2, 'refused', 'Accepted', 'ContradictsPeer', (at) => peer(120 + at, { myASN: 65000 })],
    ['BFDProfile', 10, 'no backend', 'Ready', 'BackendMissing', (at) => ({ transmitInterval: 100 + at })],
    ['Community', 7, 'good', 'Ready', 'Defined', (at) => community(`${seed}-${at}`, `large:64512:1:${at}`)],
    ['Community', 1, 'refused', 'Accepted', 'DuplicateCommunity', () => community(seed, '1:2')],
    ['Community', 2, 'refused', 'Accepted', 'InvalidSpec', (at) => community(`${seed}-bad-${at}`, 'nonsense')],
  ];
}

/** The hundred; names tell the kind apart, and within it the case. */
export function mixedObjects(world: World, surroundings: Surroundings): readonly MixedObject[] {
  const seed = `${world.name}-seed`;
  const cases = [...poolCases(surroundings), ...advertisementCases(seed), ...routerCases(seed)];
  return cases.flatMap(([kind, count, fate, type, reason, spec]) =>
    Array.from({ length: count }, (_, at): MixedObject => {
      const name = `${world.name}-${reason.toLowerCase()}-${at}`;
      return { object: world.configObject(kind, name, spec(at)), fate, type, reason };
    }),
  );
}
