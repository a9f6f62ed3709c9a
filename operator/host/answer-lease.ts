/**
 * The lease under which a node answers for addresses: the clock thread renews it, and the wire thread and the program in
 * the kernel answer while it runs. A process that is frozen, starved or dead falls silent by itself.
 */

import { readLease, writeLease } from './bpf/lease-map.ts';

const UNTIL = 0;
const MAP = 1;
const IS_LAST = 2;
const SLOTS = 3;

/** One lease, seen by all threads that were given its `shared` memory. Times are of CLOCK_MONOTONIC, as the kernel's program reads it. */
export class AnswerLease {
  /** To be handed to other threads. */
  readonly shared: SharedArrayBuffer;
  readonly #slots: BigInt64Array;

  /** @param shared of a lease in another thread; absent makes a new one, which has ended */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * 8)) {
    this.shared = shared;
    this.#slots = new BigInt64Array(shared);
  }

  /** Whether it ended `milliseconds` ago or more, or never began. */
  hasEndedFor(milliseconds: number): boolean {
    return process.hrtime.bigint() - Atomics.load(this.#slots, UNTIL) >= BigInt(milliseconds) * 1_000_000n;
  }

  /** Lets the lease end `milliseconds` from now, sooner or later than it would have; nothing after `extendForRestart`. */
  renew(milliseconds: number): void {
    if (Atomics.load(this.#slots, IS_LAST) === 0n) this.#endIn(milliseconds);
  }

  /** Renews for the last time: whoever starts next in this place has so long to come. */
  extendForRestart(milliseconds: number): void {
    Atomics.store(this.#slots, IS_LAST, 1n);
    this.#endIn(milliseconds);
  }

  /** Ends the lease now; it can be renewed. */
  end(): void {
    this.#endIn(0);
  }

  /**
   * Writes every later renewal into a map of the kernel too; its descriptor must stay open for the life of the process.
   * What runs there from a former process runs on, until the next renewal.
   */
  mirrorTo(map: number): void {
    const inherited = readLease(map);
    const own = Atomics.load(this.#slots, UNTIL);
    if (inherited > own) Atomics.compareExchange(this.#slots, UNTIL, own, inherited);
    Atomics.store(this.#slots, MAP, BigInt(map));
    writeLease(map, Atomics.load(this.#slots, UNTIL));
  }

  #endIn(milliseconds: number): void {
    const until = process.hrtime.bigint() + BigInt(Math.round(milliseconds * 1e6));
    Atomics.store(this.#slots, UNTIL, until);
    const map = Number(Atomics.load(this.#slots, MAP));
    if (map > 0) writeLease(map, until);
  }
}
