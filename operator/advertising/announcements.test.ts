import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  ADDRESSES as addresses,
  advertisement,
  EXCLUDE,
  NODES,
  pool,
  served,
  service,
  someService,
} from '../../testing/announced.ts';
import { spec } from '../../testing/spec.ts';
import type { L2Advertisement } from '../config/advertisements.ts';
import { sharingConflict } from '../config/sharing.ts';
import { ownerOf } from '../election/rank.ts';
import type { DesiredAnnouncements } from './announcement.ts';
import { desiredAnnouncements } from './announcements.ts';
import { IncrementalAnnouncements } from './incremental.ts';
import type { AdvertisingConfig, AnnouncedService, AnnouncingNode } from './snapshot.ts';

const node = (name: string, more: Partial<AnnouncingNode> = {}): AnnouncingNode => ({
  name,
  labels: {},
  isNetworkUnavailable: false,
  ...more,
});
const config = (more: Partial<AdvertisingConfig> = {}): AdvertisingConfig => ({
  node: 'node-b',
  nodes: NODES.map((name) => node(name)),
  pools: [pool('public')],
  advertisements: [advertisement()],
  ignoresExcludeLabel: false,
  ...more,
});

/** 'shop/web 10.0.0.1 b>a>c all' or 'shop/web NoPool'. */
const inWords = ({ l2, refusals }: DesiredAnnouncements): string[] => [
  ...l2.map(
    ({ service, address, candidates, interfaces }) =>
      `${service} ${address} ${candidates.map((name) => name.replace('node-', '')).join('>')} ${interfaces === 'all' ? 'all' : interfaces.join(',')}`,
  ),
  ...refusals.map(({ service, reason }) => `${service} ${reason}`),
];

interface Case {
  readonly name: string;
  readonly given?: Partial<AdvertisingConfig>;
  readonly services?: readonly AnnouncedService[];
  readonly gives: readonly string[];
}
const matching = (labels: Record<string, string>) => ({ matchLabels: labels });

