/** Random histories of all that allocation knows, and the specification applied after each event. */

import fc from 'fast-check';
import { oldestFirst, settle } from '../operator/allocator/allocate.ts';
import { NO_CIRCUMSTANCES, type Withholding } from '../operator/allocator/circumstances.ts';
import type { Decision } from '../operator/allocator/decision.ts';
import { addressesOf, isSameAddress } from '../operator/allocator/holding.ts';
import type { IncrementalAllocator } from '../operator/allocator/incremental-allocator.ts';
import { Ledger } from '../operator/allocator/ledger.ts';
import type { Departure } from '../operator/allocator/rest.ts';
import type { ServiceRequest } from '../operator/allocator/service-request.ts';
import type { AllocationChange } from '../operator/allocator/turn.ts';
import { decisionOf } from '../operator/allocator/wording.ts';
import type { Pool } from '../operator/config/pool.ts';
import type { Quota } from '../operator/config/quota.ts';
import { RangeSet } from '../operator/config/range-set.ts';
import type { Reservation } from '../operator/config/reservation.ts';
import { formatIp, type IpAddress } from '../operator/net/address.ts';
import { type AddressRange, parseAddressOrRange } from '../operator/net/range.ts';
import { someAddress, somePools, someRequest } from './allocation.ts';

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

/** Beside what MetalLB knows: sharing, and several pools. */
export const someFullRequest: fc.Arbitrary<ServiceRequest> = fc
  .record({
    request: someRequest,
    sharingKey: fc.constantFrom(undefined, 'k', 'k', 'j'),
    ports: fc.subarray(['TCP/80', 'TCP/443', 'UDP/53']),
    backend: fc.constantFrom('', '', '{"app":"x"}'),
    requestedPools: fc.constantFrom(undefined, undefined, undefined, ['a', 'b'], ['c', 'a'], ['b', 'nowhere']),
  })
  .map(({ request, sharingKey, ports, backend, requestedPools }) => {
    const isFree = !request.requestedPool && !request.requestedAddresses;
    return {
      ...request,
      ...(sharingKey && { sharingKey }),
      ports,
      backend,
      ...(requestedPools && isFree && { requestedPools }),
    };
  });

const someExtendedPools: fc.Arbitrary<readonly Pool[]> = fc
  .tuple(
    somePools,
    fc.record({
      isDraining: fc.constantFrom('', '', '', 'a', 'b'),
      coolDown: fc.subarray(['a', 'b', 'c']),
      spreadBy: fc.constantFrom<Pool['spreadBy']>('none', 'none', 'random', 'hash', 'leastRecentlyUsed'),
      acrossNamespaces: fc.subarray(['a', 'b', 'c']),
      source: fc.constantFrom('', '', 'a', 'b'),
    }),
  )
  .map(([pools, { isDraining, coolDown, spreadBy, acrossNamespaces, source }]) =>
    pools.map((pool) => ({
      ...pool,
      isDraining: pool.name === isDraining,
      coolDownMs: coolDown.includes(pool.name) ? 30_000 : 0,
      spreadBy,
      sharesAcrossNamespaces: acrossNamespaces.includes(pool.name),
      ...(pool.name === source && { source: { http: { url: 'http://192.0.2.200' } } }),
    })),
  );

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
    ofSelection: fc.constantFrom<Quota['limits']>([], [], [{ ipv4: 1 }], [{ pool: 'b', ipv4: 0 }]),
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

/** The specification: after each event everybody is decided about from scratch; what was decided is held next. */
export class Model {
  rules: Rules = { pools: [], reservations: [], quotas: [] };
  ledger = new Ledger([], NO_CIRCUMSTANCES);
  readonly requests = new Map<string, ServiceRequest>();
  plan: ReadonlyMap<string, Decision> = new Map();
  #turn = 0;

  apply(event: Event): void {
    if (event.kind === 'Grant') {
      this.#grant(event);
      return;
    }
    const departed: Departure[] = [];
    if (event.kind === 'SetConfig') this.rules = event.rules;
    else if (event.kind === 'Remove') this.#remove(event.key, departed);
    else if (event.kind === 'Upsert') this.#upsert(event.request, departed);
    this.#decide(this.#memoryAfter(event), departed);
  }

