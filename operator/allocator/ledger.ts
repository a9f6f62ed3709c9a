/** The books: who has what, and all counts that follow from it. Both allocators decide upon them. */

import type { Pool } from '../config/pool.ts';
import { type SharingTerms, sharingConflict } from '../config/sharing.ts';
import type { IpAddress } from '../net/address.ts';
import { AddressSpace } from './address-space.ts';
import type { Area } from './area.ts';
import { type Circumstances, type ClaimAnswer, claimKey, type Withholding } from './circumstances.ts';
import { DistinctCounter } from './distinct-counter.ts';
import { type Holder, type Holding, isSameAddress } from './holding.ts';
import { PoolTable } from './pool-table.ts';
import type { Family, ServiceRequest } from './service-request.ts';
import { groupKeyOf, SharingGroup } from './sharing-group.ts';
import { type ShareCounter, type Standing, Standings } from './standing.ts';
import { Touches } from './touches.ts';

export const poolKey = ({ namespace, name }: Pool): string => `${namespace}/${name}`;

/** Nobody shares with a Service that others answer for. */
export const termsOf = ({ key, namespace, sharingKey, ports, backend, isForeign }: ServiceRequest): SharingTerms => ({
  key,
  namespace,
  sharingKey: isForeign ? '' : (sharingKey ?? ''),
  ports: ports ?? [],
  backend: backend ?? '',
});

export class Ledger {
  readonly pools: PoolTable;
  readonly space: AddressSpace;
  readonly standings: Standings;
  /** What external sources answered, by claimKey. */
  readonly claims: Map<string, ClaimAnswer>;
  readonly #groups = new Map<Area, Map<string, SharingGroup>>();
  readonly #use = new Map<string, DistinctCounter>();
  /** Whether a pool has an external source. */
  readonly hasSources: boolean;
  #touches = new Touches();

  constructor(pools: readonly Pool[], circumstances: Circumstances) {
    const { claims } = circumstances;
    // Sorted, so that nothing depends on the order of lists.
    const reservations = circumstances.reservations.toSorted(byKey);
    const quotas = circumstances.quotas.toSorted(byKey);
    this.pools = new PoolTable(pools);
    this.hasSources = this.pools.live.some(({ source }) => source);
    this.space = new AddressSpace(this.pools.live, reservations, circumstances);
    this.standings = new Standings({ pools: this.pools, space: this.space, reservations, quotas });
    this.claims = new Map(claims.map(({ pool, service, answer }) => [claimKey(pool, service), answer]));
  }

  /** What is to be remembered when the configuration becomes another one. */
  get memory(): Pick<Circumstances, 'withheld' | 'released' | 'claims'> {
    const claims = [...this.claims].map(([key, answer]) => {
      const [pool = '', service = ''] = key.split(' ');
      return { pool, service, answer };
    });
    return { ...this.space.memory, claims };
  }

  standingOf(request: ServiceRequest): Standing {
    return this.standings.of(request);
  }

  /** Everything that is reserved of the pool as a share. */
  sharesOf({ name }: Pool): readonly ShareCounter[] {
    return this.standings.shares.get(name) ?? [];
  }

  /** Whether more is free than all reserved shares of the pool still want: then they keep nobody from anything. */
  hasPlenty(open: Area, family: Family): boolean {
    const wanted = this.sharesOf(open.pool).reduce((sum, { counter }) => sum + counter.unused(family), 0);
    return open.freeCount(family) > wanted;
  }

  /** What Services hold of a pool. */
  useOf(pool: string): { readonly ipv4: number; readonly ipv6: number } {
    const use = this.#use.get(pool);
    return { ipv4: use?.used(4) ?? 0, ipv6: use?.used(6) ?? 0 };
  }
  get poolsInUse(): Iterable<string> {
    return this.#use.keys();
  }

  /** The addresses of the area that are held under the sharing key of the request. */
  groupOf(area: Area, request: ServiceRequest): SharingGroup | undefined {
    if (!request.sharingKey || request.isForeign) return undefined;
    return this.#groups.get(area)?.get(groupKeyOf(termsOf(request), area.pool));
  }

  /** Who stands in the way of giving the address to the request; itself never does. */
  obstructorsOf(address: IpAddress, request: ServiceRequest, pool: Pool): readonly Holder[] {
    if (!this.space.isHeld(address)) return [];
    const terms = termsOf(request);
    return [...this.space.holdersOf(address)].filter(
      (holder) =>
        holder.request.key !== request.key && sharingConflict(terms, termsOf(holder.request), pool) !== undefined,
    );
  }

