import * as assert from 'uvu/assert';
import type { KubeApi, KubeObject, WatchEvent } from '../../e2e/lib/kube-api.ts';
import { spec } from '../../testing/spec.ts';
import { FirstTimes } from './first-times.ts';

const service = (name: string, isReady = true): KubeObject => ({ metadata: { name, namespace: 'shop' }, isReady });

/** Each watch shows one of `watches` and then ends; each list after the first shows `listed`. */
function apiOf(watches: readonly (readonly KubeObject[])[], listed: readonly KubeObject[]): KubeApi {
  let began = 0;
  return {
    get: async () => ({ metadata: { resourceVersion: '1' }, items: listed }),
    watch: async (_path: string, _version: string, signal: AbortSignal, onEvent: (event: WatchEvent) => void) => {
      for (const object of watches[began] ?? []) onEvent({ type: 'MODIFIED', object });
      began += 1;
      if (began >= watches.length) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  } as unknown as KubeApi;
}

spec('first times', (test) => {
  test('count each object once, also what came while the watch was broken', async () => {
    const api = apiOf(
      [[service('a'), service('a'), service('b', false)], [service('d')]],
      [service('a'), service('c')],
    );
    const first = await FirstTimes.watch(api, '/services', (object) => object['isReady'] === true);
    await first.count(3, 2_000, 'Services');
    first.stop();
    assert.equal([...first.times.keys()], ['shop/a', 'shop/c', 'shop/d']);
  });

  test('tell when too few come', async () => {
    const first = await FirstTimes.watch(apiOf([[service('a')]], []), '/services', () => true);
    const message = await first.count(2, 50, 'Services').then(
      () => '',
      ({ message }) => message as string,
    );
    first.stop();
    assert.is(message, '1 of 2 Services within 50 ms');
  });
});
