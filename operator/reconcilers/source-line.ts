/** The requests to one external source, in the order in which they are asked for, with pauses while it does not answer. */

import { Backoff, type BackoffOptions } from '../cluster/backoff.ts';
import { Controller, type Outcome, type Reconciler } from '../cluster/controller.ts';
import { WorkQueue } from '../cluster/work-queue.ts';
import type { Pool } from '../config/pool.ts';
import type { Logger } from '../observability/log.ts';
import { type AddressSource, SourceError, type SourceFailure } from '../sources/address-source.ts';
import { MAX_REQUESTS } from '../sources/http-source.ts';

const DONE: Outcome = { next: 'WaitForChange' };
/** A source that comes back is found within 5 s in the first minute, within 15 s later. */
const BACKOFF: BackoffOptions = { baseMs: 500, capMs: 15_000, quickCapMs: 5_000, quickForMs: 60_000 };
/** Those who waited for the same pause do not come at the same moment. */
const SPREAD = 0.1;

export interface SourceLineParts {
  readonly open: (pool: Pool) => Promise<AddressSource>;
  /** Does what is to be done for a key. @returns milliseconds after which the key is due again */
  readonly work: (key: string, source: AddressSource, signal: AbortSignal) => Promise<number | undefined>;
  /** The source began or ceased to be a problem, for one key or for all. */
  readonly changed: () => void;
  readonly clock: () => number;
  readonly log: Logger;
  readonly backoff?: BackoffOptions | undefined;
}

export class SourceLine implements Reconciler {
  readonly name = 'address-source';
  pool: Pool;
  readonly #parts: SourceLineParts;
  readonly #queue = new WorkQueue();
  readonly #stopped = new AbortController();
  readonly #pause: Backoff;
  readonly #failures = new Map<string, { readonly backoff: Backoff; words: string }>();
  #source: Promise<AddressSource> | undefined;
  #pausedAt = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #words: string | undefined;
  #reason: SourceFailure | undefined;

  constructor(pool: Pool, parts: SourceLineParts) {
    this.pool = pool;
    this.#parts = parts;
    this.#pause = new Backoff({ ...BACKOFF, ...parts.backoff, now: parts.clock });
  }

  get key(): string {
    return `${this.pool.namespace}/${this.pool.name}`;
  }

  /** Whether the source answered when it was asked last. */
  get isUp(): boolean {
    return this.#words === undefined;
  }

  /** Why nothing comes of a key for now: a part of a sentence. */
  problemOf(key: string): string | undefined {
    return this.#words ?? this.#failures.get(key)?.words;
  }

  add(key: string): void {
    this.#queue.add(key);
  }

  /** Puts what the pool says now in place; another Secret or timeout is used from the next request on. */
  update(pool: Pool): void {
    const isOther = JSON.stringify(pool.source) !== JSON.stringify(this.pool.source);
    this.pool = pool;
    if (isOther) this.#reopen();
  }

  /** Works until `signal` aborts or `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    const controller = new Controller(this, { workers: MAX_REQUESTS, log, queue: this.#queue });
    await controller.run(AbortSignal.any([signal, this.#stopped.signal]));
    this.#reopen();
  }

  stop(): void {
    this.#stopped.abort();
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Outcome> {
    const beganAt = this.#parts.clock();
    if (beganAt < this.#pausedUntil) return again(this.#pausedUntil - beganAt);
    try {
      const againMs = await this.#parts.work(key, await this.#opened(), signal);
      this.#succeeded(key);
      return againMs === undefined
        ? DONE
        : { next: 'RetryAfter', milliseconds: againMs, because: 'it is looked at again' };
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      return again(this.#failed(key, error, beganAt));
    }
  }

  #opened(): Promise<AddressSource> {
    this.#source ??= this.#parts.open(this.pool).catch((error: unknown) => {
      this.#source = undefined;
      throw error;
    });
    return this.#source;
  }

  #succeeded(key: string): void {
    const wasProblem = this.problemOf(key) !== undefined;
    if (!this.isUp) this.#parts.log.info('the address source answers again', { pool: this.key });
    this.#words = undefined;
    this.#reason = undefined;
    this.#pause.reset();
    this.#failures.delete(key);
    if (wasProblem) this.#parts.changed();
  }

  /** @returns how long to wait, milliseconds */
  #failed(key: string, error: SourceError, beganAt: number): number {
    if (error.reason === 'Unauthorized' || error.reason === 'BadSecret') this.#reopen();
    return concernsAll(error) ? this.#pauseAll(error, beganAt) : this.#pauseOne(key, error);
  }

  #pauseAll(error: SourceError, beganAt: number): number {
    const now = this.#parts.clock();
    // What was under way when the pause began fails for the same reason.
    if (beganAt >= this.#pausedAt) {
      this.#pausedAt = now;
      this.#pausedUntil = now + Math.max(this.#pause.nextMs(), error.retryAfterMs ?? 0);
    }
    // Other words for the same thing are not worth a write of every Service that waits.
    const reason = error.reason === 'Timeout' ? 'Unreachable' : error.reason;
    if (this.#reason !== reason) {
      this.#reason = reason;
      this.#parts.log.warn('the address source does not answer', { pool: this.key, reason: error.reason, error });
      this.#words = error.message;
      this.#parts.changed();
    }
    return Math.max(1, this.#pausedUntil - now);
  }

  #pauseOne(key: string, error: SourceError): number {
    const known = this.#failures.get(key);
    const failure = known ?? { backoff: new Backoff({ ...BACKOFF, ...this.#parts.backoff }), words: error.message };
    this.#failures.set(key, failure);
    if (!known) {
      this.#parts.log.warn('the address source failed', { pool: this.key, reason: error.reason, error });
      this.#parts.changed();
    }
    return failure.backoff.nextMs();
  }

  #reopen(): void {
    void this.#source?.then(
      (source) => source.close(),
      () => undefined,
    );
    this.#source = undefined;
  }
}

/** Whether another request would fail alike. */
const concernsAll = ({ reason, retryAfterMs }: SourceError): boolean =>
  retryAfterMs !== undefined || ['Unreachable', 'Timeout', 'Unauthorized', 'BadSecret'].includes(reason);

const again = (ms: number): Outcome => ({
  next: 'RetryAfter',
  milliseconds: ms * (1 + SPREAD * Math.random()),
  because: 'the address source does not answer',
});
