import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { type ApiConnection, ApiError, type ApiRequest, type WatchEvent } from '../cluster/api-connection.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { type AnnouncedHere, announcedHere, L2StatusReporter, l2StatusNameOf } from './l2-status.ts';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Stored {
  labels?: Record<string, string>;
  ownerReferences?: readonly { uid: string }[];
  status?: unknown;
}

/** ServiceL2Statuses in memory, as far as server-side apply by one manager goes: what is applied replaces what was. */
class Statuses {
  readonly objects = new Map<string, Stored>();
  readonly writes: string[] = [];
  failures = 0;
  readonly #events: WatchEvent<unknown>[] = [];
  #revision = 7;

  readonly connection: ApiConnection = {
    request: async <T>(request: ApiRequest): Promise<T> => this.#answer(request) as T,
    watch: <T>(_path: string, _query: object, signal: AbortSignal) =>
      this.#watch(signal) as AsyncGenerator<WatchEvent<T>>,
    close: () => {},
  };

  /** Takes an object away, as somebody with kubectl would, and says so to the watch if it bore the label of node a. */
  remove(name: string, successor?: Stored): void {
    const known = this.objects.get(name);
    if (successor) this.objects.set(name, successor);
    else this.objects.delete(name);
    if (known) this.#events.push({ type: 'DELETED', object: this.#whole(name, known) });
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<WatchEvent<unknown>> {
    while (!signal.aborted) {
      const event = this.#events.shift();
      if (event) yield event;
      else await pause(2);
    }
  }

  #whole(name: string, { status, ...metadata }: Stored): object {
    this.#revision += 1;
    return {
      metadata: { name, namespace: 'herald-system', resourceVersion: `${this.#revision}`, ...metadata },
      status,
    };
  }

  #answer({ method, path, body }: ApiRequest): unknown {
    const [, plural = '', name = '', subresource] =
      /\/(pods|servicel2statuses)(?:\/([^/]+))?(?:\/(status))?$/.exec(path) ?? [];
    if (plural === 'pods') return { metadata: { name, uid: 'pod-uid' } };
    if (method === 'GET' && name === '') return this.#list();
    const known = this.objects.get(name);
    if (method === 'GET' && !known) throw new ApiError(404, 'NotFound', name);
    if (method === 'GET') return { metadata: { name, namespace: 'herald-system', resourceVersion: '7', ...known } };
    this.writes.push(`${method} ${name}${subresource ? '/status' : ''}`);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new ApiError(500, 'InternalError', 'not now');
    }
    if (method === 'DELETE') this.remove(name);
    else this.#applied(name, body as { metadata: Stored; status?: unknown }, subresource);
    return { metadata: { name } };
  }

  #list(): unknown {
    const items = [...this.objects].map(([name, stored]) => this.#whole(name, stored));
    return { metadata: { resourceVersion: `${this.#revision}` }, items };
  }

  #applied(name: string, { metadata, status }: { metadata: Stored; status?: unknown }, subresource?: string): void {
    const known = this.objects.get(name) ?? {};
    const { labels = {}, ownerReferences = [] } = metadata;
    const stored = subresource ? { ...known, status } : { ...known, labels, ownerReferences };
    this.objects.set(name, stored);
    this.#events.push({ type: 'MODIFIED', object: this.#whole(name, stored) });
  }
}

const web: AnnouncedHere = { addresses: ['198.51.100.1'], interfaces: [], unanswered: [] };
const NAME = l2StatusNameOf('shop/web');

async function reporting(
  body: (stage: { statuses: Statuses; reporter: L2StatusReporter; told: string[] }) => Promise<void>,
  { isWanted = true, statuses = new Statuses() } = {},
): Promise<void> {
  const stopping = new AbortController();
  const told: string[] = [];
  const reporter = new L2StatusReporter({
    connection: statuses.connection,
    namespace: 'herald-system',
    node: 'a',
    podName: 'speaker-a',
    log: memoryLogger(),
    onAnnounced: (service) => void told.push(service),
    isWanted: () => isWanted,
    settleMs: 20,
    releaseMs: 30,
    pauseMs: 1,
    retryMs: 5,
  });
  const done = reporter.run(stopping.signal);
  try {
    await body({ statuses, reporter, told });
  } finally {
    stopping.abort();
    await done;
  }
}

