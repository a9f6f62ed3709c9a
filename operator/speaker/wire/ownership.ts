/** Which announcements this node owns, kept up to date without looking at those that a lost node does not touch. */

import type { L2Announcement } from '../../advertising/announcement.ts';
import { ownerOf } from '../../election/rank.ts';

/** Desired announcements by their current owner. */
export class Ownership {
  #node = '';
  #announcements: readonly L2Announcement[] = [];
  #available: ReadonlySet<string> = new Set();
  #owners: (string | undefined)[] = [];
  #byOwner = new Map<string, Set<number>>();

  /** Replaces the whole desired set; `node` is the name of this node. */
  setDesired(node: string, announcements: readonly L2Announcement[]): void {
    this.#node = node;
    this.#announcements = announcements;
    this.#owners = [];
    this.#byOwner = new Map();
    for (const index of announcements.keys()) this.#elect(index);
  }

  /**
   * Replaces the set of available nodes.
   *
   * Nodes that are gone cost only what they owned; a node that comes may own anything, so all are looked at.
   *
   * @returns whether `owned()` has changed
   */
  setAvailable(nodes: readonly string[]): boolean {
    const before = this.#available;
    this.#available = new Set(nodes);
    const gone = [...before].filter((node) => !this.#available.has(node));
    const hasNewcomer = nodes.some((node) => !before.has(node));
    const affected = hasNewcomer
      ? this.#announcements.keys()
      : gone.flatMap((node) => [...(this.#byOwner.get(node) ?? [])]);
    let hasChanged = false;
    for (const index of affected) hasChanged = this.#elect(index) || hasChanged;
    return hasChanged;
  }

  /** What this node owns now. */
  owned(): readonly L2Announcement[] {
    return [...(this.#byOwner.get(this.#node) ?? [])].map((index) => this.#announcements[index] as L2Announcement);
  }

  /** Whether this node may own anything. */
  get isAvailable(): boolean {
    return this.#available.has(this.#node);
  }

  /** Addresses whose owner is another node now; none while this node may own nothing. */
  ownedByOthers(): ReadonlySet<string> {
    if (!this.isAvailable) return new Set();
    const isOthers = (index: number): boolean =>
      this.#owners[index] !== undefined && this.#owners[index] !== this.#node;
    return new Set(this.#announcements.flatMap(({ address }, index) => (isOthers(index) ? [address] : [])));
  }

  /** Elects the owner of one announcement. @returns whether this node has become its owner or ceased to be it */
  #elect(index: number): boolean {
    const candidates = this.#announcements[index]?.candidates ?? [];
    const before = this.#owners[index];
    const after = ownerOf(candidates, (node) => this.#available.has(node));
    if (before === after) return false;
    this.#owners[index] = after;
    if (before !== undefined) this.#byOwner.get(before)?.delete(index);
    if (after !== undefined) this.#indexed(after).add(index);
    return before === this.#node || after === this.#node;
  }

  #indexed(owner: string): Set<number> {
    const indexed = this.#byOwner.get(owner) ?? new Set();
    this.#byOwner.set(owner, indexed);
    return indexed;
  }
}
