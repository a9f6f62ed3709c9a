/** Random histories of all that allocation knows, and builders of what limits and keeps addresses. */

import fc from 'fast-check';
import type { PoolSetEntry } from '../crds/pool-set.ts';
import type { Withholding } from '../operator/allocator/circumstances.ts';
import type { Family, ServiceRequest } from '../operator/allocator/service-request.ts';
import type { Pool } from '../operator/config/pool.ts';
import type { Quota } from '../operator/config/quota.ts';
import { RangeSet } from '../operator/config/range-set.ts';
import type { Reservation } from '../operator/config/reservation.ts';
import type { IpAddress } from '../operator/net/address.ts';
import { type AddressRange, parseAddressOrRange } from '../operator/net/range.ts';
import { pool, someAddress } from './allocation.ts';

export interface Rules {
  readonly pools: readonly Pool[];
  readonly reservations: readonly Reservation[];
  readonly quotas: readonly Quota[];
}

export type Event =
  | { readonly kind: 'Upsert'; readonly request: ServiceRequest }
  | { readonly kind: 'Remove'; readonly key: string }
  | { readonly kind: 'SetConfig'; readonly rules: Rules }
  | { readonly kind: 'Withhold'; readonly address: IpAddress; readonly why: Withholding }
  | { readonly kind: 'Restore'; readonly address: IpAddress; readonly reason: Withholding['reason'] }
  | { readonly kind: 'Grant'; readonly pool: string; readonly key: string; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'Refuse'; readonly pool: string; readonly key: string }
  | { readonly kind: 'Retry' };

/** Keeps `addresses` for the Services that `isFor` says. */
export function reservation(
  name: string,
  addresses: readonly string[],
  isFor: Reservation['isFor'],
  share?: Reservation['share'],
): Reservation {
  const ranges = addresses.map(parseAddressOrRange).filter((range): range is AddressRange => typeof range !== 'string');
  const content = name;
  return {
    key: `herald-system/${name}`,
    ranges,
    addresses: new RangeSet(ranges),
    content,
    isFor,
    ...(share && { share }),
  };
}

export const quota = (name: string, more: Partial<Omit<Quota, 'key'>>): Quota => ({
  key: `herald-system/${name}`,
  per: 'Namespace',
  limits: [],
  content: name,
  includes: () => true,
  ...more,
});

const someService = fc.constantFrom(...'stuvwxyz').map((name) => `default/${name}`);
const anyAddress = fc.oneof(someAddress(4), someAddress(6));

/** True one time in `parts`. */
const seldom = (parts: number): fc.Arbitrary<boolean> => fc.nat(parts - 1).map((at) => at === 0);

/** What a Service asks for: mostly nothing, so that Services compete for what is free. */
interface Wish {
  readonly pool?: string;
  readonly pools?: readonly string[];
  readonly addresses?: Readonly<Record<Family, IpAddress>>;
}
const someWish = fc.oneof<[fc.WeightedArbitrary<Wish>, ...fc.WeightedArbitrary<Wish>[]]>(
  { weight: 12, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ pool: fc.constantFrom('a', 'b', 'a', 'b', 'nowhere') }) },
  { weight: 4, arbitrary: fc.record({ addresses: fc.record({ 4: someAddress(4), 6: someAddress(6) }) }) },
  { weight: 2, arbitrary: fc.record({ pools: fc.constantFrom(['a', 'b'], ['b', 'a'], ['c', 'nowhere']) }) },
);
const wishFor = (families: readonly Family[], { pool, pools, addresses }: Wish): Partial<ServiceRequest> => ({
  ...(pool !== undefined && { requestedPool: pool }),
  ...(pools && { requestedPools: pools }),
  ...(addresses && { requestedAddresses: families.map((family) => addresses[family]) }),
});

/** Requests that compete, share, contradict, and hold what they may not. */
export const someFullRequest: fc.Arbitrary<ServiceRequest> = fc
  .record({
    name: fc.constantFrom(...'stuvwxyz'),
    day: fc.integer({ min: 10, max: 12 }),
    families: fc.constantFrom<readonly Family[]>([4], [4], [4], [6], [4, 6], [6, 4]),
    isOneFamilyEnough: fc.boolean(),
    namespace: fc.constantFrom('default', 'default', 'prod'),
    isWeb: fc.boolean(),
    wish: someWish,
    held: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(anyAddress, { minLength: 1, maxLength: 3 })),
    sharing: fc.record({
      sharingKey: fc.constantFrom('', 'k', 'k', 'j'),
      ports: fc.subarray(['TCP/80', 'TCP/443', 'UDP/53'], { minLength: 1, maxLength: 2 }),
      backend: fc.constantFrom('', '', '{"app":"x"}'),
    }),
    isBroken: seldom(25),
    isForeign: seldom(15),
  })
  .map(({ name, day, families, isOneFamilyEnough, namespace, isWeb, wish, held, sharing, isBroken, isForeign }) => ({
    key: `default/${name}`,
    namespace,
    name,
    ...(isWeb && { labels: { tier: 'web' } }),
    createdAt: `2026-01-${day}T00:00:00Z`,
    families,
    isOneFamilyEnough,
    ...(!isBroken && wishFor(families, wish)),
    ...sharing,
    held,
    ...(isBroken && { problem: { reason: 'InvalidRequest' as const, message: 'It cannot be read.' } }),
    ...(isForeign && {
      isForeign: true,
      problem: { reason: 'NotOurs' as const, message: 'Somebody else answers for it.' },
    }),
  }));

