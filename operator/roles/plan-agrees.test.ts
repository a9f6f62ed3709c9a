import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { IpAddressPool, IpAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import type { L2AdvertisementSpec } from '../../crds/l2-advertisement.ts';
import { spec } from '../../testing/spec.ts';
import { announcedServiceOf, announcingNodeOf, serviceKeyOf } from '../advertising/announced-service.ts';
import { desiredAnnouncements } from '../advertising/announcements.ts';
import { type ClusterSnapshot, snapshotOfManifests } from '../cli/gather.ts';
import { readManifests } from '../cli/manifests/manifest.ts';
import { OperatorModel } from '../cli/plan/forecast.ts';
import { type Plan, planOf } from '../cli/plan/plan.ts';
import type { EndpointSlice, KubernetesObject, Node, Service } from '../cluster/objects.ts';
import { keyOf } from '../cluster/objects.ts';
import { isSame } from '../cluster/status-writer.ts';
import { configInForce } from '../config/resolve-config.ts';
import { formatIp } from '../net/address.ts';
import { FakeWorld } from '../reconcilers/testing/fake-world.ts';

const OWN = 'herald-system';
const BORN = '2026-01-01T00:00:00Z';
const NOW = new Date('2026-06-01T00:00:00Z');
/** So many worlds live beside each other, because each mostly waits. */
const WORLDS = 24;
const ROUNDS = 2;
/** Longer than whatever the operator gathers before it acts. */
const QUIET_MS = 150;
const PATIENCE_MS = 20_000;

const nodes: readonly Node[] = ['node-a', 'node-b', 'node-c'].map((name) => ({
  metadata: { name, labels: { zone: name === 'node-a' ? 'x' : 'y' } },
  status: { addresses: [{ type: 'InternalIP', address: `192.0.2.${name.charCodeAt(5)}` }], conditions: [] },
}));

interface PoolCase {
  readonly name: string;
  readonly spec: IpAddressPoolSpec;
  readonly labels: Record<string, string>;
}
interface AdvertisementCase {
  readonly name: string;
  readonly spec: L2AdvertisementSpec;
}
interface ServiceCase {
  readonly name: string;
  readonly namespace: string;
  readonly day: number;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}
/** All that people write. */
interface Config {
  readonly pools: readonly PoolCase[];
  readonly advertisements: readonly AdvertisementCase[];
  readonly services: readonly ServiceCase[];
  /** The label `tier` of namespace prod. */
  readonly tier: string;
}
interface Case {
  readonly before: Config;
  readonly after: Config;
  readonly isPruned: boolean;
}

const plain = { noNullPrototype: true } as const;
const web = { matchLabels: { tier: 'web' } };

/** Ranges of sixteen addresses, so that pools overlap and run full. */
const someRange = fc.tuple(fc.nat(15), fc.nat(3)).map(([first, more]) => `10.0.0.${first}-10.0.0.${first + more}`);
const someSpec = fc
  .record(
    {
      addresses: fc.uniqueArray(someRange, { minLength: 1, maxLength: 2 }),
      autoAssign: fc.constantFrom(true, true, true, false),
      avoidBuggyIPs: fc.constantFrom(false, false, true),
      serviceAllocation: fc.constantFrom(
        undefined,
        undefined,
        undefined,
        { priority: 2 },
        { priority: 1, namespaces: ['shop'] },
        { namespaceSelectors: [web] },
        { serviceSelectors: [web] },
        { serviceSelectors: [{ matchExpressions: [{ key: 'tier', operator: 'Near' }] }] },
      ) as fc.Arbitrary<IpAddressPoolSpec['serviceAllocation']>,
    },
    plain,
  )
  .map(
    ({ serviceAllocation, ...rest }): IpAddressPoolSpec => ({
      ...rest,
      ...(serviceAllocation && { serviceAllocation }),
    }),
  );
const somePool = fc.record(
  { name: fc.constantFrom('a', 'b', 'c'), spec: someSpec, labels: fc.constantFrom({}, {}, { tier: 'web' }) },
  plain,
) as fc.Arbitrary<PoolCase>;
const someAdvertisement: fc.Arbitrary<AdvertisementCase> = fc.record(
  {
    name: fc.constantFrom('l', 'm'),
    spec: fc.constantFrom<L2AdvertisementSpec>(
      {},
      { ipAddressPools: ['a'] },
      { ipAddressPools: ['b', 'nowhere'] },
      { ipAddressPoolSelectors: [web] },
      { nodeSelectors: [{ matchLabels: { zone: 'x' } }] },
      { nodeSelectors: [{ matchLabels: { zone: 'y' } }], serviceSelectors: [web] },
    ),
  },
  plain,
);
const someService = fc.record(
  {
    name: fc.constantFrom(...'stuvwx'),
    namespace: fc.constantFrom('shop', 'shop', 'prod'),
    day: fc.integer({ min: 1, max: 3 }),
    labels: fc.constantFrom({}, {}, { tier: 'web' }),
    annotations: fc.constantFrom(
      {},
      {},
      {},
      { 'metallb.io/address-pool': 'b' },
      { 'metallb.io/loadBalancerIPs': '10.0.0.3' },
      { 'metallb.io/loadBalancerIPs': 'x' },
    ),
  },
  plain,
) as fc.Arbitrary<ServiceCase>;

const unique = <T extends { readonly name: string }>(some: fc.Arbitrary<T>, minLength: number, maxLength: number) =>
  fc.uniqueArray(some, { selector: ({ name }) => name, minLength, maxLength });
const someConfig: fc.Arbitrary<Config> = fc.record(
  {
    pools: unique(somePool, 1, 3),
    advertisements: unique(someAdvertisement, 0, 2),
    services: unique(someService, 2, 6),
    tier: fc.constantFrom('web', 'db'),
  },
  plain,
);

/** A change touches a part of the configuration, and perhaps Services: those that stay in no file live on. */
const someCase: fc.Arbitrary<Case> = fc
  .record(
    {
      before: someConfig,
      next: someConfig,
      parts: fc.tuple(...new Array(4).fill(fc.boolean())),
      isPruned: fc.boolean(),
    },
    plain,
  )
  .map(({ before, next, parts: [pools, advertisements, services, tier], isPruned }) => ({
    before,
    after: {
      pools: pools ? next.pools : before.pools,
      advertisements: advertisements ? next.advertisements : before.advertisements,
      services: services ? next.services.slice(0, 2) : before.services,
      tier: tier ? next.tier : before.tier,
    },
    isPruned,
  }));

/** Covers nothing, and stands in every file: the operator's word on it shows that it has taken in all that came before. */
const MARKER: AdvertisementCase = { name: 'marker', spec: { ipAddressPools: ['nowhere'] } };

const metallb = { apiVersion: 'metallb.io/v1beta1' } as const;

/** The objects of a configuration, as they stand in files. */
function objectsOf({ pools, advertisements, services, tier }: Config, hashes: ReadonlyMap<string, string> = new Map()) {
  return {
    pools: pools.map(({ name, labels, spec }) => {
      const hash = hashes.get(`${OWN}/${name}`);
      const annotations = hash === undefined ? {} : { annotations: { 'heraldlb.io/allow-disruption': hash } };
      return {
        ...metallb,
        kind: 'IPAddressPool' as const,
        metadata: { name, namespace: OWN, labels, ...annotations },
        spec,
      };
    }),
    advertisements: [...advertisements, MARKER].map(({ name, spec }) => ({
      ...metallb,
      kind: 'L2Advertisement' as const,
      metadata: { name, namespace: OWN },
      spec,
    })),
    namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'prod', labels: { tier } } }],
    services: services.map(({ name, namespace, labels, annotations }) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace, labels, annotations },
      spec: { type: 'LoadBalancer', selector: { app: name } },
    })),
  };
}
type Objects = ReturnType<typeof objectsOf>;

