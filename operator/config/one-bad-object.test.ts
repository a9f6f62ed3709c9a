/** The promise that one bad object disables only itself, and that whoever decides twice decides the same. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  bgpObject,
  communityObject,
  l2Object,
  peerObject,
  poolObject,
  profileObject,
  quotaObject,
  reservationObject,
} from '../../testing/config-objects.ts';
import { resolve } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import type { ConfigObjects, ResolvedConfig } from './resolve-config.ts';
import { isRefused, objectRef } from './verdict.ts';

type Kind =
  | 'pools'
  | 'l2Advertisements'
  | 'bgpAdvertisements'
  | 'bgpPeers'
  | 'bfdProfiles'
  | 'communities'
  | 'reservations'
  | 'quotas';
/** The objects of one random configuration. */
type Objects = Pick<ConfigObjects, Kind>;

const racks = fc.subarray(['a', 'b'], { minLength: 0 });
const selectorsOf = (values: readonly string[]) => values.map((rack) => ({ matchLabels: { rack } }));
const born = fc.integer({ min: 1, max: 3 }).map((month) => ({ creationTimestamp: `2026-0${month}-01T00:00:00Z` }));
const names = <T>(from: readonly T[], maxLength = 2) => fc.array(fc.constantFrom(...from), { maxLength });
const POOLS = ['p0', 'p1', 'p2', 'nowhere'];

const somePool = fc
  .tuple(
    born,
    fc.constantFrom(
      ['10.0.0.0/24'],
      ['10.0.0.128/25', '2001:db8::/64'],
      ['10.0.1.0/28'],
      ['10.0.1.8-10.0.1.40'],
      ['10.96.0.0/28'],
      ['10.244.1.0/28'],
      ['10.244.2.0/28'],
      ['nonsense'],
      ['10.0.2.0/24', '10.0.2.7/32'],
    ),
  )
  .map(([metadata, addresses]) => ({ metadata, addresses }));
const someL2 = fc.tuple(born, names(POOLS), racks, names(['eth0', 'eth1']));
const someBgp = fc.tuple(
  born,
  fc.record(
    {
      ipAddressPools: names(POOLS),
      peers: names(['r0', 'r1', 'nobody']),
      aggregationLength: fc.constantFrom(24, 28, 32, 33),
      localPref: fc.constantFrom(0, 100),
      communities: names(['1:2', 'blackhole', 'unknown', '1:99999']),
    },
    { noNullPrototype: true },
  ),
  racks,
);
const somePeer = fc.tuple(
  born,
  fc.record(
    {
      myASN: fc.constantFrom(64512, 64512, 65000, 0),
      peerAddress: fc.constantFrom('192.0.2.1', '192.0.2.2'),
      routerID: fc.constantFrom('', '192.0.2.8', '192.0.2.9'),
      holdTime: fc.constantFrom('90s', '1s'),
      bfdProfile: fc.constantFrom('', 'f0', 'f1'),
    },
    { noNullPrototype: true },
  ),
  racks,
);
const someCommunity = fc.tuple(born, fc.constantFrom({ blackhole: '65535:666' }, { blackhole: 'x' }, { other: '1:2' }));
const someReservation = fc.tuple(
  born,
  names(['10.0.0.7', '10.0.0.0/28', '10.0.1.9-10.0.1.20', 'nonsense', '192.0.2.1'], 3),
  fc.constantFrom(undefined, { pool: 'p0', ipv4: 9 }, { pool: 'p1', ipv6: 300 }, { pool: 'nowhere', ipv4: 1 }),
  fc.constantFrom({ namespace: 'shop' }, { name: 'web' }, { serviceSelector: { matchLabels: { a: 'b' } } }),
);
const someQuota = fc.tuple(
  born,
  fc.array(fc.constantFrom({ ipv4: 3 }, { ipv6: 1 }, { pool: 'p0', ipv4: 1 }, { pool: 'nowhere', ipv4: 1 }, {}), {
    maxLength: 2,
  }),
  fc.constantFrom('Namespace' as const, 'Selection' as const),
);
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 4 });

