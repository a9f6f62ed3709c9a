/** Keeps a store like the API server's: lists once, watches from there, and survives whatever happens to either. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../observability/log.ts';
import type { ApiConnection, WatchEvent } from './api-connection.ts';
import { ApiError, isGone, isNotFound } from './api-error.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import type { CrdGuard, CrdVerdict } from './crd-guard.ts';
import { type Listing, listAll } from './list.ts';
import { type KubernetesObject, keyOf } from './objects.ts';
import { apiVersionOf, collectionPath, type Resource } from './resource.ts';
import { type IndexFunction, type ReadonlyStore, Store } from './store.ts';

/** One object came, changed or went: `before` is missing when it is new, `after` when it is gone. */
export interface Change<T> {
  readonly key: string;
  readonly before?: T;
  readonly after?: T;
}

/** What an informer tells about itself. `why` is a reason word of ApiError, or `Ended`. */
export interface InformerMetrics {
  listed(plural: string, objects: number): void;
  watchEnded(plural: string, why: string): void;
  changed(plural: string, storeSize: number): void;
  synced(plural: string, isSynced: boolean): void;
}

export interface InformerOptions<T> {
  readonly log: Logger;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** For kinds of a CRD: without it, a deleted CRD looks like deleted objects. */
  readonly crd?: CrdGuard;
  /** The API server need not serve the kind from the start: while it does not, there is no object of it. */
  readonly isOptional?: boolean;
  readonly backoff?: BackoffOptions;
  readonly random?: () => number;
  readonly metrics?: InformerMetrics;
}

/** The API server ends a watch after 5 to 10 minutes, so that watches spread over its replicas (as client-go asks). */
const WATCH_SECONDS = 300;
/** A watch that lasted so long is sound: the next interruption is a new one. */
const SOUND_WATCH_MS = 1_000;
/** After so many failures in a row the resourceVersion itself may be at fault, as after etcd came back from a backup. */
const LIST_AFTER_FAILURES = 3;

/** Until it is asked again whether an optional kind is served: by an upgrade of Kubernetes, or by a CRD. */
const NOT_SERVED_MS = 30_000;
const NO_CRD_MS = 2_000;

const UNKNOWN_ERROR = { reason: 'Unknown', status: 0, retryAfterMs: 0 } as const;

export class Informer<T extends KubernetesObject> {
  readonly resource: Resource<T>;
  readonly #connection: ApiConnection;
  readonly #options: InformerOptions<T>;
  readonly #log: Logger;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #store: Store<T>;
  readonly #listeners: ((change: Change<T>) => void)[] = [];
  /** Those who wait in `synced`. */
  readonly #waiters = new Set<() => void>();
  #hasListed = false;
  /** When the request of the last list that was complete was sent, ms of `performance.now()`. */
  #listedAt = Number.NEGATIVE_INFINITY;
  #isHeld = false;
  /** When the CRD was asked about last and stood, ms of `performance.now()`. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** The kind was there once. */
  #wasServed = false;
  /** The store reflects everything up to this resourceVersion; undefined: list before watching. */
  #revision: number | undefined;
  /** Objects that a new CRD came without; each is deleted when its timer ends. */
  readonly #missing = new Map<string, NodeJS.Timeout>();