/** What an API server makes of an apply. */
function stored<T extends KubernetesObject>(live: T | undefined, written: T, born: string): T {
  if (!live)
    return {
      ...written,
      metadata: { ...written.metadata, uid: `uid-${keyOf(written)}`, generation: 1, creationTimestamp: born },
    };
  const { labels = {}, annotations = {} } = written.metadata;
  const kept = Object.fromEntries(
    Object.entries(live.metadata.annotations ?? {}).filter(([key]) => key === 'metallb.io/ip-allocated-from-pool'),
  );
  const metadata = {
    ...live.metadata,
    labels: { ...live.metadata.labels, ...labels },
    annotations: { ...live.metadata.annotations, ...kept, ...annotations },
    generation: (live.metadata.generation ?? 0) + 1,
  };
  return { ...live, ...written, metadata, ...('status' in live && { status: live.status }) };
}

/** Waits, but not for ever: what comes after sees whether it is so. */
async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
}

class TestCluster {
  readonly world = new FakeWorld();

  /** A cluster that has settled with this configuration. */
  static async with(config: Config): Promise<TestCluster> {
    const cluster = new TestCluster();
    const { world } = cluster;
    const objects = objectsOf(config);
    for (const pool of objects.pools) world.put(world.stores.pools, stored<IpAddressPool>(undefined, pool, BORN));
    for (const one of objects.advertisements) world.put(world.stores.l2Advertisements, stored(undefined, one, BORN));
    for (const one of objects.namespaces)
      world.put(world.stores.namespaces, stored<KubernetesObject>(undefined, one, BORN));
    for (const [at, one] of objects.services.entries())
      world.put(
        world.stores.services,
        serviceOf(undefined, one, `2026-01-0${config.services[at]?.day ?? 1}T00:00:00Z`),
      );
    world.lead();
    await cluster.#takenIn();
    await until(() => world.stores.services.list().every(({ status }) => (status?.conditions ?? []).length > 0));
    await cluster.#atRest();
    return cluster;
  }

