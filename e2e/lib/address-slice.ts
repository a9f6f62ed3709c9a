/** Cuts the lab's free addresses into slices, so that no two scenarios ever use the same address. */

import { formatIp } from '../../operator/net/address.ts';
import { parseRange, sizeOf } from '../../operator/net/range.ts';

/** How many addresses of each family a scenario may use. */
export const SLICE_SIZE = 8;

/** The addresses of slice `index`, as `first-last` and one by one. */
export interface Slice {
  readonly range: string;
  readonly addresses: readonly string[];
}

/**
 * Slice number `index` of a free range.
 * @throws an Error when the range is too small for that many scenarios
 */
export function sliceOf(freeRange: string, index: number, size: number = SLICE_SIZE): Slice {
  const free = parseRange(freeRange);
  if (typeof free === 'string') throw new Error(`the lab's free range ${freeRange}: ${free}`);
  const from = BigInt(index * size);
  if (from + BigInt(size) > sizeOf(free)) throw new Error(`${freeRange} has no slice ${index} of ${size} addresses`);
  const addresses = Array.from({ length: size }, (_, offset) =>
    formatIp({ family: free.first.family, value: free.first.value + from + BigInt(offset) }),
  );
  return { range: `${addresses[0]}-${addresses.at(-1)}`, addresses };
}