const somePool = (name: string): fc.Arbitrary<Pool> =>
  fc
    .record({
      size: fc.nat(4),
      sizeV6: fc.nat(3),
      autoAssign: seldom(6).map((is) => !is),
      avoidBuggyIPs: seldom(4),
      deleted: seldom(12),
      serviceAllocation: fc.constantFrom<PoolSetEntry['serviceAllocation']>(
        ...new Array<undefined>(5).fill(undefined),
        { priority: 1, namespaces: ['default'] },
        { namespaces: ['prod'] },
        { serviceSelectors: [{ matchLabels: { tier: 'web' } }] },
      ),
      drain: seldom(8),
      coolDown: fc.constantFrom('0s', '0s', '30s'),
      spreadBy: fc.constantFrom<Pool['spreadBy']>('none', 'none', 'random', 'hash', 'leastRecentlyUsed'),
      shareAcrossNamespaces: fc.boolean(),
      hasSource: seldom(6),
    })
    .map(({ serviceAllocation, hasSource, ...rest }) =>
      pool(name, {
        ...rest,
        ...(serviceAllocation && { serviceAllocation }),
        ...(hasSource && { source: { http: { url: 'https://ipam.example' } } }),
      }),
    );
const someExtendedPools: fc.Arbitrary<readonly Pool[]> = fc
  .tuple(somePool('a'), somePool('b'), somePool('c'), fc.nat(2))
  .map(([a, b, c, fewer]) => [a, b, c].slice(0, 3 - fewer));

const someReservations: fc.Arbitrary<readonly Reservation[]> = fc
  .record({
    ofOne: fc.constantFrom([], ['192.0.2.1', '2001:db8:2::'], ['192.0.2.0-192.0.2.2', '192.0.3.0'], ['192.0.4.0/30']),
    one: fc.constantFrom('s', 't', 'u'),
    share: fc.constantFrom(undefined, { pool: 'a', ipv4: 1, ipv6: 1 }, { pool: 'b', ipv4: 2, ipv6: 0 }),
    isWeb: fc.boolean(),
    second: fc.constantFrom(undefined, { pool: 'a', ipv4: 1, ipv6: 0 }),
  })
  .map(({ ofOne, one, share, isWeb, second }) => [
    ...(ofOne.length > 0 ? [reservation('one', ofOne, ({ name }) => name === one)] : []),
    ...(share ? [reservation('share', [], ({ labels }) => isWeb === (labels?.['tier'] === 'web'), share)] : []),
    ...(second ? [reservation('second', [], ({ namespace }) => namespace === 'prod', second)] : []),
  ]);

const someQuotas: fc.Arbitrary<readonly Quota[]> = fc
  .record({
    perNamespace: fc.constantFrom<Quota['limits']>(
      [],
      [],
      [{ ipv4: 2 }],
      [{ pool: 'a', ipv4: 1, ipv6: 1 }, { ipv6: 2 }],
    ),
    ofSelection: fc.constantFrom<Quota['limits']>([], [], [], [{ ipv4: 1 }], [{ pool: 'b', ipv4: 0 }]),
  })
  .map(({ perNamespace, ofSelection }) => [
    quota('namespaces', { limits: perNamespace }),
    quota('web', { per: 'Selection', limits: ofSelection, includes: ({ labels }) => labels?.['tier'] === 'web' }),
  ]);

export const someRules: fc.Arbitrary<Rules> = fc.record({
  pools: someExtendedPools,
  reservations: someReservations,
  quotas: someQuotas,
});

const someReason = fc.constantFrom<Withholding['reason']>(
  'CoolingDown',
  'CoolingDown',
  'AddressConflicts',
  'AddressInUse',
);
const somePoolKey = fc.constantFrom('a', 'b').map((name) => `herald-system/${name}`);

export const someEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: someFullRequest.map((request) => ({ kind: 'Upsert' as const, request })) },
  { weight: 4, arbitrary: someService.map((key) => ({ kind: 'Remove' as const, key })) },
  { weight: 1, arbitrary: someRules.map((rules) => ({ kind: 'SetConfig' as const, rules })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('Withhold' as const),
      address: anyAddress,
      why: fc
        .constantFrom('AddressConflicts' as const, 'AddressInUse' as const)
        .map((reason) => ({ reason, message: `${reason}.` })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('Restore' as const), address: anyAddress, reason: someReason }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('Grant' as const),
      pool: somePoolKey,
      key: someService,
      addresses: fc.uniqueArray(anyAddress, { maxLength: 2, selector: ({ family }) => family }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('Refuse' as const), pool: somePoolKey, key: someService }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'Retry' as const }) },
);