const cases: Case[] = [
  // 10.0.0.1 is ordered b, a, c and 10.0.0.2 b, c, a: MetalLB's vectors
  { name: 'in the order of election', gives: ['shop/web 10.0.0.1 b>a>c all'] },
  {
    name: 'both families by the order of the first address',
    given: { pools: [pool('public'), pool('six', '2001:db8::/64')] },
    services: [service('web', { addresses: ['10.0.0.1', '2001:db8::1'] })],
    gives: ['shop/web 10.0.0.1 b>a>c all', 'shop/web 2001:db8::1 b>a>c all'],
  },
  { name: 'nothing of an address in no pool', given: { pools: [] }, gives: ['shop/web NoPool'] },
  { name: 'nothing without an advertisement', given: { advertisements: [] }, gives: ['shop/web NoAdvertisement'] },
  {
    name: 'a pool that the advertisement names',
    given: { advertisements: [advertisement({ pools: ['public', 'no-such-pool'] })] },
    gives: ['shop/web 10.0.0.1 b>a>c all'],
  },
  {
    name: 'nothing of a pool that it does not name',
    given: { advertisements: [advertisement({ pools: ['other'] })] },
    gives: ['shop/web NoAdvertisement'],
  },
  {
    name: 'a pool by its labels, beside the named ones',
    given: {
      pools: [pool('public', '10.0.0.0/24', { labels: { zone: 'one' } })],
      advertisements: [advertisement({ pools: ['other'], poolSelectors: [matching({ zone: 'one' })] })],
    },
    gives: ['shop/web 10.0.0.1 b>a>c all'],
  },
  {
    name: 'only Services that a selector matches',
    given: { advertisements: [advertisement({ serviceSelectors: [matching({ app: 'a' }), matching({ app: 'b' })] })] },
    services: [service('web', { labels: { app: 'b' } }), service('api', { addresses: ['10.0.0.2'] })],
    gives: ['shop/web 10.0.0.1 b>a>c all', 'shop/api NoAdvertisement'],
  },
  {
    name: 'from the nodes of any advertisement that covers it',
    given: {
      nodes: [node('node-a', { labels: { rack: '1' } }), node('node-b', { labels: { rack: '2' } }), node('node-c')],
      advertisements: [
        advertisement({ nodeSelectors: [matching({ rack: '1' })] }),
        advertisement({ nodeSelectors: [matching({ rack: '2' })] }),
      ],
    },
    gives: ['shop/web 10.0.0.1 b>a all'],
  },
  {
    name: 'nothing from a node that no advertisement selects',
    given: {
      node: 'node-c',
      nodes: [node('node-a', { labels: { rack: '1' } }), node('node-b'), node('node-c')],
      advertisements: [advertisement({ nodeSelectors: [matching({ rack: '1' })] })],
    },
    gives: ['shop/web NodeNotSelected'],
  },
  {
    name: 'nothing when no node is selected',
    given: { advertisements: [advertisement({ nodeSelectors: [matching({ rack: '1' })] })] },
    gives: ['shop/web NoEligibleNode'],
  },
  {
    name: 'not from an excluded node',
    given: { nodes: [node('node-a'), node('node-b', { labels: EXCLUDE }), node('node-c')] },
    gives: ['shop/web NodeExcluded'],
  },
  {
    name: 'from an excluded node when told to',
    given: { nodes: [node('node-a'), node('node-b', { labels: EXCLUDE })], ignoresExcludeLabel: true },
    gives: ['shop/web 10.0.0.1 b>a all'],
  },
  {
    name: 'not from a node without network',
    given: { nodes: [node('node-a'), node('node-b', { isNetworkUnavailable: true })] },
    gives: ['shop/web NodeNetworkUnavailable'],
  },
  {
    name: 'nothing without an endpoint that serves',
    services: [service('web', { endpoints: served() })],
    gives: ['shop/web NoEndpoints'],
  },
  {
    name: 'a Service without selector and without endpoints',
    services: [service('web', { endpoints: served(), hasSelector: false })],
    gives: ['shop/web 10.0.0.1 b>a>c all'],
  },
  {
    name: 'nothing of a Local Service without selector and without endpoints',
    services: [service('web', { endpoints: served(), hasSelector: false, externalTrafficPolicy: 'Local' })],
    gives: ['shop/web NoEndpoints'],
  },
  {
    name: 'a Local Service from the nodes of its endpoints',
    services: [service('web', { endpoints: served('node-c', 'node-b'), externalTrafficPolicy: 'Local' })],
    gives: ['shop/web 10.0.0.1 b>c all'],
  },
  {
    name: 'no Local Service from a node without endpoints',
    services: [service('web', { endpoints: served('node-c'), externalTrafficPolicy: 'Local' })],
    gives: ['shop/web NoLocalEndpoints'],
  },
  {
    name: 'nothing of a Local Service whose endpoints are on excluded nodes',
    given: { nodes: [node('node-a', { labels: EXCLUDE }), node('node-b')] },
    services: [service('web', { externalTrafficPolicy: 'Local' })],
    gives: ['shop/web NoLocalEndpoints'],
  },
  {
    name: 'on the interfaces of the advertisements that select this node',
    given: {
      nodes: [node('node-a', { labels: { rack: '1' } }), node('node-b')],
      advertisements: [
        advertisement({ interfaces: ['eth1'] }),
        advertisement({ interfaces: ['eth0', 'eth1'] }),
        advertisement({ nodeSelectors: [matching({ rack: '1' })] }),
      ],
    },
    gives: ['shop/web 10.0.0.1 b>a eth0,eth1'],
  },
  {
    name: 'on all interfaces when one advertisement names none',
    given: { advertisements: [advertisement({ interfaces: ['eth1'] }), advertisement()] },
    gives: ['shop/web 10.0.0.1 b>a>c all'],
  },
  {
    name: 'only the older of two that hold one address',
    services: [service('new', { createdAt: '2026-02-01T00:00:00Z' }), service('old')],
    gives: ['shop/old 10.0.0.1 b>a>c all', 'shop/new AddressInUse'],
  },
  {
    name: 'the first by name of two of one age',
    services: [service('b'), service('a')],
    gives: ['shop/a 10.0.0.1 b>a>c all', 'shop/b AddressInUse'],
  },
  {
    name: 'both that share an address',
    services: [service('a', { sharingKey: 'k' }), service('b', { sharingKey: 'k' })],
    gives: ['shop/a 10.0.0.1 b>a>c all', 'shop/b 10.0.0.1 b>a>c all'],
  },
  {
    name: 'not one who has another sharing key',
    services: [service('a', { sharingKey: 'k' }), service('b', { sharingKey: 'j' })],
    gives: ['shop/a 10.0.0.1 b>a>c all', 'shop/b AddressInUse'],
  },
  {
    name: 'a shared address by the order of the oldest, whatever else the younger holds',
    services: [
      service('a', { sharingKey: 'k' }),
      service('b', { sharingKey: 'k', addresses: ['10.0.0.2', '10.0.0.1'] }),
    ],
    gives: ['shop/a 10.0.0.1 b>a>c all', 'shop/b 10.0.0.2 b>c>a all', 'shop/b 10.0.0.1 b>a>c all'],
  },
  {
    name: 'a shared address though the oldest has no endpoints',
    services: [service('a', { sharingKey: 'k', endpoints: served() }), service('b', { sharingKey: 'k' })],
    gives: ['shop/b 10.0.0.1 b>a>c all', 'shop/a NoEndpoints'],
  },
];

spec('announcements', (test) => {
  for (const { name, given, services = [service('web')], gives } of cases)
    test(`announces ${name}`, () => assert.equal(inWords(desiredAnnouncements(config(given), services)), gives));
});

const someServices = fc.uniqueArray(someService, { selector: ({ key }) => key, maxLength: 5 });
const someConfig: fc.Arbitrary<AdvertisingConfig> = fc
  .record({
    excluded: fc.subarray(NODES),
    selector: fc.constantFrom<Partial<L2Advertisement>>(
      {},
      { serviceSelectors: [matching({ app: 'a' })] },
      { pools: ['public'] },
      { interfaces: ['eth1'] },
    ),
  })
  .map(({ excluded, selector }) =>
    config({
      nodes: NODES.map((name) => node(name, excluded.includes(name) ? { labels: EXCLUDE } : {})),
      pools: [pool('public'), pool('six', '2001:db8::/64')],
      advertisements: [advertisement(selector)],
    }),
  );