  /** Configuration first, then Services: as people's tools order it. */
  async apply(objects: Objects, isPruned: boolean): Promise<void> {
    const { world } = this;
    const { pools, l2Advertisements, namespaces, services } = world.stores;
    const born = NOW.toISOString().replace('.000', '');
    if (isPruned) this.#prune([...objects.pools, ...objects.advertisements]);
    for (const one of objects.pools) world.put(pools, stored<IpAddressPool>(pools.get(keyOf(one)), one, born));
    for (const one of objects.advertisements)
      world.put(l2Advertisements, stored(l2Advertisements.get(keyOf(one)), one, born));
    for (const one of objects.namespaces)
      world.put(namespaces, stored<KubernetesObject>(namespaces.get(keyOf(one)), one, born));
    await this.#takenIn();
    await this.#atRest();
    for (const one of objects.services) world.put(services, serviceOf(services.get(keyOf(one)), one, born));
  }

  #prune(written: readonly KubernetesObject[]): void {
    const isWritten = (kind: string, key: string): boolean =>
      written.some((one) => one.kind === kind && keyOf(one) === key);
    const { pools, l2Advertisements } = this.world.stores;
    for (const key of pools.keys()) if (!isWritten('IPAddressPool', key)) this.world.remove(pools, key);
    for (const key of l2Advertisements.keys())
      if (!isWritten('L2Advertisement', key)) this.world.remove(l2Advertisements, key);
  }

  /** Until the operator has spoken of every object as it is now. */
  #takenIn(): Promise<void> {
    const { pools, l2Advertisements } = this.world.stores;
    return until(() =>
      [...pools.list(), ...l2Advertisements.list()].every(
        ({ metadata, status }) => status?.observedGeneration === metadata.generation,
      ),
    );
  }

  /** A busy operator lets some time pass between two decisions: until it would decide nothing else any more. */
  async #atRest(): Promise<void> {
    await this.quiet();
    await until(() => {
      const { decisions, config } = new OperatorModel(this.snapshot()).forecast();
      const addresses = [...decisions].map(([key, one]) => [
        key,
        one.outcome === 'Assigned' ? one.addresses.map(formatIp).join() : '',
      ]);
      const inForce = this.world.stores.poolSets.list()[0]?.pools ?? [];
      return isDeepStrictEqual(Object.fromEntries(addresses), this.addresses()) && isSame(inForce, config.inForce);
    });
    await this.quiet();
  }

  /** Until nothing was written for a while. */
  async quiet(): Promise<void> {
    let before = -1;
    while (before !== this.world.writes.length) {
      before = this.world.writes.length;
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    }
  }

  addresses(): Record<string, string> {
    const { services } = this.world.stores;
    return Object.fromEntries(
      services
        .keys()
        .map((key) => [key, this.world.addressesOf(key).join()] as const)
        .sort(),
    );
  }

  /** `Kind namespace/name`: `True Serving`. */
  verdicts(): Record<string, string> {
    const { pools, l2Advertisements } = this.world.stores;
    const objects = [...pools.list(), ...l2Advertisements.list()];
    return Object.fromEntries(
      objects.map((one) => [`${one.kind} ${keyOf(one)}`, this.world.readyOf(one)] as const).sort(),
    );
  }

  /** `shop/s 10.0.0.1`: the node whose speaker finds itself first. */
  owners(): Record<string, string> {
    const { namespaces, l2Advertisements, poolSets, services } = this.world.stores;
    const { pools, l2Advertisements: advertisements } = configInForce({
      ownNamespace: OWN,
      configNamespaces: [OWN],
      inForce: poolSets.list()[0]?.pools ?? [],
      l2Advertisements: l2Advertisements.list(),
      namespaces: namespaces.list(),
    });
    const announced = services.list().flatMap((one) => announcedServiceOf(one, [sliceOf(keyOf(one))], '') ?? []);
    const owned = nodes.flatMap(({ metadata: { name: node } }) => {
      const config = { node, nodes: nodes.map(announcingNodeOf), pools, advertisements, ignoresExcludeLabel: false };
      const { l2 } = desiredAnnouncements(config, announced);
      return l2
        .filter(({ candidates }) => candidates[0] === node)
        .map((one) => [`${one.service} ${one.address}`, node] as const);
    });
    return Object.fromEntries(owned.sort());
  }

  /** What a command would list now. */
  snapshot(): ClusterSnapshot {
    const { stores } = this.world;
    const empty = snapshotOfManifests([], NOW);
    const endpointSlices = stores.services.keys().map(sliceOf);
    const [pools, l2Advertisements] = [stores.pools.list(), stores.l2Advertisements.list()];
    const [services, namespaces, poolSets] = [stores.services.list(), stores.namespaces.list(), stores.poolSets.list()];
    return { ...empty, services, namespaces, poolSets, pools, l2Advertisements, endpointSlices, nodes };
  }
}

