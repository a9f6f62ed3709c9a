/** The allocator as a specification: one pure function of a snapshot. The one that runs must give the same. */

import { isBuggy, type Pool } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import type { AddressRange } from '../net/range.ts';
import { complete, type Holding, keepHeld, type Occupancy, takeFree } from './choose.ts';
import type { Decision } from './decision.ts';
import { PoolTable } from './pool-table.ts';
import { byAgeThenKey, type Family, type ServiceRequest } from './service-request.ts';
import { decisionOf } from './wording.ts';

export interface Snapshot {
  readonly pools: readonly Pool[];
  readonly services: readonly ServiceRequest[];
}

/**
 * Decides the addresses of every Service from one snapshot of the cluster.
 *
 * Pure: the same snapshot gives the same plan, in whatever order its lists come.
 * Sticky: a Service keeps the addresses it holds for as long as some pool permits them; of two that hold one address
 * the older keeps it.
 */
export function allocate(snapshot: Snapshot): ReadonlyMap<string, Decision> {
  const pools = new PoolTable(snapshot.pools);
  const oldestFirst = snapshot.services.toSorted(byAgeThenKey);
  const ledger = new Ledger();
  const holdings = holdingsOf(oldestFirst, pools, ledger);
  // Worded at the end, so that a refusal speaks of the state in which it stands.
  return new Map(
    oldestFirst.map((service) => [service.key, decisionOf(service, holdings.get(service.key), pools, ledger)]),
  );
}

/**
 * What everybody has in the end. Two passes, so that a free address is never one that a younger Service holds; what
 * others than we answer for comes after what Services of ours hold, and before what is given.
 */
export function holdingsOf(
  oldestFirst: readonly ServiceRequest[],
  pools: PoolTable,
  ledger = new Ledger(),
): ReadonlyMap<string, Holding> {
  const holdings = new Map<string, Holding>();
  const give = (service: ServiceRequest, holding: Holding | undefined): void => {
    if (!holding) return;
    for (const address of holding.addresses) ledger.claim(address, service.key);
    holdings.set(service.key, holding);
  };
  const [ours, foreign] = [false, true].map((is) => oldestFirst.filter(({ isForeign = false }) => isForeign === is));
  for (const service of [...(ours ?? []), ...(foreign ?? [])]) give(service, keepHeld(service, pools, ledger));
  for (const service of oldestFirst) {
    const kept = holdings.get(service.key);
    give(service, kept ? complete(service, kept, ledger) : takeFree(service, pools, ledger));
  }
  return holdings;
}

/** What this run has given out. Claims only grow, so each range is walked once however many Services ask. */
class Ledger implements Occupancy {
  readonly #holders = { 4: new Map<bigint, string>(), 6: new Map<bigint, string>() };
  readonly #cursors = new Map<AddressRange, bigint>();

  claim({ family, value }: IpAddress, key: string): void {
    this.#holders[family].set(value, key);
  }

  holderOf({ family, value }: IpAddress): string | undefined {
    return this.#holders[family].get(value);
  }

  firstFree(pool: Pool, family: Family): IpAddress | undefined {
    for (const range of pool.ranges) {
      if (range.first.family !== family) continue;
      let value = this.#cursors.get(range) ?? range.first.value;
      while (value <= range.last.value && !this.#isFree(pool, { family, value })) value++;
      this.#cursors.set(range, value);
      if (value <= range.last.value) return { family, value };
    }
    return undefined;
  }

  #isFree(pool: Pool, address: IpAddress): boolean {
    return this.holderOf(address) === undefined && !(pool.avoidBuggyIPs && isBuggy(address));
  }
}
