/** Services that lack an address, filed by what they wait for, so that an address that becomes free asks only those. */

import type { Pool } from '../config/pool.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import { type Holding, missingFamilies, poolsOfInterest } from './choose.ts';
import type { PoolTable } from './pool-table.ts';
import { byAgeThenKey, type ServiceRequest } from './service-request.ts';
import { mergeSorted, SortedList } from './sorted-list.ts';

/** One Service and what it has so far. */
export interface Waiting {
  request: ServiceRequest;
  holding?: Holding;
}

const byAge = (a: Waiting, b: Waiting): number => byAgeThenKey(a.request, b.request);

export class Waiters {
  readonly #pools: PoolTable;
  readonly #byPool = new Map<Pool, SortedList<Waiting>>();
  readonly #byAddress = new Map<string, Set<Waiting>>();
  /** Where each is filed, to find it again. */
  readonly #filed = new Map<Waiting, { readonly pools: readonly Pool[]; readonly addresses: readonly string[] }>();

  constructor(pools: PoolTable) {
    this.#pools = pools;
  }

  /** Files the entry under everything that may help it; one that lacks nothing is not filed. */
  add(entry: Waiting): void {
    const { request, holding } = entry;
    if (request.problem || (holding && missingFamilies(request, holding).length === 0)) return;
    if (request.requestedAddresses) {
      const addresses = request.requestedAddresses.map(formatIp);
      for (const address of addresses)
        this.#byAddress.set(address, (this.#byAddress.get(address) ?? new Set()).add(entry));
      this.#filed.set(entry, { pools: [], addresses });
      return;
    }
    const pools = holding ? [holding.pool] : poolsOfInterest(request, this.#pools);
    for (const pool of pools) this.#listOf(pool).add(entry);
    this.#filed.set(entry, { pools, addresses: [] });
  }

  /** To be called before the request of a filed entry changes. */
  remove(entry: Waiting): void {
    const filed = this.#filed.get(entry);
    if (!filed) return;
    this.#filed.delete(entry);
    for (const pool of filed.pools) this.#byPool.get(pool)?.remove(entry);
    for (const address of filed.addresses) {
      const waiting = this.#byAddress.get(address);
      waiting?.delete(entry);
      if (waiting?.size === 0) this.#byAddress.delete(address);
    }
  }

  /** Those who ask for this very address. */
  forAddress(address: IpAddress): readonly Waiting[] {
    if (this.#byAddress.size === 0) return [];
    return [...(this.#byAddress.get(formatIp(address)) ?? [])];
  }

  /** `entries` and all who wait for one of `pools`, oldest first, each once. The files must not change meanwhile. */
  inOrder(entries: readonly Waiting[], pools: Iterable<Pool>): Iterable<Waiting> {
    const lists = [...pools].map((pool) => this.#byPool.get(pool)?.items ?? []);
    return mergeSorted([entries.toSorted(byAge), ...lists], byAge);
  }

  #listOf(pool: Pool): SortedList<Waiting> {
    const known = this.#byPool.get(pool);
    if (known) return known;
    const list = new SortedList(byAge);
    this.#byPool.set(pool, list);
    return list;
  }
}