spec('ServiceL2Status', (test) => {
  test('is written once, after the change has settled, and told once', () =>
    reporting(async ({ statuses, reporter, told }) => {
      reporter.announced(new Map([['shop/web', web]]));
      assert.equal(statuses.writes, []);
      await eventually('it is there', () => statuses.objects.get(NAME)?.status);
      reporter.announced(new Map([['shop/web', { ...web }]]));
      await pause(60);
      assert.equal(statuses.writes, [`PATCH ${NAME}`, `PATCH ${NAME}/status`]);
      assert.equal(told, ['shop/web']);
      assert.equal(statuses.objects.get(NAME), {
        labels: { 'metallb.io/node': 'a', 'metallb.io/service-name': 'web', 'metallb.io/service-namespace': 'shop' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'speaker-a', uid: 'pod-uid' }],
        status: { node: 'a', serviceName: 'web', serviceNamespace: 'shop', interfaces: [] },
      });
    }));
  test('is not written for what passes at once', () =>
    reporting(async ({ statuses, reporter }) => {
      reporter.announced(new Map([['shop/web', web]]));
      reporter.announced(new Map());
      await pause(100);
      assert.equal(statuses.writes, []);
    }));
  test('is deleted when nobody announces the Service any more', () =>
    reporting(async ({ statuses, reporter }) => {
      reporter.announced(new Map([['shop/web', web]]));
      await eventually('it is there', () => statuses.objects.get(NAME)?.status);
      reporter.announced(new Map());
      await eventually('it is gone', () => !statuses.objects.has(NAME));
    }));
  test('is left to the successor that has taken it over', () =>
    reporting(async ({ statuses, reporter }) => {
      reporter.announced(new Map([['shop/web', web]]));
      await eventually('it is there', () => statuses.objects.get(NAME)?.status);
      statuses.objects.set(NAME, { labels: { 'metallb.io/node': 'b' } });
      reporter.announced(new Map());
      await pause(120);
      assert.ok(statuses.objects.has(NAME));
    }));
  test('is written again when somebody deletes it, and not told again', () =>
    reporting(async ({ statuses, reporter, told }) => {
      reporter.announced(new Map([['shop/web', web]]));
      await eventually('it is there', () => statuses.objects.get(NAME)?.status);
      statuses.remove(NAME);
      await eventually('it is there again', () => statuses.objects.get(NAME)?.status);
      await pause(60);
      assert.equal(told, ['shop/web']);
    }));
  test('is not written in turns with another node that announces the other family', () =>
    reporting(async ({ statuses, reporter }) => {
      reporter.announced(new Map([['shop/web', web]]));
      await eventually('it is there', () => statuses.objects.get(NAME)?.status);
      statuses.remove(NAME, { labels: { 'metallb.io/node': 'b' } });
      await pause(120);
      assert.equal(statuses.objects.get(NAME)?.labels, { 'metallb.io/node': 'b' });
    }));
  test('is tried again after a failure', () =>
    reporting(async ({ statuses, reporter, told }) => {
      statuses.failures = 2;
      reporter.announced(new Map([['shop/web', web]]));
      await eventually('it is there', () => statuses.objects.get(NAME)?.status && told.length === 1);
    }));
  test('of an earlier process of this node is deleted when it no longer holds', async () => {
    const statuses = new Statuses();
    const status = { node: 'a', serviceName: 'old', serviceNamespace: 'shop' };
    statuses.objects.set(l2StatusNameOf('shop/old'), { labels: { 'metallb.io/node': 'a' }, status });
    await reporting(
      async ({ reporter }) => {
        reporter.announced(new Map([['shop/web', web]]));
        await eventually('it is gone', () => !statuses.objects.has(l2StatusNameOf('shop/old')));
        assert.ok(statuses.objects.has(NAME));
      },
      { statuses },
    );
  });
  test('is not written where there are too many Services', () =>
    reporting(
      async ({ statuses, reporter, told }) => {
        reporter.announced(new Map([['shop/web', web]]));
        await pause(80);
        assert.equal([statuses.writes, told], [[], []]);
      },
      { isWanted: false },
    ));
  test('says which interfaces, and that an address is answered on none', () => {
    const owned = (address: string, interfaces: string[]) => ({ service: 'shop/web', address, interfaces, since: 0 });
    const desired = (address: string, interfaces: 'all' | string[]) => ({
      service: 'shop/web',
      address,
      candidates: ['a'],
      interfaces,
    });
    assert.equal(announcedHere([owned('1', ['eth1', 'eth0'])], [desired('1', 'all')]).get('shop/web')?.interfaces, []);
    assert.equal(
      announcedHere(
        [owned('1', ['eth1']), owned('2', ['eth0']), owned('3', [])],
        [desired('1', ['eth1']), desired('2', ['eth0']), desired('3', ['eth9'])],
      ).get('shop/web'),
      { addresses: ['1', '2', '3'], interfaces: ['eth0', 'eth1'], unanswered: ['3'] },
    );
  });
});
