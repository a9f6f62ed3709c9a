/** Which announcements this node owns, kept up to date without looking at those that a lost node does not touch. */

import type { L2Announcement } from '../../advertising/announcement.ts';
import { ownerOf } from '../../election/rank.ts';
import { addressIdOf } from '../../protocols/heartbeat/extension.ts';

/** Desired announcements by their current owner. */
export class Ownership {
  #node = '';
  #announcements: readonly L2Announcement[] = [];
  #available: ReadonlySet<string> = new Set();
  #owners: (string | undefined)[] = [];
  #byOwner = new Map<string, Set<number>>();
  #isSticky = false;
  /** By node, the ids of what it goes on answering for although another is first by the order. */
  readonly #claims = new Map<string, ReadonlySet<number>>();
  /** Our own, canonical texts. */
  #claimed: readonly string[] = [];

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
    return this.#electAll(affected);
  }

  /** Whether a returning node ranks behind the present owner. @returns whether `owned()` has changed */
  setSticky(isSticky: boolean): boolean {
    if (isSticky === this.#isSticky) return false;
    this.#isSticky = isSticky;
    return this.#electAll(this.#announcements.keys());
  }

  /** Replaces what a peer claims, by `addressIdOf`. @returns whether `owned()` has changed */
  setClaims(node: string, ids: readonly number[]): boolean {
    this.#claims.set(node, new Set(ids));
    return this.#isSticky && this.#electAll(this.#announcements.keys());
  }

  /** Claims what this node owns now although another is first by the order. @returns whether that is another set than before */
  claim(): boolean {
    const isKept = ({ candidates }: L2Announcement): boolean => this.#isSticky && candidates[0] !== this.#node;
    const kept = new Set(
      this.owned()
        .filter(isKept)
        .map(({ address }) => address),
    );
    const claimed = [...kept].toSorted();
    if (claimed.length === this.#claimed.length && claimed.every((address, at) => address === this.#claimed[at]))
      return false;
    this.#claimed = claimed;
    this.#claims.set(this.#node, new Set(claimed.map(addressIdOf)));
    return true;
  }

  /** What this node claims, sorted. */
  claims(): readonly string[] {
    return this.#claimed;
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

  #electAll(indexes: Iterable<number>): boolean {
    let hasChanged = false;
    for (const index of indexes) hasChanged = this.#elect(index) || hasChanged;
    return hasChanged;
  }

  /** Elects the owner of one announcement. @returns whether this node has become its owner or ceased to be it */
  #elect(index: number): boolean {
    const before = this.#owners[index];
    const after = this.#ownerOf(this.#announcements[index]);
    if (before === after) return false;
    this.#owners[index] = after;
    if (before !== undefined) this.#byOwner.get(before)?.delete(index);
    if (after !== undefined) this.#indexed(after).add(index);
    return before === this.#node || after === this.#node;
  }

  #ownerOf(announcement: L2Announcement | undefined): string | undefined {
    if (!announcement) return undefined;
    const { candidates, address } = announcement;
    const isAvailable = (node: string): boolean => this.#available.has(node);
    const byOrder = ownerOf(candidates, isAvailable);
    if (!this.#isSticky || this.#claims.size === 0) return byOrder;
    const id = addressIdOf(address);
    return ownerOf(candidates, (node) => isAvailable(node) && this.#claims.get(node)?.has(id) === true) ?? byOrder;
  }

  #indexed(owner: string): Set<number> {
    const indexed = this.#byOwner.get(owner) ?? new Set();
    this.#byOwner.set(owner, indexed);
    return indexed;
  }
}
