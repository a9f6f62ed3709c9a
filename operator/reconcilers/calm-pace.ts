/** When counters that are behind are written: a burst of Services once, and no object more often than about once a second. */

/** Between two writes for counters alone; with `GATHER_MS` it keeps the last value within a second of its change. */
const PACE_MS = 900;
/** A burst of Services begins with one: wait for the others before the first write. */
const GATHER_MS = 200;

export class CalmPace {
  readonly #clock: () => number;
  readonly #writtenAt = new Map<string, number>();
  /** Since when the counters in a status are behind. */
  readonly #behindSince = new Map<string, number>();

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Milliseconds until the counters of the object may be written, from the first time that they were seen behind. */
  waitOf(key: string): number {
    const now = this.#clock();
    const since = this.#behindSince.get(key) ?? now;
    this.#behindSince.set(key, since);
    const last = this.#writtenAt.get(key) ?? Number.NEGATIVE_INFINITY;
    return Math.ceil(Math.max(since + GATHER_MS, last + PACE_MS) - now);
  }

  /** The status is what it should be. */
  isCurrent(key: string): void {
    this.#behindSince.delete(key);
  }

  /** The status was written, and is what it should be. */
  wrote(key: string): void {
    this.isCurrent(key);
    this.#writtenAt.set(key, this.#clock());
  }

  forget(key: string): void {
    this.#behindSince.delete(key);
    this.#writtenAt.delete(key);
  }
}
