/** The addresses of a pool as one set: looks an address up in logarithmic time, and counts. */

import type { IpAddress } from '../net/address.ts';
import { type AddressRange, contains, overlaps } from '../net/range.ts';

/** Ranges that do not overlap each other. */
export class RangeSet {
  readonly #sorted: { readonly 4: readonly AddressRange[]; readonly 6: readonly AddressRange[] };

  constructor(ranges: readonly AddressRange[]) {
    this.#sorted = { 4: sortedOf(ranges, 4), 6: sortedOf(ranges, 6) };
  }

  has(address: IpAddress): boolean {
    const candidate = this.#lastStartingBy(address);
    return candidate !== undefined && contains(candidate, address);
  }

  hasFamily(family: 4 | 6): boolean {
    return this.#sorted[family].length > 0;
  }

  /** A pair of ranges, ours first, that have an address in common; undefined where there is none. */
  overlapWith(other: RangeSet): readonly [AddressRange, AddressRange] | undefined {
    for (const theirs of [...other.#sorted[4], ...other.#sorted[6]]) {
      const ours = this.#lastStartingBy(theirs.last);
      if (ours && overlaps(ours, theirs)) return [ours, theirs];
    }
    return undefined;
  }

  /** Among sorted ranges that do not overlap, only the last one that starts at or before `address` can hold it. */
  #lastStartingBy(address: IpAddress): AddressRange | undefined {
    const ranges = this.#sorted[address.family];
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = ranges[middle];
      if (range && range.first.value <= address.value) low = middle + 1;
      else high = middle;
    }
    return ranges[low - 1];
  }
}

/** Two of `ranges` that have an address in common; undefined where there is none. */
export function overlapWithin(ranges: readonly AddressRange[]): readonly [AddressRange, AddressRange] | undefined {
  for (const family of [4, 6] as const) {
    const sorted = sortedOf(ranges, family);
    for (const [at, range] of sorted.entries()) {
      const next = sorted[at + 1];
      if (next && overlaps(range, next)) return [range, next];
    }
  }
  return undefined;
}

/** The same addresses as ranges that do not overlap. */
export function merged(ranges: readonly AddressRange[]): readonly AddressRange[] {
  return ([4, 6] as const).flatMap((family) => {
    const result: AddressRange[] = [];
    for (const range of sortedOf(ranges, family)) {
      const last = result.at(-1);
      if (!last || !overlaps(last, range)) result.push(range);
      else if (range.last.value > last.last.value) result[result.length - 1] = { ...last, last: range.last };
    }
    return result;
  });
}

const sortedOf = (ranges: readonly AddressRange[], family: 4 | 6): readonly AddressRange[] =>
  ranges
    .filter(({ first }) => first.family === family)
    .toSorted((a, b) => (a.first.value < b.first.value ? -1 : a.first.value > b.first.value ? 1 : 0));
