/** Counts distinct addresses: one that several Services share counts once. */

import type { IpAddress } from '../net/address.ts';
import type { Family } from './service-request.ts';

/** An upper bound per family; a family without a number has none. */
export interface CountLimit {
  /** Only addresses of the pool of this name count; undefined: of every pool. */
  readonly pool?: string | undefined;
  readonly ipv4?: number | undefined;
  readonly ipv6?: number | undefined;
}

export class DistinctCounter {
  readonly limit: CountLimit;
  /** By address, how many holders it has among those who are counted. */
  readonly #holders = { 4: new Map<bigint, number>(), 6: new Map<bigint, number>() };

  constructor(limit: CountLimit) {
    this.limit = limit;
  }

  counts(pool: string): boolean {
    return this.limit.pool === undefined || this.limit.pool === pool;
  }
  limitOf(family: Family): number | undefined {
    return family === 4 ? this.limit.ipv4 : this.limit.ipv6;
  }
  used(family: Family): number {
    return this.#holders[family].size;
  }
  has({ family, value }: IpAddress): boolean {
    return this.#holders[family].has(value);
  }
  isFull(family: Family): boolean {
    const limit = this.limitOf(family);
    return limit !== undefined && this.used(family) >= limit;
  }
  /** How many more it may come to; 0 without a limit. */
  unused(family: Family): number {
    return Math.max(0, (this.limitOf(family) ?? 0) - this.used(family));
  }

  add({ family, value }: IpAddress): void {
    const holders = this.#holders[family];
    holders.set(value, (holders.get(value) ?? 0) + 1);
  }
  remove({ family, value }: IpAddress): void {
    const holders = this.#holders[family];
    const left = (holders.get(value) ?? 0) - 1;
    if (left > 0) holders.set(value, left);
    else holders.delete(value);
  }
}
