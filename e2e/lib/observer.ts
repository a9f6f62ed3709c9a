/** Watches a collection and remembers each state it saw with the time of its arrival, across API outages. */

import type { KubeApi, KubeObject } from './kube-api.ts';
import { pause } from './wait-for.ts';

export interface Sighting {
  readonly object: KubeObject;
  readonly isDeleted: boolean;
  /** Milliseconds of `performance.now()`. */
  readonly atMs: number;
}

export const keyOf = ({ metadata }: KubeObject): string =>
  metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;

export class Observer {
  readonly sightings: Sighting[] = [];
  readonly #api: KubeApi;
  readonly #path: string;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(sighting: Sighting) => void>();

  private constructor(api: KubeApi, path: string) {
    this.#api = api;
    this.#path = path;
  }

  /** Resolves once the first list is in and the watch is under way. */
  static async start(api: KubeApi, path: string): Promise<Observer> {
    const observer = new Observer(api, path);
    const version = await observer.#list();
    void observer.#run(version);
    return observer;
  }

  /** The first sighting, past or to come, that `isIt` likes. */
  first(what: string, withinMs: number, isIt: (sighting: Sighting) => boolean): Promise<Sighting> {
    const seen = this.sightings.find(isIt);
    if (seen) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        end();
      };
      const listener = (sighting: Sighting): void => {
        if (isIt(sighting)) finish(() => resolve(sighting));
      };
      const timer = setTimeout(() => {
        const last = JSON.stringify(this.sightings.at(-1)?.object.status ?? null);
        finish(() => reject(new Error(`${what}: not within ${withinMs} ms; last status seen: ${last}`)));
      }, withinMs);
      this.#listeners.add(listener);
    });
  }

  /** When the first of these keys satisfied `isIt`, by key, in milliseconds of performance.now(). */
  firstTimes(isIt: (object: KubeObject) => boolean): Map<string, number> {
    const times = new Map<string, number>();
    for (const { object, atMs } of this.sightings)
      if (isIt(object) && !times.has(keyOf(object))) times.set(keyOf(object), atMs);
    return times;
  }

  stop(): void {
    this.#stop.abort();
  }

  #saw(object: KubeObject, isDeleted: boolean): void {
    const sighting = { object, isDeleted, atMs: performance.now() };
    this.sightings.push(sighting);
    for (const listener of this.#listeners) listener(sighting);
  }

  async #list(): Promise<string> {
    const list = await this.#api.get<{ metadata: { resourceVersion: string }; items: KubeObject[] }>(this.#path);
    for (const object of list.items) this.#saw(object, false);
    return list.metadata.resourceVersion;
  }

  async #run(firstVersion: string): Promise<void> {
    const { signal } = this.#stop;
    let version: string | undefined = firstVersion;
    while (!signal.aborted) {
      try {
        version ??= await this.#list();
        await this.#api.watch(this.#path, version, signal, ({ type, object }) => {
          if (type !== 'ERROR' && type !== 'BOOKMARK') this.#saw(object, type === 'DELETED');
        });
      } catch {
        // The API server is away: what it says when it is back is what counts.
      }
      version = undefined;
      if (!signal.aborted) await pause(200);
    }
  }
}
