/** Who has which address, which are withheld, and the areas of the live pools in which they lie. */

import { holds, type Pool } from '../config/pool.ts';
import type { Reservation } from '../config/reservation.ts';
import type { IpAddress } from '../net/address.ts';
import { overlaps, without } from '../net/range.ts';
import { Area, type Occupation } from './area.ts';
import type { Circumstances, Withholding } from './circumstances.ts';
import type { Holder } from './holding.ts';
import type { Family } from './service-request.ts';

/** Of more addresses per family it is forgotten when they were let go of: an IPv6 pool never runs out of unused ones. */
const MOST_TURNS = 65_536;

/** A stretch of addresses of one area. */
interface Stretch {
  readonly first: bigint;
  readonly last: bigint;
  readonly area: Area;
}

/** The areas of one pool. */
export interface PoolAreas {
  /** What nobody has reserved. */
  readonly open: Area;
  readonly reserved: readonly Area[];
}

export class AddressSpace implements Occupation {
  /** A set only where several share, because most addresses have one holder. */
  readonly #holders = { 4: new Map<bigint, Holder | Set<Holder>>(), 6: new Map<bigint, Holder | Set<Holder>>() };
  readonly #withheld = { 4: new Map<bigint, Withholding>(), 6: new Map<bigint, Withholding>() };
  readonly #turns = { 4: new Map<bigint, number>(), 6: new Map<bigint, number>() };
  readonly #areas = new Map<Pool, PoolAreas>();
  readonly #stretches: { readonly 4: Stretch[]; readonly 6: Stretch[] } = { 4: [], 6: [] };
  /** What somebody has of the areas that are kept for some. */
  readonly #heldOfReserved = new Map<Area, Map<string, IpAddress>>();
  /** Of addresses that rest: whose they were. */
  readonly #restingOf = new Map<string, IpAddress[]>();

  /** @param pools the live ones, of which no two have an address in common: remnants give nothing */
  constructor(pools: readonly Pool[], reservations: readonly Reservation[], start: Partial<Circumstances> = {}) {
    for (const pool of pools) this.#areas.set(pool, this.#divide(pool, reservations));
    for (const stretches of [this.#stretches[4], this.#stretches[6]])
      stretches.sort((a, b) => (a.first < b.first ? -1 : 1));
    for (const { address, turn } of start.released ?? []) this.setTurn(address, turn);
    for (const { address, ...why } of start.withheld ?? []) this.withhold(address, why);
  }

  areasOf(pool: Pool): PoolAreas | undefined {
    return this.#areas.get(pool);
  }

  /** The area of a live pool that may give the address. */
  areaOf(address: IpAddress): Area | undefined {
    const stretches = this.#stretches[address.family];
    let low = 0;
    let high = stretches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const stretch = stretches[middle];
      if (stretch && stretch.first <= address.value) low = middle + 1;
      else high = middle;
    }
    const found = stretches[low - 1];
    return found && address.value <= found.last && holds(found.area.pool, address) ? found.area : undefined;
  }

  /** Whoever has the address, in no particular order. */
  holdersOf({ family, value }: IpAddress): Iterable<Holder> {
    const found = this.#holders[family].get(value);
    return found === undefined ? NOBODY : found instanceof Set ? found : [found];
  }
  isHeld({ family, value }: IpAddress): boolean {
    return this.#holders[family].has(value);
  }
  withholdingOf({ family, value }: IpAddress): Withholding | undefined {
    return this.#withheld[family].get(value);
  }
  isTaken(family: Family, value: bigint): boolean {
    return this.#holders[family].has(value) || this.#withheld[family].has(value);
  }
  turnOf(family: Family, value: bigint): number | undefined {
    return this.#turns[family].get(value);
  }

  /** Everything that is withheld, and what was let go of when, to start anew from. */
  get memory(): Pick<Circumstances, 'withheld' | 'released'> {
    return {
      withheld: entriesOf(this.#withheld).map(([address, why]) => ({ address, ...why })),
      released: entriesOf(this.#turns).map(([address, turn]) => ({ address, turn })),
    };
  }

  /** The addresses of a reserved area that somebody has. */
  heldIn(area: Area): Iterable<IpAddress> {
    return this.#heldOfReserved.get(area)?.values() ?? [];
  }

  /** Addresses that rest and were this Service's. */
  restingOf(service: string): readonly IpAddress[] {
    return this.#restingOf.get(service) ?? [];
  }

  add(address: IpAddress, holder: Holder): void {
    const { family, value } = address;
    this.#change(address, () => {
      // Who has an address needs no rest from it.
      if (this.#withheld[family].get(value)?.reason === 'CoolingDown') this.#forget(address);
      const before = this.#holders[family].get(value);
      if (before === undefined) this.#holders[family].set(value, holder);
      else if (before instanceof Set) before.add(holder);
      else if (before !== holder) this.#holders[family].set(value, new Set([before, holder]));
    });
    this.setTurn(address, undefined);
    this.#noteReserved(address);
  }

  remove(address: IpAddress, holder: Holder): void {
    const holders = this.#holders[address.family];
    this.#change(address, () => {
      const before = holders.get(address.value);
      if (before === holder) holders.delete(address.value);
      else if (before instanceof Set && before.delete(holder)) {
        const [last] = before;
        if (before.size === 1 && last) holders.set(address.value, last);
      }
    });
    this.#noteReserved(address);
  }

