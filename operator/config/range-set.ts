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
    return ranges[countStartingBy(ranges, address, (range) => range) - 1];
  }
}

/** Ranges that do not overlap each other, each with whom it belongs to; they come one after the other. */
export class OwnedRanges<Owner> {
  readonly #sorted: Readonly<Record<4 | 6, { readonly range: AddressRange; readonly owner: Owner }[]>> = {
    4: [],
    6: [],
  };

  /** Whom a range belongs to that has an address in common with `range`; undefined where there is none. */
  ownerOf(range: AddressRange): Owner | undefined {
    const entries = this.#sorted[range.first.family];
    const last = entries[this.#countStartingBy(range.last) - 1];
    return last && overlaps(last.range, range) ? last.owner : undefined;
  }

  /** @param range overlaps none that is there */
  add(range: AddressRange, owner: Owner): void {
    this.#sorted[range.first.family].splice(this.#countStartingBy(range.first), 0, { range, owner });
  }

  #countStartingBy(address: IpAddress): number {
    return countStartingBy(this.#sorted[address.family], address, ({ range }) => range);
  }
}

/** How many of `entries`, which ascend, start at or before `address`. */
function countStartingBy<T>(entries: readonly T[], { value }: IpAddress, rangeOf: (entry: T) => AddressRange): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && rangeOf(entry).first.value <= value) low = middle + 1;
    else high = middle;
  }
  return low;
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
