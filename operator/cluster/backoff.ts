/** How long to wait before the next try: longer each time, never all at once, and not long in the first half minute. */

export interface BackoffOptions {
  readonly baseMs?: number;
  readonly capMs?: number;
  /** The cap in the first `quickForMs` of an outage: a restarted API server shall find us back within a second. */
  readonly quickCapMs?: number;
  readonly quickForMs?: number;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #failures = 0;
  #since = 0;

  constructor(options: BackoffOptions = {}) {
    this.#options = {
      baseMs: 100,
      capMs: 10_000,
      quickCapMs: 1_000,
      quickForMs: 30_000,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    };
  }

  /** Failures since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one more failure and returns the milliseconds to wait: half of them sure, half by chance. */
  nextMs(): number {
    const { baseMs, capMs, quickCapMs, quickForMs, now, random } = this.#options;
    if (this.#failures === 0) this.#since = now();
    const cap = now() - this.#since < quickForMs ? Math.min(quickCapMs, capMs) : capMs;
    const full = Math.min(baseMs * 2 ** Math.min(this.#failures, 20), cap);
    this.#failures += 1;
    return full * (0.5 + random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
