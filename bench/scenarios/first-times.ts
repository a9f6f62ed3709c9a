/** Watches a collection and remembers when each object first was as asked for, and nothing else: thousands cost little. */

import type { KubeApi, KubeObject } from '../../e2e/lib/kube-api.ts';
import { keyOf } from '../../e2e/lib/observer.ts';
import { pause } from '../../e2e/lib/wait-for.ts';

/** After a watch that could not begin. */
const AGAIN_MS = 200;

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubeObject[];
}

const withQuery = (path: string, query: string): string => `${path}${path.includes('?') ? '&' : '?'}${query}`;

export class FirstTimes {
  /** Milliseconds since the epoch, by key, in order of arrival. */
  readonly times = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #isIt: (object: KubeObject) => boolean;
  #arrived: () => void = () => undefined;

  private constructor(isIt: (object: KubeObject) => boolean) {
    this.#isIt = isIt;
  }

  /** Resolves when the watch is about to begin; what is there already does not count. */
  static async watch(api: KubeApi, path: string, isIt: (object: KubeObject) => boolean): Promise<FirstTimes> {
    const first = new FirstTimes(isIt);
    const { metadata } = await api.get<List>(withQuery(path, 'limit=1'));
    void first.#follow(api, path, metadata.resourceVersion);
    return first;
  }

  /** When the `count`-th object came. @throws an Error when it does not within `withinMs` */
  count(count: number, withinMs: number, what: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${this.times.size} of ${count} ${what} within ${withinMs} ms`));
      }, withinMs);
      this.#arrived = () => {
        if (this.times.size < count) return;
        clearTimeout(timer);
        resolve([...this.times.values()][count - 1] ?? Number.NaN);
      };
      this.#arrived();
    });
  }

  /** Watches until it is stopped; what came while a watch was broken counts from the list after it. */
  async #follow(api: KubeApi, path: string, from: string): Promise<void> {
    const { signal } = this.#stop;
    for (let version: string | undefined = from; !signal.aborted; version = undefined) {
      try {
        await api.watch(path, version ?? (await this.#list(api, path)), signal, ({ type, object }) => {
          if (type === 'ADDED' || type === 'MODIFIED') this.#saw(object);
        });
      } catch {
        if (!signal.aborted) await pause(AGAIN_MS);
      }
    }
  }

  async #list(api: KubeApi, path: string): Promise<string> {
    const { metadata, items } = await api.get<List>(path);
    for (const object of items) this.#saw(object);
    return metadata.resourceVersion;
  }

  stop(): void {
    this.#stop.abort();
  }

  #saw(object: KubeObject): void {
    const key = keyOf(object);
    if (this.times.has(key) || !this.#isIt(object)) return;
    this.times.set(key, performance.timeOrigin + performance.now());
    this.#arrived();
  }
}