interface World {
  readonly incremental: IncrementalAnnouncements;
  readonly services: Map<string, AnnouncedService>;
  config: AdvertisingConfig;
}
/** One or more changes between two takes. */
const someChange: fc.Arbitrary<(world: World) => void> = fc.oneof(
  { weight: 3, arbitrary: fc.array(someService, { minLength: 1, maxLength: 3 }).map(put) },
  { weight: 2, arbitrary: fc.constantFrom('s/a', 's/b', 's/c').map(remove) },
  { weight: 1, arbitrary: someConfig.map(configure) },
);
function put(services: readonly AnnouncedService[]) {
  return (world: World): void => {
    for (const each of services) world.services.set(each.key, each);
    for (const each of services) world.incremental.setService(each.key, each);
  };
}
function remove(key: string) {
  return (world: World): void => {
    world.services.delete(key);
    world.incremental.setService(key, undefined);
  };
}
function configure(given: AdvertisingConfig) {
  return (world: World): void => {
    world.config = given;
    world.incremental.setConfig(given);
  };
}

spec('announcement properties', (test) => {
  const partsOf = (given: AdvertisingConfig, services: readonly AnnouncedService[]) =>
    NODES.map((name) => desiredAnnouncements({ ...given, node: name }, services));
  test('every announced address has one owner among the living candidates, whoever is alive', () => {
    fc.assert(
      fc.property(someConfig, someServices, fc.subarray(NODES), (given, services, alive) => {
        const parts = partsOf(given, services);
        for (const address of addresses) {
          const claims = parts.flatMap(({ l2 }) => l2.filter((each) => each.address === address));
          const owners = new Set(claims.map(({ candidates }) => ownerOf(candidates, (name) => alive.includes(name))));
          assert.ok(owners.size <= 1, `${address}: ${[...owners].join(', ')}`);
        }
      }),
      { numRuns: 500 },
    );
  });
  test('the owner is a node that was told so', () => {
    fc.assert(
      fc.property(someConfig, someServices, (given, services) => {
        const parts = partsOf(given, services);
        for (const { l2 } of parts)
          for (const { service, address, candidates } of l2)
            for (const name of candidates)
              assert.ok(
                parts[NODES.indexOf(name)]?.l2.some((each) => each.service === service && each.address === address),
                `${name} does not know that it may own ${address} of ${service}`,
              );
      }),
      { numRuns: 500 },
    );
  });
  test('Services that may not share never announce one address', () => {
    const isHeld = ({ addresses: its, held }: AnnouncedService, at: string): boolean => its.indexOf(at) < held;
    fc.assert(
      fc.property(someConfig, someServices, fc.constantFrom(...addresses), (given, services, address) => {
        const { l2 } = desiredAnnouncements(given, services);
        const together = services.filter(({ key }) => l2.some((one) => one.service === key && one.address === address));
        const pairs = together.flatMap((a, at) => together.slice(at + 1).map((b) => [a, b] as const));
        for (const [a, b] of pairs)
          assert.ok(isHeld(a, address) === isHeld(b, address) && !sharingConflict(a, b, {}), `${a.key} and ${b.key}`);
      }),
      { numRuns: 2000 },
    );
  });
  test('each address is announced or has one reason, in whatever order Services come', () => {
    fc.assert(
      fc.property(someConfig, someServices, (given, services) => {
        const forth = inWords(desiredAnnouncements(given, services));
        const back = inWords(desiredAnnouncements(given, services.toReversed()));
        assert.equal(forth.toSorted(), back.toSorted());
        assert.is(forth.length, services.flatMap((each) => each.addresses).length);
      }),
    );
  });
  test('deciding incrementally, change by change, gives the same as deciding about all at once', () => {
    fc.assert(
      fc.property(fc.array(someChange, { minLength: 1, maxLength: 12 }), (changes) => {
        const world = { incremental: new IncrementalAnnouncements(config()), services: new Map(), config: config() };
        let taken: DesiredAnnouncements = { l2: [], refusals: [] };
        for (const change of changes) {
          change(world);
          taken = world.incremental.take() ?? taken;
        }
        const whole = desiredAnnouncements(world.config, [...world.services.values()]);
        assert.equal(inWords(taken).toSorted(), inWords(whole).toSorted());
        assert.is(world.incremental.take(), undefined, 'nothing has changed since');
      }),
      { numRuns: 500 },
    );
  });
  test('a change that decides nothing anew is no change', () => {
    const incremental = new IncrementalAnnouncements(config());
    incremental.setService('shop/web', service('web'));
    assert.ok(incremental.take());
    incremental.setService('shop/web', service('web', { labels: { irrelevant: 'yes' } }));
    incremental.setConfig(config());
    assert.is(incremental.take(), undefined);
  });
});
