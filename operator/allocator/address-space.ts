/** Who holds which address now, and the lowest free one of each pool, without walking over what is taken. */

import { isBuggy, type Pool } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import { type AddressRange, contains } from '../net/range.ts';
import type { Occupancy } from './choose.ts';
import type { Family } from './service-request.ts';
import { SortedList } from './sorted-list.ts';

/** The free part of a range: what was given back below `next`, and from `next` on whatever nobody holds. */
interface FreePart {
  next: bigint;
  readonly returned: SortedList<bigint>;
}

const byValue = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

export class AddressSpace implements Occupancy {
  readonly #pools: readonly Pool[];
  readonly #holders = { 4: new Map<bigint, string>(), 6: new Map<bigint, string>() };
  readonly #free = new Map<AddressRange, FreePart>();

  /** @param pools the live ones: remnants give nothing */
  constructor(pools: readonly Pool[]) {
    this.#pools = pools;
    for (const range of pools.flatMap(({ ranges }) => ranges))
      this.#free.set(range, { next: range.first.value, returned: new SortedList(byValue) });
  }

  holderOf({ family, value }: IpAddress): string | undefined {
    return this.#holders[family].get(value);
  }

  /** Gives `address` to `key`, whoever had it before. */
  claim(address: IpAddress, key: string): void {
    this.#holders[address.family].set(address.value, key);
    for (const pool of this.poolsWith(address)) this.#freePartOf(pool, address)?.returned.remove(address.value);
  }

  release(address: IpAddress): void {
    this.#holders[address.family].delete(address.value);
    for (const pool of this.poolsWith(address)) {
      const part = this.#freePartOf(pool, address);
      if (part && address.value < part.next && !(pool.avoidBuggyIPs && isBuggy(address)))
        part.returned.add(address.value);
    }
  }

  firstFree(pool: Pool, family: Family): IpAddress | undefined {
    for (const range of pool.ranges) {
      if (range.first.family !== family) continue;
      const value = this.#firstFreeIn(range, pool);
      if (value !== undefined) return { family, value };
    }
    return undefined;
  }

  /** The live pools in which the address lies. */
  poolsWith(address: IpAddress): readonly Pool[] {
    return this.#pools.filter(({ addresses }) => addresses.has(address));
  }

  #firstFreeIn(range: AddressRange, pool: Pool): bigint | undefined {
    const part = this.#free.get(range);
    if (!part) return undefined;
    if (part.returned.first !== undefined) return part.returned.first;
    const { family } = range.first;
    const holders = this.#holders[family];
    const isTaken = (value: bigint): boolean =>
      holders.has(value) || (pool.avoidBuggyIPs && isBuggy({ family, value }));
    while (part.next <= range.last.value && isTaken(part.next)) part.next++;
    return part.next <= range.last.value ? part.next : undefined;
  }

  #freePartOf(pool: Pool, address: IpAddress): FreePart | undefined {
    const range = pool.ranges.find((range) => contains(range, address));
    return range && this.#free.get(range);
  }
}
