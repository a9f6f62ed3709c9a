/** Runs a reconciler over the keys of a queue: several keys at once, one key never twice. */

import type { Logger } from '../observability/log.ts';
import { ApiError, ConflictError } from './api-error.ts';
import { LeadershipLostError } from './leader-term.ts';
import { WorkQueue } from './work-queue.ts';

/** What a reconcile asks of the queue. A thrown error means: retry with backoff. */
export type Outcome =
  | { readonly next: 'WaitForChange' }
  | { readonly next: 'RetryAfter'; readonly milliseconds: number; readonly because: string };

export interface Reconciler {
  readonly name: string;
  /** Brings the world to what the object under `key` asks for. It may be called at any time, any number of times. */
  reconcile(key: string, signal: AbortSignal): Promise<Outcome>;
}

/** What a controller tells about its work. */
export interface ControllerMetrics {
  reconciled(controller: string, result: 'success' | 'retry' | 'error', tookMs: number): void;
}

export interface ControllerOptions {
  readonly workers: number;
  readonly log: Logger;
  readonly queue?: WorkQueue;
  readonly metrics?: ControllerMetrics;
}

/** The same failure of a key is told at its first and then at every tenth time. */
const TELL_EVERY = 10;

export class Controller {
  readonly #reconciler: Reconciler;
  readonly #queue: WorkQueue;
  readonly #workers: number;
  readonly #log: Logger;
  readonly #metrics: ControllerMetrics | undefined;

  constructor(reconciler: Reconciler, { workers, log, queue = new WorkQueue(), metrics }: ControllerOptions) {
    this.#reconciler = reconciler;
    this.#queue = queue;
    this.#workers = workers;
    this.#log = log.child({ controller: reconciler.name });
    this.#metrics = metrics;
  }

  enqueue(key: string): void {
    this.#queue.add(key);
  }

  /** Works until `signal` aborts; resolves when the reconciles that were under way have ended. One run per controller. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#queue.shutDown();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.all(Array.from({ length: this.#workers }, () => this.#work(signal)));
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      const startedAt = performance.now();
      const result = await this.#reconcile(key, signal);
      this.#metrics?.reconciled(this.#reconciler.name, result, performance.now() - startedAt);
      this.#queue.done(key);
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<'success' | 'retry' | 'error'> {
    try {
      const outcome = await this.#reconciler.reconcile(key, signal);
      this.#queue.forget(key);
      if (outcome.next === 'WaitForChange') return 'success';
      this.#log.debug('retry', { key, because: outcome.because, milliseconds: outcome.milliseconds });
      this.#queue.addAfter(key, outcome.milliseconds);
      return 'success';
    } catch (error) {
      return signal.aborted ? 'retry' : this.#failed(key, error);
    }
  }

  #failed(key: string, error: unknown): 'retry' | 'error' {
    const isExpected = error instanceof ConflictError || error instanceof LeadershipLostError;
    const retries = this.#queue.retriesOf(key);
    if (!isExpected && retries % TELL_EVERY === 0) this.#log.error('reconcile failed', { key, retries, error });
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    // "At once" would be asked again and again.
    if (!retryAfterMs) this.#queue.addRateLimited(key);
    else this.#queue.addAfter(key, retryAfterMs);
    return isExpected ? 'retry' : 'error';
  }
}
