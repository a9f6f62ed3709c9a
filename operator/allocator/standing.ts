/** What a Service may draw on: the pools that serve it, what is reserved for it, and the quotas that bind it. */

import { allowsNamespace, type Pool, permits, selectsService } from '../config/pool.ts';
import type { Quota } from '../config/quota.ts';
import type { Reservation } from '../config/reservation.ts';
import type { AddressSpace } from './address-space.ts';
import type { Area } from './area.ts';
import { DistinctCounter } from './distinct-counter.ts';
import type { PoolTable } from './pool-table.ts';
import type { ServiceRequest } from './service-request.ts';

/** A limit of a quota, counted for one namespace or for all together. */
export interface QuotaCounter {
  readonly quota: Quota;
  /** Empty where the quota counts all that it includes together. */
  readonly namespace: string;
  readonly counter: DistinctCounter;
}

/** A reserved share of a pool, and what its beneficiaries have of the pool. */
export interface ShareCounter {
  readonly reservation: Reservation;
  readonly counter: DistinctCounter;
}

export interface Standing {
  /** The same for Services that may draw on the same, and that the same pools refuse for the same reasons. */
  readonly id: number;
  /** The live pools that may give it an address that it does not name, in the order in which they are asked. */
  readonly pools: readonly Pool[];
  /** What is reserved for it in live pools that permit it. */
  readonly reserved: readonly Area[];
  readonly quotas: readonly QuotaCounter[];
  /** Shares that are reserved for it. */
  readonly shares: readonly ShareCounter[];
}

export interface StandingRules {
  readonly pools: PoolTable;
  readonly space: AddressSpace;
  readonly reservations: readonly Reservation[];
  readonly quotas: readonly Quota[];
}

/** A standing, and how many Services have it. */
interface Shared {
  readonly standing: Standing;
  readonly content: string;
  users: number;
}

export class Standings {
  /** By name of the pool: everything that is reserved of it as a share. */
  readonly shares: ReadonlyMap<string, readonly ShareCounter[]>;
  readonly #rules: StandingRules;
  /** By key of the Service, with the very request that it was found for. */
  readonly #byService = new Map<string, { readonly request: ServiceRequest; readonly shared: Shared }>();
  readonly #byContent = new Map<string, Shared>();
  readonly #quotaCounters = new Map<string, QuotaCounter>();
  /** Where a counter is filed, and how many standings are bound by it. */
  readonly #filed = new Map<QuotaCounter, { readonly id: string; users: number }>();
  #number = 0;

  constructor(rules: StandingRules) {
    this.#rules = rules;
    const counters = rules.reservations.flatMap((reservation) =>
      reservation.share ? [{ reservation, counter: new DistinctCounter(reservation.share) }] : [],
    );
    const byPool = new Map<string, ShareCounter[]>();
    for (const share of counters) {
      const pool = share.counter.limit.pool ?? '';
      byPool.set(pool, [...(byPool.get(pool) ?? []), share]);
    }
    this.shares = byPool;
  }

  get quotaCounters(): Iterable<QuotaCounter> {
    return this.#quotaCounters.values();
  }

  of(request: ServiceRequest): Standing {
    const known = this.#byService.get(request.key);
    if (known?.request === request) return known.shared.standing;
    const shared = this.#find(request);
    shared.users += 1;
    this.#byService.set(request.key, { request, shared });
    if (known) this.#leave(known.shared);
    return shared.standing;
  }

  /** The Service is gone. */
  forget(key: string): void {
    const known = this.#byService.get(key);
    this.#byService.delete(key);
    if (known) this.#leave(known.shared);
  }