function serviceOf(
  live: Service | undefined,
  written: KubernetesObject & { readonly spec: object },
  born: string,
): Service {
  const { metadata, ...rest } = stored<KubernetesObject>(live, written, born);
  const spec = { ...written.spec, clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] };
  return { ...rest, metadata, spec };
}

const sliceOf = (key: string): EndpointSlice => {
  const [namespace = '', name = ''] = key.split('/');
  return {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ nodeName: 'node-a', conditions: { ready: true } }],
  };
};
assert.is(serviceKeyOf(sliceOf('shop/s')), 'shop/s');

interface Expected {
  readonly addresses: Record<string, string>;
  readonly verdicts: Record<string, string>;
  readonly owners: Record<string, string>;
}

/** What was, with what the plan says on top of it. */
const predicted = (before: Expected, plan: Plan, services: Plan['services']): Expected => ({
  addresses: {
    ...before.addresses,
    ...Object.fromEntries(services.map(({ service, after }) => [service, after.join()])),
  },
  verdicts: predictedVerdicts(before.verdicts, plan.objects),
  owners: services.reduce(withOwners, before.owners),
});

function predictedVerdicts(before: Expected['verdicts'], objects: Plan['objects']): Expected['verdicts'] {
  const verdicts = { ...before };
  for (const { action, kind, key, verdict } of objects) {
    if (action === 'Delete') delete verdicts[`${kind} ${key}`];
    else if (verdict) verdicts[`${kind} ${key}`] = `${verdict.ready} ${verdict.reason}`;
  }
  return verdicts;
}

function withOwners(
  all: Expected['owners'],
  { service, before, after, owners }: Plan['services'][number],
): Expected['owners'] {
  const gone = new Set(before.filter((address) => !after.includes(address)));
  const changed = new Map(owners.map(({ address, after: node }) => [address, node]));
  const isKept = (key: string): boolean => {
    const [name, address = ''] = key.split(' ');
    return name !== service || (!gone.has(address) && !changed.has(address));
  };
  const kept = Object.entries(all).filter(([key]) => isKept(key));
  const now = [...changed].flatMap(([address, node]) => (node ? [[`${service} ${address}`, node] as const] : []));
  return Object.fromEntries([...kept, ...now]);
}