  constructor(connection: ApiConnection, resource: Resource<T>, options: InformerOptions<T>) {
    this.resource = resource;
    this.#connection = connection;
    this.#options = options;
    this.#log = options.log.child({ resource: resource.plural });
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff({ random: this.#random, ...options.backoff });
    this.#store = new Store(options.indexes);
  }

  get store(): ReadonlyStore<T> {
    return this.#store;
  }

  /** Whether the store holds what the API server holds, but for what is on its way. False while `isHeld`. */
  get hasSynced(): boolean {
    return this.#hasListed && !this.#isHeld;
  }

  /** The kind's CRD is missing or terminating: the store keeps what it had. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Resolves as soon as `hasSynced` is true. @throws what `signal` was aborted with */
  synced(signal?: AbortSignal): Promise<void> {
    if (this.hasSynced) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(enter);
        reject(signal?.reason);
      };
      const enter = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      if (signal?.aborted) leave();
      else {
        this.#waiters.add(enter);
        signal?.addEventListener('abort', leave, { once: true });
      }
    });
  }

  get #isAbsent(): boolean {
    return this.#options.isOptional === true && this.#revision === undefined;
  }

  #waitForKind(signal: AbortSignal): Promise<void> {
    return sleep(this.#options.crd ? NO_CRD_MS : NOT_SERVED_MS, undefined, { signal });
  }

  /** Calls `listener` for each change, in order, after the store has it. It must not throw and not wait. */
  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
  }

  /** Works until `signal` aborts. It never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#revision === undefined) await this.#relist(signal);
        await (this.#isAbsent ? this.#waitForKind(signal) : this.#watch(signal));
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal);
      }
    }
    for (const timer of this.#missing.values()) clearTimeout(timer);
  }

  /**
   * Lists afresh, by quorum, and applies what the watch has not brought yet. While the CRD is away it changes nothing.
   *
   * @param since a list that was asked for since then, ms of `performance.now()`, is fresh enough
   * @throws {ApiError} when the API server does not answer
   */
  async refresh(since = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#listedAt < since) await this.#relist();
  }

  async #relist(signal?: AbortSignal): Promise<void> {
    const askedAt = performance.now();
    const listing = await this.#list(signal);
    // Once served, a kind whose CRD is away keeps its objects.
    if (!listing && this.#options.isOptional && !(this.#options.crd && this.#wasServed)) {
      this.#adoptNothing();
      this.#listedAt = askedAt;
      return;
    }
    const verdict: CrdVerdict = listing ? ((await this.#options.crd?.lookAndFollow()) ?? 'Intact') : 'Away';
    if (!listing || verdict === 'Away') {
      this.#hold();
      return;
    }
    // The watch went on while we listed, and has brought everything up to its own revision.
    const isStale = this.#revision !== undefined && listing.revision <= this.#revision;
    if (!isStale) this.#adopt(listing, verdict);
    this.#listedAt = askedAt;
  }

  /** Undefined: the API server does not serve the kind, and it may be so. */
  async #list(signal?: AbortSignal): Promise<Listing<T> | undefined> {
    try {
      return await listAll(this.#connection, this.resource, signal);
    } catch (error) {
      if ((this.#options.crd || this.#options.isOptional) && isNotFound(error)) return undefined;
      throw error;
    }
  }

  #adopt({ objects, revision }: Listing<T>, verdict: CrdVerdict): void {
    const gone = new Set(this.#store.keys());
    for (const object of objects) {
      const trimmed = this.#trimmed(object);
      const key = keyOf(trimmed);
      gone.delete(key);
      this.#put(key, trimmed);
    }
    for (const key of gone) {
      if (verdict === 'Replaced') this.#expect(key);
      else this.#put(key, undefined);
    }
    this.#revision = revision;
    this.#wasServed = true;
    if (this.#isHeld) this.#log.info('the custom resource definition is back', { missing: this.#missing.size });
    this.#isHeld = false;
    this.#complete(objects.length);
  }

  /** The API server does not serve the kind. It is asked again, because an upgrade of it may. */
  #adoptNothing(): void {
    if (!this.#hasListed) this.#log.info('the API server does not serve the kind');
    for (const key of this.#store.keys()) this.#put(key, undefined);
    this.#revision = undefined;
    this.#complete(0);
  }

  #complete(objects: number): void {
    this.#hasListed = true;
    this.#options.metrics?.listed(this.resource.plural, objects);
    this.#options.metrics?.synced(this.resource.plural, true);
    for (const enter of this.#waiters) enter();
    this.#waiters.clear();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    if (this.#revision === undefined) throw new ApiError(404, 'CrdAway', `${this.resource.plural} are not served`);
    const path = collectionPath(this.resource);
    const query = watchQueryOf(this.resource, this.#revision, this.#random());
    let hasEvents = false;
    let sound: NodeJS.Timeout | undefined;
    const begun = () => {
      sound = setTimeout(() => this.#recovered(), SOUND_WATCH_MS).unref();
    };
    try {
      for await (const event of this.#connection.watch<T>(path, query, signal, begun)) {
        hasEvents = true;
        this.#recovered();
        if (this.#isDoubtful(event) && !(await this.#isConfirmed(event))) return;
        this.#take(event);
        // A refresh found the CRD gone.
        if (this.#revision === undefined) return;
      }
    } finally {
      clearTimeout(sound);
    }
    if (!hasEvents && !signal.aborted) throw new ApiError(0, 'EndedAtOnce', 'the watch ended without an event');
    this.#options.metrics?.watchEnded(this.resource.plural, 'Ended');
  }

  #isDoubtful({ type }: WatchEvent<T>): boolean {
    return type === 'DELETED' && this.#options.crd !== undefined;
  }

  /**
   * Whether a deletion counts. If not, the rest of this watch counts as little. One answer counts for every deletion
   * that was there before it was asked for: many objects are deleted at once, and each must not wait for its own.
   */
  async #isConfirmed({ receivedAt = Number.POSITIVE_INFINITY }: WatchEvent<T>): Promise<boolean> {
    if (receivedAt < this.#confirmedAt) return true;
    const askedAt = performance.now();
    const verdict = (await this.#options.crd?.look()) ?? 'Intact';
    if (verdict === 'Away') this.#hold();
    if (verdict === 'Replaced') this.#revision = undefined;
    if (verdict === 'Intact') this.#confirmedAt = askedAt;
    return verdict === 'Intact';
  }

  #take(event: WatchEvent<T>): void {
    const revision = Number(event.object.metadata.resourceVersion);
    // Already known from a list that was newer than the watch.
    if (this.#revision !== undefined && revision <= this.#revision) return;
    if (event.type === 'DELETED') this.#put(keyOf(event.object), undefined);
    else if (event.type !== 'BOOKMARK') {
      const isKept = this.resource.keep?.(event.object) ?? true;
      this.#put(keyOf(event.object), isKept ? this.#trimmed(event.object) : undefined);
    }
    this.#revision = revision;
  }

  #trimmed(object: T): T {
    const { trim = (whole: T) => whole, kind } = this.resource;
    return { apiVersion: apiVersionOf(this.resource), kind, ...trim(object) };
  }

  #put(key: string, after: T | undefined): void {
    clearTimeout(this.#missing.get(key));
    this.#missing.delete(key);
    const known = this.#store.get(key);
    if (known?.metadata.resourceVersion === after?.metadata.resourceVersion) return;
    const before = this.#store.put(key, after);
    this.#options.metrics?.changed(this.resource.plural, this.#store.size);
    const change = { key, ...(before && { before }), ...(after && { after }) };
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error('a listener threw', { key, error });
      }
    }
  }

  /** Waits for an object that a new CRD came without. */
  #expect(key: string): void {
    if (this.#missing.has(key)) return;
    const timer = setTimeout(() => this.#put(key, undefined), this.#options.crd?.graceMs ?? 0);
    this.#missing.set(key, timer.unref());
  }

  #hold(): void {
    this.#revision = undefined;
    for (const timer of this.#missing.values()) clearTimeout(timer);
    this.#missing.clear();
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#options.metrics?.synced(this.resource.plural, false);
    this.#log.warn('the custom resource definition is away: the last state stays', { objects: this.#store.size });
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { reason, status, retryAfterMs = 0 } = error instanceof ApiError ? error : UNKNOWN_ERROR;
    this.#options.metrics?.watchEnded(this.resource.plural, reason);
    const isDoubtful = status > 0 && this.#backoff.failures >= LIST_AFTER_FAILURES;
    if (isGone(error) || isNotFound(error) || isDoubtful) this.#revision = undefined;
    // Waiting for a CRD is no outage of the API server: it is asked about as often as in the first half minute.
    if (this.#isHeld && this.#backoff.failures > LIST_AFTER_FAILURES) this.#backoff.reset();
    const isFirst = this.#backoff.failures === 0;
    const delayMs = Math.max(this.#backoff.nextMs(), retryAfterMs);
    // 410 is no fault of the API server: the first time it is answered by a list at once.
    if (isGone(error) && isFirst) return;
    if (isFirst && !this.#isHeld) this.#log.warn('watch interrupted', { why: reason, error });
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
  }

  #recovered(): void {
    if (this.#backoff.failures === 0) return;
    if (!this.#isHeld) this.#log.info('watch resumed', { tries: this.#backoff.failures });
    this.#backoff.reset();
  }
}

function watchQueryOf<T extends KubernetesObject>(
  { fieldSelector, labelSelector }: Resource<T>,
  revision: number,
  random: number,
): Readonly<Record<string, string>> {
  return {
    ...(fieldSelector && { fieldSelector }),
    ...(labelSelector && { labelSelector }),
    resourceVersion: String(revision),
    allowWatchBookmarks: 'true',
    timeoutSeconds: String(Math.round(WATCH_SECONDS * (1 + random))),
  };
}
