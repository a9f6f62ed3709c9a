/** An informer that runs only while somebody wants its objects: else nothing is listed, watched or kept. */

import type { ApiConnection } from './api-connection.ts';
import { type Change, Informer, type InformerOptions } from './informer.ts';
import type { KubernetesObject } from './objects.ts';
import type { Resource } from './resource.ts';
import { type ReadonlyStore, Store } from './store.ts';

interface Running<T extends KubernetesObject> {
  readonly informer: Informer<T>;
  readonly stop: AbortController;
}

export class InformerOnDemand<T extends KubernetesObject> {
  readonly #make: () => Informer<T>;
  readonly #store = new Store<T>();
  readonly #listeners: ((change: Change<T>) => void)[] = [];
  readonly #ended: Promise<void>[] = [];
  #running: Running<T> | undefined;
  /** Set while `run` is under way. */
  #signal: AbortSignal | undefined;
  #isWanted = false;

  constructor(connection: ApiConnection, resource: Resource<T>, options: Omit<InformerOptions<T>, 'indexes'>) {
    this.#make = () => new Informer(connection, resource, options);
  }

  get store(): ReadonlyStore<T> {
    return this.#store;
  }

  /** Whether the store holds what is wanted: all of it, or nothing. */
  get hasSynced(): boolean {
    return !this.#isWanted || this.#running?.informer.hasSynced === true;
  }

  /** Calls `listener` for each change, in order, after the store has it; once nobody wants the objects, all are gone. */
  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
  }

  want(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    if (isWanted) this.#start();
    else this.#end();
  }

  /** Resolves at once while the objects are not wanted, else when they are there. @throws what `signal` was aborted with */
  async synced(signal?: AbortSignal): Promise<void> {
    await this.#running?.informer.synced(signal);
  }

  /** Lists afresh, by quorum, what is wanted. @throws {ApiError} when the API server does not answer */
  async refresh(): Promise<void> {
    await this.#running?.informer.refresh();
  }

  /** Works until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    if (this.#isWanted) this.#start();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#running?.stop.abort();
    await Promise.all(this.#ended);
  }

  #start(): void {
    if (!this.#signal || this.#signal.aborted || this.#running) return;
    const informer = this.#make();
    const stop = new AbortController();
    const running = { informer, stop };
    this.#running = running;
    informer.onChange(({ key, after }) => {
      if (this.#running === running) this.#put(key, after);
    });
    this.#ended.push(informer.run(stop.signal));
  }

  #end(): void {
    this.#running?.stop.abort();
    this.#running = undefined;
    for (const key of this.#store.keys()) this.#put(key, undefined);
  }

  #put(key: string, after: T | undefined): void {
    const before = this.#store.put(key, after);
    for (const listener of this.#listeners) listener({ key, ...(before && { before }), ...(after && { after }) });
  }
}
