/** The keyed work queue with the semantics of client-go: a waiting key is there once, and never worked on twice at once. */

/** What the queue tells about itself; `metrics.ts` turns it into client-go's `workqueue_*`. */
export interface WorkQueueMetrics {
  added(depth: number): void;
  taken(depth: number, waitedMs: number): void;
  done(workedMs: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  /**
   * Who is next when more wait than can be worked on. `NewestFirst`: who came last, but every fourth time who waits
   * longest, so that under a backlog what happens now is answered now, and nobody waits for ever. Keys arrive as ever.
   */
  readonly order?: 'OldestFirst' | 'NewestFirst';
  /** The delay after the first failure of a key; it doubles with each further one. */
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly metrics?: WorkQueueMetrics;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
}

/** Of so many keys that are taken newest first, one is the oldest. */
const OLDEST_EVERY = 4;

export class WorkQueue {
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #metrics: WorkQueueMetrics | undefined;
  readonly #now: () => number;
  /** Keys in order of arrival with the time of it. A Set or Map gives them back in that order. */
  readonly #waiting = new Map<string, number>();
  /** Keys that workers hold, with the time they took them. */
  readonly #working = new Map<string, number>();
  /** Keys that were added while a worker held them. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { readonly timer: NodeJS.Timeout; readonly at: number }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  /** With `NewestFirst` the keys as they came, the newest last; some of them were taken since. */
  readonly #stack: string[] | undefined;
  #takes = 0;
  #isShutDown = false;

  constructor(options: WorkQueueOptions = {}) {
    const { order, baseDelayMs = 5, maxDelayMs = 30_000, metrics, now = () => performance.now() } = options;
    this.#stack = order === 'NewestFirst' ? [] : undefined;
    this.#baseDelayMs = baseDelayMs;
    this.#maxDelayMs = maxDelayMs;
    this.#metrics = metrics;
    this.#now = now;
  }

  /** Keys that wait for a worker. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Adds a key; one that a worker holds waits until `done`. */
  add(key: string): void {
    if (this.#isShutDown || this.#waiting.has(key)) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.set(key, this.#now());
    this.#stack?.push(key);
    this.#metrics?.added(this.#waiting.size);
    const taker = this.#takers.shift();
    if (taker) taker(this.#take());
  }

  /** Adds a key after a delay; of several delays for one key the shortest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isShutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const at = this.#now() + delayMs;
    const pending = this.#delayed.get(key);
    if (pending && pending.at <= at) return;
    clearTimeout(pending?.timer);
    const timer = setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, delayMs);
    this.#delayed.set(key, { timer, at });
  }

  /** Adds a key that failed, later each time until `forget`. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics?.retried();
    this.addAfter(key, Math.min(this.#baseDelayMs * 2 ** failures, this.#maxDelayMs));
  }

  /** Ends the count of failures of a key. It does not take the key out of the queue. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** How often a key was added by `addRateLimited` since it was forgotten. */
  retriesOf(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Waits for a key. Whoever takes one calls `done` for it. Undefined: the queue was shut down and is empty. */
  get(): Promise<string | undefined> {
    if (this.#waiting.size > 0) return Promise.resolve(this.#take());
    if (this.#isShutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Gives a key back; if it was added meanwhile, it waits again. */
  done(key: string): void {
    const since = this.#working.get(key);
    if (since === undefined) return;
    this.#working.delete(key);
    this.#metrics?.done(this.#now() - since);
    if (this.#again.delete(key)) this.add(key);
  }

  /** For how long each key has been worked on, milliseconds. */
  workedOn(): readonly number[] {
    const now = this.#now();
    return [...this.#working.values()].map((since) => now - since);
  }

  /** Takes no more keys, drops the waiting and the delayed ones and lets those who wait for one go. */
  shutDown(): void {
    this.#isShutDown = true;
    this.#waiting.clear();
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #take(): string {
    const key = this.#next();
    const now = this.#now();
    const since = this.#waiting.get(key) ?? now;
    this.#waiting.delete(key);
    this.#working.set(key, now);
    this.#metrics?.taken(this.#waiting.size, now - since);
    return key;
  }

  #next(): string {
    this.#takes += 1;
    const [oldest = ''] = this.#waiting.keys();
    if (!this.#stack) return oldest;
    const newest = this.#takes % OLDEST_EVERY === 0 ? oldest : (popped(this.#stack, this.#waiting) ?? oldest);
    if (this.#waiting.size === 1) this.#stack.length = 0;
    return newest;
  }
}

/** The last of `stack` that still waits. */
function popped(stack: string[], waiting: ReadonlyMap<string, unknown>): string | undefined {
  for (let key = stack.pop(); key !== undefined; key = stack.pop()) if (waiting.has(key)) return key;
  return undefined;
}