  /** What was touched since it was taken last. */
  get touches(): Touches {
    return this.#touches;
  }
  /** What was touched since it was taken last; from here on it is noted anew. */
  takeTouches(): Touches {
    const touches = this.#touches;
    this.#touches = new Touches();
    return touches;
  }

  withhold(address: IpAddress, why: Withholding): void {
    this.#touch(address);
    this.space.withhold(address, why);
  }
  restore(address: IpAddress): void {
    this.#touch(address);
    this.space.restore(address);
  }

  /**
   * Moves the books from what the holder has to `next`. Before its request changes it must have nothing, because what
   * is counted depends on the request.
   */
  hold(holder: Holder, next: Holding | undefined): void {
    const before = holder.holding;
    for (const [address, pool] of beyond(before, next)) this.#release(address, pool, holder);
    for (const [address, pool] of beyond(next, before)) this.#claim(address, pool, holder);
    if (next) holder.holding = next;
    else delete holder.holding;
  }

  #claim(address: IpAddress, pool: Pool, holder: Holder): void {
    const { request } = holder;
    this.#touch(address);
    this.space.add(address, holder);
    for (const counter of this.#countersOf(address.family, pool, request)) counter.add(address);
    const area = this.space.areaOf(address);
    if (!area || !request.sharingKey || request.isForeign) return;
    this.#touches.sharingKeys.add(request.sharingKey);
    const groups = this.#groups.get(area) ?? new Map<string, SharingGroup>();
    this.#groups.set(area, groups);
    const key = groupKeyOf(termsOf(request), area.pool);
    const group = groups.get(key) ?? new SharingGroup();
    groups.set(key, group);
    group.of(address.family).add(address.value, termsOf(request));
  }

  #release(address: IpAddress, pool: Pool, holder: Holder): void {
    const { request } = holder;
    this.#touch(address);
    this.space.remove(address, holder);
    for (const counter of this.#countersOf(address.family, pool, request)) counter.remove(address);
    const area = this.space.areaOf(address);
    if (!area || !request.sharingKey || request.isForeign) return;
    this.#touches.sharingKeys.add(request.sharingKey);
    const key = groupKeyOf(termsOf(request), area.pool);
    const group = this.#groups.get(area)?.get(key);
    group?.of(address.family).remove(address.value, termsOf(request));
    if (group?.isEmpty) this.#groups.get(area)?.delete(key);
  }

  /** The counters that count addresses of the pool for the request; they count as touched. */
  #countersOf(family: Family, pool: Pool, request: ServiceRequest): readonly DistinctCounter[] {
    const key = poolKey(pool);
    const use = this.#use.get(key) ?? new DistinctCounter({});
    this.#use.set(key, use);
    this.#touches.pools.add(key);
    if (request.isForeign) return [use];
    const { quotas, shares } = this.standingOf(request);
    if (quotas.length === 0 && shares.length === 0) return [use];
    const limiting = [...quotas, ...shares].map(({ counter }) => counter).filter((one) => one.counts(pool.name));
    for (const counter of limiting) this.#touches.counter(counter, family);
    return [use, ...limiting];
  }

  #touch(address: IpAddress): void {
    this.#touches.addresses.push(address);
    const area = this.space.areaOf(address);
    if (!area) return;
    const { family } = address;
    this.#touches.room(area, family);
    if (this.sharesOf(area.pool).length === 0) return;
    const open = this.space.areasOf(area.pool)?.open;
    if (open) this.#touches.plenty(open, family, () => this.hasPlenty(open, family));
  }
}

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : 1);

/** What is in `holding` and not in `other`, with the pools. */
function beyond(holding: Holding | undefined, other: Holding | undefined): readonly (readonly [IpAddress, Pool])[] {
  return (holding?.parts ?? []).flatMap(({ pool, addresses }) =>
    addresses.filter((address) => !has(other, pool, address)).map((address) => [address, pool] as const),
  );
}

const has = (holding: Holding | undefined, pool: Pool, address: IpAddress): boolean =>
  holding?.parts.some((part) => part.pool === pool && part.addresses.some((one) => isSameAddress(one, address))) ??
  false;