  /** Namespaces come and go: what no Service draws on is not kept, and nothing is counted there. */
  #leave(left: Shared): void {
    left.users -= 1;
    if (left.users > 0) return;
    this.#byContent.delete(left.content);
    for (const counter of left.standing.quotas) {
      const filed = this.#filed.get(counter);
      if (!filed) continue;
      filed.users -= 1;
      if (filed.users > 0) continue;
      this.#filed.delete(counter);
      this.#quotaCounters.delete(filed.id);
    }
  }

  /** The standing of whoever is refused, reserved for and limited alike: most are like somebody before them. */
  #find(request: ServiceRequest): Shared {
    const { reservations, quotas } = this.#rules;
    const mine = reservations.length === 0 ? reservations : reservations.filter((one) => one.isFor(request));
    const binding = quotas.length === 0 ? quotas : quotas.filter((one) => one.includes(request));
    // Quoted, because a name in an annotation may be any text.
    const asked = request.requestedPools ?? request.requestedPool;
    const names = asked === undefined ? '' : JSON.stringify(asked);
    const ofNamespace = binding.some(({ per }) => per === 'Namespace') ? request.namespace : '';
    let content = `${this.#refusedBy(request)}|${names}|${ofNamespace}`;
    for (const { key } of mine) content += `|${key}`;
    for (const { key } of binding) content += `||${key}`;
    const known = this.#byContent.get(content);
    if (known) return known;
    const shared = { standing: this.#standingOf(request, mine, binding), content, users: 0 };
    this.#byContent.set(content, shared);
    return shared;
  }

  #standingOf(request: ServiceRequest, mine: readonly Reservation[], binding: readonly Quota[]): Standing {
    const { pools, space } = this.#rules;
    this.#number += 1;
    return {
      id: this.#number,
      pools: poolsOfInterest(request, pools).filter((pool) => space.areasOf(pool)),
      reserved: mine.length === 0 ? [] : this.#reservedFor(request, new Set(mine)),
      quotas: binding.flatMap((quota) => quota.limits.map((_, at) => this.#quotaCounter(quota, at, request))),
      shares: [...this.shares.values()].flat().filter(({ reservation }) => mine.includes(reservation)),
    };
  }

  #reservedFor(request: ServiceRequest, mine: ReadonlySet<Reservation>): readonly Area[] {
    const { pools, space } = this.#rules;
    return pools.live
      .filter((pool) => isAskedFor(request, pool) && permits(pool, request))
      .flatMap((pool) => space.areasOf(pool)?.reserved ?? [])
      .filter(({ reservation }) => reservation && mine.has(reservation));
  }

  #quotaCounter(quota: Quota, at: number, request: ServiceRequest): QuotaCounter {
    const namespace = quota.per === 'Namespace' ? request.namespace : '';
    const id = [quota.key, at, namespace].join(' ');
    const limit = quota.limits[at] ?? {};
    const counter = this.#quotaCounters.get(id) ?? { quota, namespace, counter: new DistinctCounter(limit) };
    this.#quotaCounters.set(id, counter);
    this.#filed.set(counter, { id, users: (this.#filed.get(counter)?.users ?? 0) + 1 });
    return counter;
  }

  /** A letter per live pool. */
  #refusedBy(request: ServiceRequest): string {
    let letters = '';
    for (const pool of this.#rules.pools.live)
      letters += allowsNamespace(pool, request) ? (selectsService(pool, request) ? ' ' : 'S') : 'N';
    return letters;
  }
}

/** The live pools that may give this Service an address that it does not name. */
function poolsOfInterest(request: ServiceRequest, pools: PoolTable): readonly Pool[] {
  const { requestedPool, requestedPools } = request;
  const names = requestedPools ?? (requestedPool === undefined ? undefined : [requestedPool]);
  const named = names?.flatMap((name) => pools.named(name) ?? []).filter(({ isRemnant }) => !isRemnant);
  return (named ?? pools.automatic).filter((pool) => permits(pool, request));
}

/** Whether the Service leaves it open from which pool its addresses are, or names this one. */
export const isAskedFor = ({ requestedPool, requestedPools }: ServiceRequest, { name }: Pool): boolean =>
  requestedPools ? requestedPools.includes(name) : requestedPool === undefined || requestedPool === name;
