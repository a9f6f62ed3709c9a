/** What changed since somebody looked, with how it was before: from that follows who may be served now. */

import type { IpAddress } from '../net/address.ts';
import type { Area } from './area.ts';
import type { DistinctCounter } from './distinct-counter.ts';
import type { Family } from './service-request.ts';

type PerFamily = Partial<Record<Family, boolean>>;

export class Touches {
  /** By area, whether there was a free address. */
  readonly rooms = new Map<Area, PerFamily>();
  /** By area of a pool with reserved shares, whether it had more than all of them together still want. */
  readonly abundance = new Map<Area, PerFamily>();
  /** By counter, whether it was full. */
  readonly counters = new Map<DistinctCounter, PerFamily>();
  readonly addresses: IpAddress[] = [];
  /** 'namespace/name' of the pools of which somebody has more or less than before. */
  readonly pools = new Set<string>();
  /** Sharing keys under which an address began or ceased to be held, or a port to be in use. */
  readonly sharingKeys = new Set<string>();

  room(area: Area, family: Family): void {
    note(this.rooms, area, family, () => area.firstFree(family) !== undefined);
  }
  plenty(open: Area, family: Family, isSo: () => boolean): void {
    note(this.abundance, open, family, isSo);
  }
  counter(counter: DistinctCounter, family: Family): void {
    note(this.counters, counter, family, () => counter.isFull(family));
  }

  /** Takes over what another one noted later. */
  append(later: Touches): void {
    appendNotes(this.rooms, later.rooms);
    appendNotes(this.abundance, later.abundance);
    appendNotes(this.counters, later.counters);
    this.addresses.push(...later.addresses);
    for (const pool of later.pools) this.pools.add(pool);
    for (const key of later.sharingKeys) this.sharingKeys.add(key);
  }
}

/** Notes how it was, once. */
function note<T>(notes: Map<T, PerFamily>, thing: T, family: Family, isSo: () => boolean): void {
  const known = notes.get(thing) ?? {};
  if (known[family] !== undefined) return;
  known[family] = isSo();
  notes.set(thing, known);
}

function appendNotes<T>(notes: Map<T, PerFamily>, later: ReadonlyMap<T, PerFamily>): void {
  for (const [thing, { 4: v4, 6: v6 }] of later) {
    if (v4 !== undefined) note(notes, thing, 4, () => v4);
    if (v6 !== undefined) note(notes, thing, 6, () => v6);
  }
}