  withhold(address: IpAddress, why: Withholding): void {
    this.#change(address, () => {
      this.#forget(address);
      this.#withheld[address.family].set(address.value, why);
      if (why.service === undefined) return;
      this.#restingOf.set(why.service, [...this.restingOf(why.service), address]);
    });
  }

  restore(address: IpAddress): void {
    this.#change(address, () => this.#forget(address));
  }

  /** When the address was let go of; undefined: it counts as never used. */
  setTurn(address: IpAddress, turn: number | undefined): void {
    const { family, value } = address;
    const before = this.#turns[family].get(value);
    if (before === turn) return;
    // Deleted first, so that the map is in the order of the turns.
    this.#turns[family].delete(value);
    if (turn !== undefined) this.#turns[family].set(value, turn);
    this.areaOf(address)?.aged(family, value, before);
    const [oldest] = this.#turns[family].size > MOST_TURNS ? this.#turns[family].keys() : [];
    if (oldest !== undefined) this.setTurn({ family, value: oldest }, undefined);
  }

  #forget({ family, value }: IpAddress): void {
    const service = this.#withheld[family].get(value)?.service;
    this.#withheld[family].delete(value);
    if (service === undefined) return;
    const left = this.restingOf(service).filter((one) => one.family !== family || one.value !== value);
    if (left.length > 0) this.#restingOf.set(service, left);
    else this.#restingOf.delete(service);
  }

  #noteReserved(address: IpAddress): void {
    const area = this.areaOf(address);
    if (!area?.reservation) return;
    const held = this.#heldOfReserved.get(area) ?? new Map<string, IpAddress>();
    this.#heldOfReserved.set(area, held);
    const id = `${address.family} ${address.value}`;
    if (this.isHeld(address)) held.set(id, address);
    else held.delete(id);
  }

  /** Keeps the free lists in step, whatever makes an address free or taken. */
  #change(address: IpAddress, change: () => void): void {
    const { family, value } = address;
    const wasTaken = this.isTaken(family, value);
    change();
    const isTaken = this.isTaken(family, value);
    if (wasTaken === isTaken) return;
    const area = this.areaOf(address);
    if (isTaken) area?.took(family, value);
    else area?.gaveBack(family, value);
  }

  #divide(pool: Pool, reservations: readonly Reservation[]): PoolAreas {
    const kept = reservations.flatMap((reservation) => {
      const ranges = reservation.ranges.flatMap((range) => cut(range, pool));
      return ranges.length > 0 ? [new Area(pool, ranges, this, reservation)] : [];
    });
    const taken = kept.flatMap(({ ranges }) => ranges);
    const open = new Area(
      pool,
      pool.ranges.flatMap((range) => without(range, taken)),
      this,
    );
    for (const area of [open, ...kept])
      for (const { first, last } of area.ranges)
        this.#stretches[first.family].push({ first: first.value, last: last.value, area });
    return { open, reserved: kept };
  }
}

const entriesOf = <T>(maps: Readonly<Record<Family, ReadonlyMap<bigint, T>>>): readonly (readonly [IpAddress, T])[] =>
  ([4, 6] as const).flatMap((family) => [...maps[family]].map(([value, one]) => [{ family, value }, one] as const));

const NOBODY: readonly Holder[] = [];

/** The parts of a range that lie in the pool. */
const cut = (range: Area['ranges'][number], pool: Pool): Area['ranges'] =>
  pool.ranges
    .filter((own) => overlaps(own, range))
    .map((own) => ({
      first: own.first.value > range.first.value ? own.first : range.first,
      last: own.last.value < range.last.value ? own.last : range.last,
    }));
