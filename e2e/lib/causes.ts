/** Services that get no address, or that nothing announces, each for another reason, and the configuration that refuses them. */

import { collection, type KubeObject } from './kube-api.ts';
import type { ServiceOptions } from './web.ts';
import { METALLB, type World } from './world.ts';

type Options = Omit<ServiceOptions, 'namespace' | 'name'>;

/** A Service and why it does not work. */
export interface RefusedService {
  readonly name: string;
  readonly service: Options;
  readonly reason: string;
  /** Which pool, advertisement or node says which word. */
  readonly detail?: readonly [subject: string, reason: string];
}

const ADDRESS_POOL = 'metallb.io/address-pool';
const WANTED_IPS = 'metallb.io/loadBalancerIPs';
/** For documents (RFC 5737): nobody has them, and what is refused is never announced. */
const NETWORK = '203.0.113';
/** Labels that the pool and the advertisement of Services that work ask for. */
const CHOSEN = { e2e: 'chosen' };

const ipv4 = (more: Options = {}): Options => ({ families: ['IPv4'], ...more });
const ask = (annotations: Readonly<Record<string, string>>, more: Options = {}): Options =>
  ipv4({ annotations, ...more });

/** Pools with one address each for Services that nothing announces, by the last octet. */
const PER_CASE = {
  unadvertised: 1,
  nodes: 2,
  excluded: 3,
  network: 4,
  local: 5,
  interface: 6,
  selector: 7,
  watched: 8,
} as const;

/** Services that work, and hold what others ask for: the first is announced. */
export function holders(world: World): readonly (Options & { readonly name: string })[] {
  const pool = (suffix: string): Options => ask({ [ADDRESS_POOL]: `${world.name}-${suffix}` });
  return [
    { name: 'works', ...ask({ [ADDRESS_POOL]: world.name }, { labels: CHOSEN }) },
    { name: 'full-holder', ...pool('full') },
    { name: 'break-holder', ...pool('break') },
    { name: 'removed-holder', ...pool('removed') },
  ];
}

/** Every refusal. The first list is about Service and address, the second about announcing. */
export function causes(world: World): readonly RefusedService[] {
  return [...addressCauses(world), ...requestCauses(world), ...announcingCauses(world)];
}

function addressCauses({ name: world }: World): readonly RefusedService[] {
  const pool = (suffix: string): string => `pool ${world}-${suffix}`;
  const from = (suffix: string, more: Options = {}): Options => ask({ [ADDRESS_POOL]: `${world}-${suffix}` }, more);
  return [
    { name: 'cluster-ip', service: ipv4({ spec: { type: 'ClusterIP' } }), reason: 'NotLoadBalancer' },
    { name: 'other-class', service: ipv4({ spec: { loadBalancerClass: 'e2e.test/lb' } }), reason: 'OtherClass' },
    { name: 'unknown-pool', service: from('nowhere'), reason: 'PoolNotFound' },
    { name: 'full', service: from('full'), reason: 'PoolExhausted', detail: [pool('full'), 'PoolExhausted'] },
    { name: 'automatic', service: ipv4(), reason: 'NoPoolFits', detail: [pool('full'), 'AutoAssignDisabled'] },
    {
      name: 'elsewhere',
      service: from('elsewhere'),
      reason: 'NoPoolFits',
      detail: [pool('elsewhere'), 'NamespaceNotAllowed'],
    },
    {
      name: 'unlabelled',
      service: ask({ [ADDRESS_POOL]: world }),
      reason: 'NoPoolFits',
      detail: [`pool ${world}`, 'ServiceNotSelected'],
    },
    {
      name: 'family',
      service: from('full', { families: ['IPv6'] }),
      reason: 'NoPoolFits',
      detail: [pool('full'), 'FamilyMissing'],
    },
    {
      name: 'both-families',
      service: from('full', { families: ['IPv4', 'IPv6'] }),
      reason: 'NoPoolFits',
      detail: [pool('full'), 'FamilyMissing'],
    },
    { name: 'removed', service: from('removed'), reason: 'NoPoolFits', detail: [pool('removed'), 'PoolRemoved'] },
    {
      name: 'overlapping',
      service: from('overlapping'),
      reason: 'PoolNotFound',
      detail: [pool('overlapping'), 'OverlapsPool'],
    },
    {
      name: 'descending',
      service: from('descending'),
      reason: 'PoolNotFound',
      detail: [pool('descending'), 'InvalidAddressRange'],
    },
    {
      name: 'bad-selector',
      service: from('bad-selector'),
      reason: 'PoolNotFound',
      detail: [pool('bad-selector'), 'InvalidSelector'],
    },
    {
      name: 'not-watched',
      service: from('not-watched'),
      reason: 'PoolNotFound',
      detail: [pool('not-watched'), 'NamespaceNotWatched'],
    },
    {
      name: 'service-range',
      service: from('service-range'),
      reason: 'PoolNotFound',
      detail: [pool('service-range'), 'OverlapsServiceRange'],
    },
  ];
}