const someObjects: fc.Arbitrary<Objects> = fc
  .record({
    pools: few(somePool),
    l2: few(someL2),
    bgp: few(someBgp),
    peers: few(somePeer),
    profiles: few(fc.constantFrom(1, 3)),
    communities: few(someCommunity),
    reservations: few(someReservation),
    quotas: few(someQuota),
  })
  .map(({ pools, l2, bgp, peers, profiles, communities, reservations, quotas }) => ({
    pools: pools.map(({ addresses, metadata }, at) => poolObject(`p${at}`, addresses, { metadata })),
    l2Advertisements: l2.map(([metadata, ipAddressPools, rack, interfaces], at) =>
      l2Object(`l${at}`, { ipAddressPools, nodeSelectors: selectorsOf(rack), interfaces }, metadata),
    ),
    bgpAdvertisements: bgp.map(([metadata, given, rack], at) =>
      bgpObject(`b${at}`, { ...given, nodeSelectors: selectorsOf(rack) }, metadata),
    ),
    bgpPeers: peers.map(([metadata, given, rack], at) =>
      peerObject(`r${at}`, { ...given, nodeSelectors: selectorsOf(rack) }, metadata),
    ),
    bfdProfiles: profiles.map((detectMultiplier, at) => profileObject(`f${at}`, { detectMultiplier })),
    communities: communities.map(([metadata, values], at) => communityObject(`c${at}`, values, metadata)),
    reservations: reservations.map(([metadata, addresses, share, whose], at) =>
      reservationObject(`v${at}`, { addresses, for: whose, ...(share && { share }) }, metadata),
    ),
    quotas: quotas.map(([metadata, limits, per], at) => quotaObject(`q${at}`, { limits, per }, metadata)),
  }));

const surroundings = {
  nodes: ['a', 'b'].map((rack, at) => ({
    metadata: { name: rack, labels: { rack } },
    spec: { podCIDRs: [`10.244.${at + 1}.0/24`] },
  })),
  serviceRanges: [{ metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/16'] } }],
  podAddresses: [{ pod: 'shop/web-0', address: '10.244.1.7' }],
};
const decide = (objects: Objects): ResolvedConfig => resolve({ ...objects, surroundings });

/** Everything that is said of the good objects, and what is in force. */
function saidOfTheGood(config: ResolvedConfig): unknown {
  const { verdicts, inForce, l2Advertisements, reservations, quotas } = config;
  const good = [...verdicts].filter(([, verdict]) => !isRefused(verdict)).sort(([a], [b]) => (a < b ? -1 : 1));
  const rules = [...reservations, ...quotas].map(({ key, content }) => `${key} ${content}`).sort();
  return { good, inForce, l2Advertisements: l2Advertisements.map(({ name }) => name).sort(), rules };
}

spec('one bad object', (test) => {
  test('disables only itself: without it nothing changes for the good ones', () =>
    fc.assert(
      fc.property(someObjects, fc.nat(), (objects, choice) => {
        const config = decide(objects);
        const refused = Object.entries(objects).flatMap(([kind, list]) =>
          list
            .filter(({ kind, metadata }) => {
              const verdict = config.verdicts.get(objectRef(kind, metadata));
              return verdict !== undefined && isRefused(verdict);
            })
            .map((object) => ({ kind: kind as Kind, object })),
        );
        const bad = refused[choice % Math.max(refused.length, 1)];
        fc.pre(bad !== undefined);
        const without = { ...objects, [bad.kind]: objects[bad.kind].filter((one) => one !== bad.object) };
        assert.equal(saidOfTheGood(decide(without)), saidOfTheGood(config));
      }),
      { numRuns: 400 },
    ));
  test('is the same one in whatever order the objects come', () =>
    fc.assert(
      fc.property(someObjects, (objects) => {
        const reversed = Object.fromEntries(Object.entries(objects).map(([kind, list]) => [kind, list.toReversed()]));
        const inOrder = (config: ResolvedConfig) => [...config.verdicts].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.equal(inOrder(decide(reversed as unknown as Objects)), inOrder(decide(objects)));
      }),
      { numRuns: 200 },
    ));
  test('never goes without a verdict, and neither does a good one', () =>
    fc.assert(
      fc.property(someObjects, (objects) => {
        const { verdicts } = decide(objects);
        const all = Object.values(objects).flat();
        assert.is(verdicts.size, all.length);
        for (const { conditions } of verdicts.values()) {
          const stateOf = (type: string) => conditions.find((one) => one.type === type)?.status;
          assert.ok(stateOf('Ready') !== undefined && stateOf('Accepted') !== undefined);
          // kstatus: a refusal is final, and nothing is under way and final at once.
          if (stateOf('Accepted') === 'False') assert.is(stateOf('Stalled'), 'True');
          assert.not.ok(stateOf('Stalled') && stateOf('Reconciling'));
          assert.is(new Set(conditions.map(({ type }) => type)).size, conditions.length);
        }
      }),
      { numRuns: 200 },
    ));
});
