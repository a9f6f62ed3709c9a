/** A part of a live pool whose addresses are for the same Services: what a reservation keeps, or all the rest. */

import { isBuggy, type Pool } from '../config/pool.ts';
import { capacityOf } from '../config/pool-capacity.ts';
import type { Reservation } from '../config/reservation.ts';
import { type AddressRange, sizeOf } from '../net/range.ts';
import type { Family } from './service-request.ts';
import { SortedList } from './sorted-list.ts';

/** What one may ask about an address without knowing who has it. */
export interface Occupation {
  isTaken(family: Family, value: bigint): boolean;
  /** When the address was let go of, for pools that prefer the one unused for longest. */
  turnOf(family: Family, value: bigint): number | undefined;
}

/** An address that was let go of in a pool that prefers the one unused for longest. */
interface Aged {
  readonly turn: number;
  readonly value: bigint;
}

/** The free part of a range: what was given back below `next`, and from `next` on whatever is not taken. */
interface FreeRange {
  readonly range: AddressRange;
  next: bigint;
  readonly returned: SortedList<bigint>;
}

const byValue = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const byTurn = (a: Aged, b: Aged): number => a.turn - b.turn || byValue(a.value, b.value);

/** So many places are tried before the lowest free address is taken instead. */
const PROBES = 16;

export class Area {
  readonly pool: Pool;
  /** Whom the addresses are kept for; undefined: for nobody. */
  readonly reservation: Reservation | undefined;
  readonly #families: { readonly 4: readonly FreeRange[]; readonly 6: readonly FreeRange[] };
  readonly #sizes: { readonly 4: bigint; readonly 6: bigint };
  /** Filled where the pool prefers the address unused for longest: what has been used before. */
  readonly #aged = { 4: new SortedList(byTurn), 6: new SortedList(byTurn) };
  readonly #taken = { 4: 0, 6: 0 };
  readonly #occupation: Occupation;

  constructor(
    pool: Pool,
    ranges: readonly AddressRange[],
    occupation: Occupation,
    reservation: Reservation | undefined = undefined,
  ) {
    this.pool = pool;
    this.reservation = reservation;
    this.#occupation = occupation;
    const free = ranges.map((range) => ({ range, next: range.first.value, returned: new SortedList(byValue) }));
    const of = (family: Family): readonly FreeRange[] => free.filter(({ range }) => range.first.family === family);
    this.#families = { 4: of(4), 6: of(6) };
    const { ipv4, ipv6 } = capacityOf({ ranges, avoidBuggyIPs: pool.avoidBuggyIPs });
    this.#sizes = { 4: ipv4, 6: ipv6 };
  }

  get ranges(): readonly AddressRange[] {
    return [...this.#families[4], ...this.#families[6]].map(({ range }) => range);
  }

  /** How many addresses of the family nobody has and nothing withholds. */
  freeCount(family: Family): bigint {
    return this.#sizes[family] - BigInt(this.#taken[family]);
  }

  /** To be told of each address that begins to be taken. */
  took(family: Family, value: bigint): void {
    this.#taken[family] += 1;
    const part = this.#partOf(family, value);
    if (!part || value >= part.next) return;
    part.returned.remove(value);
    const turn = this.#occupation.turnOf(family, value);
    if (turn !== undefined) this.#aged[family].remove({ turn, value });
  }

  /** To be told of each address that is not taken any more. */
  gaveBack(family: Family, value: bigint): void {
    this.#taken[family] -= 1;
    this.#putBack(family, value);
  }

  /** To be told when a free address came to have been used `before`, or was forgotten to have been. */
  aged(family: Family, value: bigint, before: number | undefined): void {
    if (this.#occupation.isTaken(family, value)) return;
    if (before !== undefined) this.#aged[family].remove({ turn: before, value });
    this.#partOf(family, value)?.returned.remove(value);
    this.#putBack(family, value);
  }

  /** The lowest free address of the first range that has one; the one unused for longest where the pool says so. */
  firstFree(family: Family): bigint | undefined {
    for (const part of this.#families[family]) {
      const value = part.returned.first ?? this.#advance(part);
      if (value !== undefined) return value;
    }
    return this.#aged[family].first?.value;
  }

  /** A free address at one of the places that follow from the seed, a large random number; else the first free one. */
  freeNear(family: Family, seedOf: () => bigint): bigint | undefined {
    const parts = this.#families[family];
    const size = parts.reduce((sum, { range }) => sum + sizeOf(range), 0n);
    if (size === 0n || this.freeCount(family) === 0n) return undefined;
    const seed = seedOf();
    // Two independent halves, so that Services that meet at one place part at the next.
    const [start, step] = [seed >> 64n, (seed & 0xffff_ffff_ffff_ffffn) | 1n];
    for (let probe = 0n; probe < PROBES; probe++) {
      const value = valueAt(parts, (start + probe * step) % size);
      if (!this.#isBuggy(family, value) && !this.#occupation.isTaken(family, value)) return value;
    }
    return this.firstFree(family);
  }

  #putBack(family: Family, value: bigint): void {
    const part = this.#partOf(family, value);
    if (!part || value >= part.next) return;
    const turn = this.#occupation.turnOf(family, value);
    if (turn === undefined) part.returned.add(value);
    else this.#aged[family].add({ turn, value });
  }

  /** Moves `next` to the first address from there on that is free and was never used. */
  #advance(part: FreeRange): bigint | undefined {
    const { family } = part.range.first;
    for (; part.next <= part.range.last.value; part.next++) {
      if (this.#occupation.isTaken(family, part.next) || this.#isBuggy(family, part.next)) continue;
      const turn = this.#occupation.turnOf(family, part.next);
      if (turn === undefined) return part.next;
      this.#aged[family].add({ turn, value: part.next });
    }
    return undefined;
  }

  #isBuggy(family: Family, value: bigint): boolean {
    return this.pool.avoidBuggyIPs && isBuggy({ family, value });
  }

  #partOf(family: Family, value: bigint): FreeRange | undefined {
    return this.#families[family].find(({ range }) => range.first.value <= value && value <= range.last.value);
  }
}

function valueAt(parts: readonly FreeRange[], place: bigint): bigint {
  let left = place;
  for (const { range } of parts) {
    if (left < sizeOf(range)) return range.first.value + left;
    left -= sizeOf(range);
  }
  throw new RangeError(`there is no place ${place}`);
}