function requestCauses({ name: world }: World): readonly RefusedService[] {
  const wants = (addresses: string, more: Readonly<Record<string, string>> = {}): Options =>
    ask({ [WANTED_IPS]: addresses, ...more });
  const inUse = [`pool ${world}-full`, 'AddressInUse'] as const;
  return [
    { name: 'in-no-pool', service: wants('198.51.100.77'), reason: 'AddressNotInPool' },
    {
      name: 'in-other-pool',
      service: wants(`${NETWORK}.${PER_CASE.unadvertised}`, { [ADDRESS_POOL]: `${world}-full` }),
      reason: 'AddressNotInPool',
      detail: [`pool ${world}-full`, 'AddressNotInPool'],
    },
    {
      name: 'refused-change',
      service: wants(`${NETWORK}.99`),
      reason: 'AddressNotInPool',
      detail: [`pool ${world}-break`, 'WouldBreakServices'],
    },
    { name: 'in-use', service: wants(FULL), reason: 'AddressInUse', detail: inUse },
    {
      name: 'sharing-key',
      service: wants(FULL, { 'metallb.io/allow-shared-ip': 'another' }),
      reason: 'AddressInUse',
      detail: inUse,
    },
    {
      name: 'twice',
      service: { ...wants(`${NETWORK}.50`), spec: { loadBalancerIP: `${NETWORK}.50` } },
      reason: 'InvalidRequest',
    },
    { name: 'no-address', service: wants('203.0.113.300'), reason: 'InvalidRequest' },
    { name: 'two-addresses', service: wants(`${NETWORK}.50,${NETWORK}.51`), reason: 'InvalidRequest' },
    { name: 'wrong-family', service: wants('2001:db8::1'), reason: 'InvalidRequest' },
  ];
}

function announcingCauses(world: World): readonly RefusedService[] {
  const from = (suffix: string, more: Options = {}): Options =>
    ask({ [ADDRESS_POOL]: `${world.name}-${suffix}` }, more);
  const [first, second] = world.workers.map(({ name }) => `node ${name}`);
  const advertisement = (suffix: string): string => `l2advertisement ${world.name}-${suffix}`;
  return [
    {
      name: 'unadvertised',
      service: from('unadvertised'),
      reason: 'NoAdvertisement',
      detail: [`l2advertisement ${world.name}`, 'AdvertisementNotForPool'],
    },
    {
      name: 'not-chosen',
      service: ask({ [ADDRESS_POOL]: world.name }, { labels: { ...CHOSEN, announce: 'no' } }),
      reason: 'NoAdvertisement',
      detail: [`l2advertisement ${world.name}`, 'AdvertisementNotForService'],
    },
    {
      name: 'selector',
      service: from('selector'),
      reason: 'NoAdvertisement',
      detail: [advertisement('selector'), 'InvalidSelector'],
    },
    {
      name: 'watched',
      service: from('watched'),
      reason: 'NoAdvertisement',
      detail: [advertisement('watched'), 'NamespaceNotWatched'],
    },
    {
      name: 'no-pods',
      service: ask({ [ADDRESS_POOL]: world.name }, { labels: CHOSEN, app: 'nothing' }),
      reason: 'NoEndpoints',
    },
    {
      name: 'no-node',
      service: from('nodes'),
      reason: 'NoEligibleNode',
      detail: [`node ${world.controlPlane.name}`, 'NodeNotSelected'],
    },
    { name: 'excluded', service: from('excluded'), reason: 'NoEligibleNode', detail: [first ?? '', 'NodeExcluded'] },
    {
      name: 'network',
      service: from('network'),
      reason: 'NoEligibleNode',
      detail: [second ?? '', 'NodeNetworkUnavailable'],
    },
    {
      name: 'local',
      service: from('local', { spec: { externalTrafficPolicy: 'Local' } }),
      reason: 'NoLocalEndpoints',
      detail: [`node ${world.controlPlane.name}`, 'NoLocalEndpoints'],
    },
    { name: 'interface', service: from('interface'), reason: 'NoInterface' },
  ];
}

