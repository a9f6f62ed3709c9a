/** What a leader holds while it leads, and what every write asks before it goes out (design: one address, one Service). */

/** A write was not sent, because this process may no longer write. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  readonly reason = 'LeadershipLost';
}

/** The time from winning the Lease to losing it or giving it back. */
export interface LeaderTerm {
  /** The `leaseTransitions` of the Lease: greater for each other process that wins it. */
  readonly number: number;
  /** Aborted when the term ends, for whatever reason. */
  readonly signal: AbortSignal;
  /** Whether a write that is sent now ends, at the latest by its timeout, before the lease does. */
  mayWrite(): boolean;
  /** @throws {LeadershipLostError} */
  assertMayWrite(): void;
  /** Runs one write; the Lease is not given back before it has ended. @throws {LeadershipLostError} */
  during<T>(write: () => Promise<T>): Promise<T>;
}

/** The term of the leader election: its end moves on with each renewal. */
export class Term implements LeaderTerm {
  readonly number: number;
  readonly #controller = new AbortController();
  readonly #clock: () => number;
  readonly #requestTimeoutMs: number;
  #until: number;
  #writes = 0;
  #drained: () => void = () => undefined;

  constructor(until: number, requestTimeoutMs: number, clock: () => number, number = 0) {
    this.number = number;
    this.#until = until;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  mayWrite(): boolean {
    return !this.signal.aborted && this.#clock() < this.#until - this.#requestTimeoutMs;
  }

  assertMayWrite(): void {
    if (!this.mayWrite()) throw new LeadershipLostError('this process does not lead, or not for long enough');
  }

  async during<T>(write: () => Promise<T>): Promise<T> {
    this.assertMayWrite();
    this.#writes += 1;
    try {
      return await write();
    } finally {
      this.#writes -= 1;
      if (this.#writes === 0) this.#drained();
    }
  }

  extend(until: number): void {
    this.#until = until;
  }

  /** From now on nothing more may be written. */
  end(): void {
    this.#controller.abort(new LeadershipLostError('the term has ended'));
  }

  /** Resolves when no write is under way. */
  drained(): Promise<void> {
    if (this.#writes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }
}
