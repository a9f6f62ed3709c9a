/**
 * Whom an event has to ask, in the order in which the specification asks everybody: the oldest first, and again from
 * the oldest on while somebody was served and that may have opened something to an older one.
 */

import type { Opening } from './consequences.ts';
import { SortedList } from './sorted-list.ts';
import { byAge, type Entry, type WaitingClass } from './waiting-classes.ts';

/** An entry to be asked, and the class that it is asked for; without a class it is asked for itself. */
export interface Item {
  readonly entry: Entry;
  readonly asOneOf?: WaitingClass;
}

const byAgeThenClass = (a: Item, b: Item): number =>
  byAge(a.entry, b.entry) || (a.asOneOf?.number ?? 0) - (b.asOneOf?.number ?? 0);

export class Agenda {
  readonly #pass = new SortedList<Item>(byAgeThenClass);
  /** Classes of which a member is in this pass already. */
  readonly #inPass = new Set<WaitingClass>();
  readonly #nextPass = new Set<WaitingClass>();
  readonly #openings = new Map<WaitingClass, readonly Opening[]>();
  #position: Entry | undefined;

  /** Before the first is asked: somebody who is to be asked in any case. */
  add(entry: Entry): void {
    this.#pass.add({ entry });
  }

  /** Something opened that may help the class: in this pass those who are still to come, in the next one the others. */
  open(opened: WaitingClass, openings: readonly Opening[]): void {
    this.#openings.set(opened, [...(this.#openings.get(opened) ?? []), ...openings]);
    this.#follow(opened, this.#position);
    const { first } = opened.members;
    if (this.#position && first && byAge(first, this.#position) <= 0) this.#nextPass.add(opened);
  }

  next(): Item | undefined {
    for (;;) {
      const item = this.#pass.first ?? this.#turnOver();
      if (!item) return undefined;
      this.#pass.remove(item);
      const { entry, asOneOf } = item;
      if (asOneOf) this.#inPass.delete(asOneOf);
      if (asOneOf && !this.#isOpen(asOneOf)) continue;
      if (!asOneOf || entry.filed === asOneOf) {
        this.#position = entry;
        return item;
      }
      // It was served meanwhile, for another reason.
      this.#follow(asOneOf, entry);
    }
  }

  /** The entry was served, so the next one of its class may be, too. */
  served({ entry, asOneOf }: Item): void {
    if (asOneOf) this.#follow(asOneOf, entry);
  }

  /** What opened and is closed again helps nobody, so that nobody need be asked. */
  #isOpen(opened: WaitingClass): boolean {
    return this.#openings.get(opened)?.some((isStill) => isStill()) ?? false;
  }

  #follow(followed: WaitingClass, after: Entry | undefined): void {
    const entry = followed.members.after(after);
    if (!entry || this.#inPass.has(followed)) return;
    this.#inPass.add(followed);
    this.#pass.add({ entry, asOneOf: followed });
  }

  #turnOver(): Item | undefined {
    this.#position = undefined;
    const classes = [...this.#nextPass];
    this.#nextPass.clear();
    for (const one of classes) this.#follow(one, undefined);
    return this.#pass.first;
  }
}