/** The one address of the pool that is full. */
const FULL = `${NETWORK}.40`;

/** Applies pools and advertisements; `changed` is what refuses: it comes when the holders have their addresses. */
export async function configuration(world: World, stage: 'first' | 'changed'): Promise<void> {
  const objects = stage === 'first' ? firstObjects(world) : changedObjects(world);
  await Promise.all(objects.map((object) => world.api.apply(object)));
  if (stage === 'changed')
    await world.api.delete(`${collection(METALLB, 'IPAddressPool', 'herald-system')}/${world.name}-removed`);
}

function poolOf(world: World, suffix: string, spec: Record<string, unknown>): KubeObject {
  const serviceAllocation = { namespaces: [world.namespace] };
  return world.configObject('IPAddressPool', `${world.name}-${suffix}`, {
    autoAssign: false,
    serviceAllocation,
    ...spec,
  });
}

const range = (from: number, to = from): string => `${NETWORK}.${from}-${NETWORK}.${to}`;

function firstObjects(world: World): readonly KubeObject[] {
  const { name, namespace } = world;
  const perCase = Object.entries(PER_CASE).map(([suffix, octet]) =>
    poolOf(world, suffix, { addresses: [range(octet)] }),
  );
  const chosen = { namespaces: [namespace], serviceSelectors: [{ matchLabels: CHOSEN }] };
  return [
    world.configObject('IPAddressPool', name, { addresses: [world.free.IPv4.range], serviceAllocation: chosen }),
    ...perCase,
    poolOf(world, 'full', { addresses: [`${FULL}/32`] }),
    poolOf(world, 'break', { addresses: [range(41)] }),
    poolOf(world, 'removed', { addresses: [range(42)] }),
    poolOf(world, 'elsewhere', { addresses: [range(43)], serviceAllocation: { namespaces: ['kube-public'] } }),
    ...advertisements(world),
  ];
}

function changedObjects(world: World): readonly KubeObject[] {
  const bad = [{ matchExpressions: [{ key: 'app', operator: 'Equals', values: ['x'] }] }];
  const elsewhere = poolOf(world, 'not-watched', { addresses: [range(60)] });
  return [
    poolOf(world, 'break', { addresses: [range(99)] }),
    poolOf(world, 'overlapping', { addresses: [range(40, 41)] }),
    poolOf(world, 'descending', { addresses: ['2001:db8::9-2001:db8::1'] }),
    poolOf(world, 'bad-selector', { addresses: [range(61)], serviceAllocation: { serviceSelectors: bad } }),
    poolOf(world, 'service-range', { addresses: ['10.96.200.0/24'] }),
    { ...elsewhere, metadata: { ...elsewhere.metadata, namespace: world.namespace } },
  ];
}

function advertisements(world: World): readonly KubeObject[] {
  const { name } = world;
  const [first, second] = world.workers.map((worker) => worker.name);
  const on = (node: string | undefined) => [{ matchLabels: { 'kubernetes.io/hostname': node ?? '' } }];
  const of = (suffix: string, spec: Record<string, unknown>): KubeObject =>
    world.configObject('L2Advertisement', `${name}-${suffix}`, { ipAddressPools: [`${name}-${suffix}`], ...spec });
  const bad = [{ matchExpressions: [{ key: 'zone', operator: 'Equals', values: ['x'] }] }];
  const watched = of('watched', {});
  return [
    world.configObject('L2Advertisement', name, {
      ipAddressPools: [name],
      serviceSelectors: [{ matchExpressions: [{ key: 'announce', operator: 'DoesNotExist' }] }],
    }),
    of('nodes', { nodeSelectors: on('nowhere') }),
    of('excluded', { nodeSelectors: on(first) }),
    of('network', { nodeSelectors: on(second) }),
    of('local', { nodeSelectors: on(world.controlPlane.name) }),
    of('interface', { interfaces: ['e2e-nowhere'] }),
    of('selector', { nodeSelectors: bad }),
    { ...watched, metadata: { ...watched.metadata, namespace: world.namespace } },
  ];
}
