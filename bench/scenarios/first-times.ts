/** Watches a collection and remembers when each object first was as asked for, and nothing else: thousands cost little. */

import type { KubeApi, KubeObject } from '../../e2e/lib/kube-api.ts';
import { keyOf } from '../../e2e/lib/observer.ts';

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
    const { metadata } = await api.get<{ metadata: { resourceVersion: string } }>(`${path}?limit=1`);
    void api
      .watch(path, metadata.resourceVersion, first.#stop.signal, ({ type, object }) => {
        if (type === 'ADDED' || type === 'MODIFIED') first.#saw(object);
      })
      .catch(() => undefined); // stopped, or `count` tells that too few came
    return first;
  }

  /** When the `count`-th object came. @throws an Error when it does not within `withinMs` */
  async count(count: number, withinMs: number, what: string): Promise<number> {
    const deadline = AbortSignal.timeout(withinMs);
    while (this.times.size < count) {
      await new Promise<void>((resolve, reject) => {
        this.#arrived = resolve;
        const fail = (): void => reject(new Error(`${this.times.size} of ${count} ${what} within ${withinMs} ms`));
        if (deadline.aborted) fail();
        deadline.addEventListener('abort', fail, { once: true });
      });
    }
    return [...this.times.values()][count - 1] ?? Number.NaN;
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
