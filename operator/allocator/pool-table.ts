/** The pools in the orders in which the allocator asks them. */

import type { Pool } from '../config/pool.ts';

/** Pools with equal rank follow each other by name, so that the order never depends on chance. */
export class PoolTable {
  /** Live pools, then remnants: where a held address is looked up. */
  readonly all: readonly Pool[];
  /** Live pools: those with a serviceAllocation by priority, then the others; within a rank by name. */
  readonly live: readonly Pool[];
  /** The live pools that give addresses without being asked by name. */
  readonly automatic: readonly Pool[];
  /** Deleted pools of which Services still hold addresses. */
  readonly remnants: readonly Pool[];
  readonly #byName: ReadonlyMap<string, Pool>;

  constructor(pools: readonly Pool[]) {
    const sorted = pools.toSorted(byRankThenName);
    this.live = sorted.filter(({ isRemnant }) => !isRemnant);
    this.automatic = this.live.filter(({ autoAssign }) => autoAssign);
    this.remnants = sorted.filter(({ isRemnant }) => isRemnant);
    this.all = [...this.live, ...this.remnants];
    // Live pools come last here, so that a remnant never hides a live pool of its name.
    this.#byName = new Map(this.all.toReversed().map((pool) => [pool.name, pool]));
  }

  /** The pool of this name, live if there is one. */
  named(name: string): Pool | undefined {
    return this.#byName.get(name);
  }
}

function byRankThenName(a: Pool, b: Pool): number {
  if (a.isPinned !== b.isPinned) return a.isPinned ? -1 : 1;
  const [left, right] = a.isPinned ? [rankOf(a), rankOf(b)] : [0, 0];
  if (left !== right) return left < right ? -1 : 1;
  const [leftName, rightName] = [`${a.name}/${a.namespace}`, `${b.name}/${b.namespace}`];
  return leftName < rightName ? -1 : leftName > rightName ? 1 : 0;
}

/** Priority 0 comes last. */
const rankOf = ({ priority }: Pool): number => (priority === 0 ? Number.POSITIVE_INFINITY : priority);