const observed = (cluster: TestCluster): Expected => ({
  addresses: cluster.addresses(),
  verdicts: cluster.verdicts(),
  owners: cluster.owners(),
});

const sorted = (expected: Expected): string =>
  JSON.stringify(
    Object.entries(expected).map(([what, values]) => [what, Object.entries(values).sort()]),
    null,
    1,
  );

function planFor(cluster: TestCluster, objects: Objects, isPruned: boolean): Plan {
  const text = Object.values(objects)
    .flat()
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
  const { manifests } = readManifests([{ name: 'change.yaml', text }]);
  const { plan, problems } = planOf(cluster.snapshot(), { manifests, namespace: OWN, isPruned: () => isPruned });
  if (!plan) throw new Error(JSON.stringify(problems));
  return plan;
}

/** Waits until the cluster is as expected, and sees that it stays so. */
async function agrees(cluster: TestCluster, expected: Expected, about: unknown): Promise<void> {
  const wanted = sorted(expected);
  await until(() => sorted(observed(cluster)) === wanted);
  await cluster.quiet();
  assertAgreement(sorted(observed(cluster)), wanted, about);
}

function assertAgreement(happened: string, planned: string, about: unknown): void {
  if (happened === planned) return;
  throw new Error(`planned ${planned}\nhappened ${happened}\nby ${JSON.stringify(about, null, 1)}`);
}

async function check({ before, after, isPruned }: Case): Promise<{ readonly breaks: number; readonly moves: number }> {
  const clusters = await Promise.all([TestCluster.with(before), TestCluster.with(before)]);
  try {
    const [asIs, allowed] = clusters;
    const start = observed(asIs);
    const plan = planFor(asIs, objectsOf(after), isPruned);
    await asIs.apply(objectsOf(after), isPruned);
    await agrees(asIs, predicted(start, plan, plan.services), { before, after, isPruned, plan });
    if (plan.disruptions.length > 0) {
      const hashes = new Map(plan.disruptions.map(({ pool, hash }) => [pool, hash]));
      const written = objectsOf(after, hashes);
      // A pool that the change breaks without naming it cannot be annotated by the files of the change.
      if ([...hashes.keys()].every((key) => written.pools.some((pool) => keyOf(pool) === key))) {
        await allowed.apply(written, isPruned);
        const { addresses } = predicted(predicted(start, plan, plan.services), plan, plan.ifAllowed);
        await agreesOnAddresses(allowed, addresses, { before, after, isPruned, plan });
      }
    }
    return { breaks: plan.disruptions.length, moves: plan.services.length };
  } finally {
    for (const { world } of clusters) await world.die();
  }
}

async function agreesOnAddresses(
  cluster: TestCluster,
  addresses: Record<string, string>,
  about: unknown,
): Promise<void> {
  const text = (values: Record<string, string>): string => JSON.stringify(Object.entries(values).sort());
  await until(() => text(cluster.addresses()) === text(addresses));
  await cluster.quiet();
  assertAgreement(text(cluster.addresses()), text(addresses), about);
}

spec(
  'a plan agrees with what then happens',
  (test) => {
    test('addresses, verdicts, refusals and owners, whatever the configuration and the change', async () => {
      const seen = { breaks: 0, moves: 0 };
      const property = fc.asyncProperty(fc.array(someCase, { minLength: WORLDS, maxLength: WORLDS }), async (cases) => {
        for (const { breaks, moves } of await Promise.all(cases.map(check))) {
          seen.breaks += breaks;
          seen.moves += moves;
        }
      });
      const { failed, seed, errorInstance } = await fc.check(property, { numRuns: ROUNDS, endOnFailure: true });
      if (failed) throw new Error(`seed ${seed}: ${errorInstance}`);
      assert.ok(seen.breaks > 0 && seen.moves > 0, `the cases were too tame: ${JSON.stringify(seen)}`);
    });
  },
  { timeoutMs: 180_000 },
);