  #memoryAfter(event: Event): Ledger['memory'] {
    const { claims, ...memory } = this.ledger.memory;
    const { space } = new Ledger([], { ...NO_CIRCUMSTANCES, ...memory });
    if (event.kind === 'Withhold') space.withhold(event.address, event.why);
    const isMeant = event.kind === 'Restore' && space.withholdingOf(event.address)?.reason === event.reason;
    if (event.kind === 'Restore' && isMeant) space.restore(event.address);
    return { ...space.memory, claims: this.#claimsAfter(event, claims) };
  }

  #claimsAfter(event: Event, claims: Ledger['memory']['claims']): Ledger['memory']['claims'] {
    if (event.kind === 'Retry') return [];
    if (event.kind === 'Remove') return claims.filter(({ service }) => service !== event.key);
    if (event.kind !== 'Refuse' || !this.#maySay(event.pool, event.key)) return claims;
    const { pool, key: service } = event;
    const others = claims.filter((claim) => claim.pool !== pool || claim.service !== service);
    return [...others, { pool, service, answer: { refusal: 'It has none.' } }];
  }

  #maySay(pool: string, service: string): boolean {
    const isSource = ({ namespace, name, source, isRemnant }: Pool): boolean =>
      source !== undefined && !isRemnant && `${namespace}/${name}` === pool;
    return this.requests.has(service) && this.rules.pools.some(isSource);
  }

  #remove(key: string, departed: Departure[]): void {
    const known = this.requests.get(key);
    if (known && !known.isForeign) departed.push(...known.held.map((address) => ({ address, service: key })));
    this.requests.delete(key);
  }

  #upsert(request: ServiceRequest, departed: Departure[]): void {
    const known = this.requests.get(request.key);
    const isKept = known && !known.isForeign && !request.isForeign;
    if (known && !isKept && !known.isForeign)
      departed.push(...known.held.map((address) => ({ address, service: request.key })));
    this.requests.set(request.key, isKept ? { ...request, held: known.held, yields: true } : request);
  }

  #grant({ pool, key, addresses }: Event & { kind: 'Grant' }): void {
    const { claims, ...memory } = this.ledger.memory;
    if (!this.#maySay(pool, key)) return;
    const before = this.#heldBy(key).length;
    const others = claims.filter((claim) => claim.pool !== pool || claim.service !== key);
    this.#decide({ ...memory, claims: [...others, { pool, service: key, answer: { addresses } }] }, []);
    const has = this.#heldBy(key);
    const isOfUse = has.length > before || addresses.some((one) => has.some((held) => isSameAddress(one, held)));
    const texts = addresses.map(formatIp).join(' and ');
    const refusal = `The source gave ${texts || 'nothing'}, which the Service cannot have.`;
    const answered = !isOfUse ? [...others, { pool, service: key, answer: { refusal } }] : others;
    this.#decide({ ...this.ledger.memory, claims: answered }, []);
  }

  #heldBy(key: string): readonly IpAddress[] {
    const decision = this.plan.get(key);
    return decision?.outcome === 'Assigned' ? decision.addresses : [];
  }

  #decide(memory: Ledger['memory'], departed: readonly Departure[]): void {
    const { pools, reservations, quotas } = this.rules;
    this.#turn += 1;
    this.ledger = new Ledger(pools, { reservations, quotas, ...memory });
    const holders = oldestFirst([...this.requests.values()]);
    settle(holders, this.ledger, departed, this.#turn);
    this.plan = new Map(
      holders.map(({ request, holding }) => [request.key, decisionOf(request, holding, this.ledger)]),
    );
    for (const { request, holding } of holders)
      if (!request.isForeign) this.requests.set(request.key, { ...request, held: addressesOf(holding), yields: false });
  }
}

export function applyTo(allocator: IncrementalAllocator, event: Event): AllocationChange {
  switch (event.kind) {
    case 'Upsert':
      return allocator.upsert(event.request);
    case 'Remove':
      return allocator.remove(event.key);
    case 'SetConfig':
      return allocator.setConfig(event.rules.pools, event.rules.reservations, event.rules.quotas);
    case 'Withhold':
      return allocator.withhold(event.address, event.why);
    case 'Restore':
      return allocator.restore(event.address, event.reason);
    case 'Grant':
      return allocator.grant(event.pool, event.key, event.addresses);
    case 'Refuse':
      return allocator.refuse(event.pool, event.key, 'It has none.');
    case 'Retry':
      return allocator.retry();
  }
}
