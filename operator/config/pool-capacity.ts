/** How many addresses a pool can give. */

import type { AddressRange } from '../net/range.ts';
import { sizeOf } from '../net/range.ts';
import type { Pool } from './pool.ts';

export interface Capacity {
  readonly ipv4: bigint;
  readonly ipv6: bigint;
}

/** Addresses per family, without those that avoidBuggyIPs leaves out. */
export function capacityOf({ ranges, avoidBuggyIPs }: Pick<Pool, 'ranges' | 'avoidBuggyIPs'>): Capacity {
  let ipv4 = 0n;
  let ipv6 = 0n;
  for (const range of ranges) {
    if (range.first.family === 6) ipv6 += sizeOf(range);
    else ipv4 += sizeOf(range) - (avoidBuggyIPs ? buggyIn(range) : 0n);
  }
  return { ipv4, ipv6 };
}

/** How many addresses of an IPv4 range end in .0 or .255. */
function buggyIn({ first, last }: AddressRange): bigint {
  const upTo = (end: bigint, octet: bigint): bigint => (end - octet + 256n) / 256n;
  const endingIn = (octet: bigint): bigint => upTo(last.value, octet) - upTo(first.value - 1n, octet);
  return endingIn(0n) + endingIn(255n);
}

/** The largest number of a JavaScript double that an int64 can hold: larger counts count as that. */
const MAX_COUNT = 2 ** 63 - 1024;

/** A count as a status can say it. */
export const countOf = (count: bigint): number => (count < 0n ? 0 : Math.min(Number(count), MAX_COUNT));
