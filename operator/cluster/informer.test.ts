import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { CrdGuard } from './crd-guard.ts';
import { type Change, Informer, type InformerOptions } from './informer.ts';
import type { KubernetesObject, Service } from './objects.ts';
import { collectionPath, crdNameOf, resources } from './resource.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually, memoryLogger } from './testing/waiting.ts';

const service = (name: string, clusterIP = '10.96.0.1'): Service => ({
  metadata: { name, namespace: 'shop' },
  spec: { type: 'LoadBalancer', clusterIP },
});
const pool = (name: string): KubernetesObject => ({ metadata: { name, namespace: 'herald-system' } });
const CRD = crdNameOf(resources.ipAddressPools);
const crd = (uid: string, status = 'True') => ({
  metadata: { name: CRD, uid },
  status: { conditions: [{ type: 'Established', status }] },
});
const quick = { backoff: { baseMs: 5, capMs: 20 } };

/** An informer of `resource` that runs against a fake API server until the test is over. */
async function running<T extends KubernetesObject>(
  resource: Informer<T>['resource'],
  prepare: (fake: FakeApiServer) => void,
  body: (parts: {
    fake: FakeApiServer;
    informer: Informer<T>;
    changes: string[];
    log: ReturnType<typeof memoryLogger>;
  }) => Promise<void>,
  options: Partial<InformerOptions<T>> & { graceMs?: number } = {},
): Promise<void> {
  const fake = await FakeApiServer.start();
  prepare(fake);
  const connection = fake.connect();
  const log = memoryLogger();
  const { graceMs, ...rest } = options;
  const guard = graceMs === undefined ? {} : { crd: new CrdGuard(connection, resource, { graceMs }) };
  const informer = new Informer<T>(connection, resource, { log, ...quick, ...guard, ...rest });
  const changes: string[] = [];
  informer.onChange((change) => changes.push(inWords(change)));
  const stop = new AbortController();
  const run = informer.run(stop.signal);
  try {
    await body({ fake, informer, changes, log });
  } finally {
    stop.abort();
    await run;
    connection.close();
    fake.close();
  }
}

const inWords = <T>({ key, before, after }: Change<T>): string => `${before ? (after ? '~' : '-') : '+'} ${key}`;

spec('informer', (test) => {
  test('lists, tells each object, and then follows the watch', () =>
    running(
      resources.services,
      (fake) => fake.put('services', service('a')),
      async ({ fake, informer, changes }) => {
        await informer.synced();
        assert.equal(changes, ['+ shop/a']);
        fake.put('services', service('b'));
        fake.put('services', service('a', '10.96.0.2'));
        fake.delete('services', 'b', 'shop');
        await eventually('the watch has brought it all', () => changes.length === 4);
        assert.equal(changes, ['+ shop/a', '+ shop/b', '~ shop/a', '- shop/b']);
        assert.is(informer.store.get('shop/a')?.spec.clusterIP, '10.96.0.2');
        assert.is(informer.store.get('shop/a')?.kind, 'Service');
        assert.is(fake.requests.filter((request) => request.startsWith('GET')).length, 1);
      },
    ));

  test('pages through a large list', () =>
    running(
      resources.services,
      (fake) => {
        for (let at = 0; at < 1_201; at += 1) fake.put('services', service(`s${at}`));
      },
      async ({ fake, informer }) => {
        await informer.synced();
        assert.is(informer.store.size, 1_201);
        assert.is(fake.requests.filter((request) => request === 'GET services').length, 3);
      },
    ));

  test('finds what happened while the connection was broken, deletions too', () =>
    running(
      resources.services,
      (fake) => ['a', 'b'].map((name) => fake.put('services', service(name))),
      async ({ fake, informer, changes, log }) => {
        await informer.synced();
        fake.down();
        fake.delete('services', 'a', 'shop');
        fake.put('services', service('c'));
        await eventually('it tried again and again', () => fake.requests.length > 5);
        fake.up();
        await eventually('it caught up', () => changes.length === 4);
        assert.equal(changes.slice(2), ['- shop/a', '+ shop/c']);
        assert.equal(log.lines, ['warn watch interrupted', 'info watch resumed']);
      },
    ));

  test('lists again after 410 and tells only the difference', () =>
    running(
      resources.services,
      (fake) => ['a', 'b'].map((name) => fake.put('services', service(name))),
      async ({ fake, informer, changes }) => {
        await informer.synced();
        fake.down();
        fake.delete('services', 'a', 'shop');
        fake.compact();
        fake.up();
        await eventually('it has noticed', () => changes.length === 3);
        assert.equal(changes, ['+ shop/a', '+ shop/b', '- shop/a']);
        assert.ok(informer.hasSynced);
      },
    ));

  test('resumes from a bookmark, so that a quiet kind needs no list after compaction', () =>
    running(
      resources.services,
      (fake) => fake.put('services', service('a')),
      async ({ fake, informer, changes }) => {
        await informer.synced();
        await eventually('it watches', () => fake.requests.includes('WATCH services'));
        fake.put('nodes', { metadata: { name: 'elsewhere' } });
        fake.bookmark('services');
        fake.put('services', service('b'));
        await eventually('the bookmark is behind it', () => changes.length === 2);
        fake.endWatches();
        await eventually('it watches again', () => fake.requests.filter((r) => r.startsWith('WATCH')).length === 2);
        assert.is(fake.requests.filter((request) => request === 'GET services').length, 1);
      },
    ));

  for (const [status, reason] of [
    [500, 'InternalError'],
    [429, 'TooManyRequests'],
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
  ] as const) {
    test(`survives ${status} on list and watch`, () =>
      running(
        resources.services,
        (fake) => {
          fake.put('services', service('a'));
          fake.refuse(6, status, reason);
        },
        async ({ fake, informer }) => {
          await informer.synced();
          fake.refuse(6, status, reason);
          fake.cut();
          fake.put('services', service('b'));
          await eventually('it is back', () => informer.store.size === 2);
        },
      ));
  }

  test('goes on when a listener throws', () =>
    running(
      resources.services,
      () => undefined,
      async ({ fake, informer, changes, log }) => {
        informer.onChange(() => {
          throw new Error('listener');
        });
        await informer.synced();
        fake.put('services', service('a'));
        fake.put('services', service('b'));
        await eventually('both arrived', () => changes.length === 2);
        assert.ok(log.lines.includes('error a listener threw'));
      },
    ));

  test('a refresh brings what the watch has not brought yet, and the watch does not undo it', () =>
    running(
      resources.services,
      (fake) => fake.put('services', service('a')),
      async ({ fake, informer, changes }) => {
        await informer.synced();
        await eventually('it watches', () => fake.requests.includes('WATCH services'));
        fake.holdBack();
        fake.put('services', service('b'));
        fake.put('services', service('short-lived'));
        fake.delete('services', 'short-lived', 'shop');
        fake.delete('services', 'a', 'shop');
        await informer.refresh();
        assert.equal(changes, ['+ shop/a', '+ shop/b', '- shop/a']);
        fake.release();
        fake.put('services', service('c'));
        await eventually('the watch goes on', () => informer.store.size === 2);
        assert.equal(changes.slice(3), ['+ shop/c']);
      },
    ));

  test('a list that is older than what the watch has brought changes nothing', () =>
    running(
      resources.services,
      (fake) => fake.put('services', service('a')),
      async ({ fake, informer, changes }) => {
        await informer.synced();
        await eventually('it watches', () => fake.requests.includes('WATCH services'));
        fake.lag = async () => {
          fake.put('services', service('b'));
          await eventually('the watch was faster', () => changes.length === 2);
        };
        await informer.refresh();
        assert.equal(changes, ['+ shop/a', '+ shop/b']);
      },
    ));

  test('a quiet watch is as good as before one second after it began', () =>
    running(
      resources.services,
      () => undefined,
      async ({ fake, informer, log }) => {
        await informer.synced();
        await eventually('it watches', () => fake.requests.includes('WATCH services'));
        fake.cut();
        await eventually('it says so', () => log.lines.includes('info watch resumed'));
      },
    ));

  test('a refresh fails when the API server does not answer', () =>
    running(
      resources.services,
      () => undefined,
      async ({ fake, informer }) => {
        await informer.synced();
        fake.down();
        const failed = await informer.refresh().then(
          () => false,
          () => true,
        );
        assert.ok(failed);
      },
    ));

  test('indexes follow changes and deletions', () =>
    running(
      resources.services,
      (fake) => ['a', 'b'].map((name) => fake.put('services', service(name))),
      async ({ fake, informer }) => {
        await informer.synced();
        const named = (value: string) => informer.store.by('clusterIP', value).map(({ metadata }) => metadata.name);
        assert.equal(named('10.96.0.1'), ['a', 'b']);
        fake.put('services', service('a', '10.96.0.9'));
        fake.delete('services', 'b', 'shop');
        await eventually('the index followed', () => named('10.96.0.1').length === 0);
        assert.equal(named('10.96.0.9'), ['a']);
      },
      { indexes: { clusterIP: ({ spec }: Service) => [spec.clusterIP ?? ''] } },
    ));

  test('synced ends with the signal of who waits', () =>
    running(
      resources.services,
      (fake) => fake.refuse(1_000, 500, 'InternalError'),
      async ({ informer }) => {
        const stop = new AbortController();
        const waiting = informer.synced(stop.signal).then(
          () => 'synced',
          () => 'aborted',
        );
        stop.abort();
        assert.is(await waiting, 'aborted');
      },
    ));
});

spec('informer of a kind with a CRD', (test) => {
  const pools = resources.ipAddressPools as unknown as Informer<KubernetesObject>['resource'];
  const withTwoPools = (fake: FakeApiServer) => {
    fake.put('customresourcedefinitions', crd('first'));
    fake.put('ipaddresspools', pool('a'));
    fake.put('ipaddresspools', pool('b'));
  };
  /** What the API server does when a CRD is deleted: terminating first, then the objects, then the kind. */
  const deleteCrd = (fake: FakeApiServer) => {
    fake.put('customresourcedefinitions', {
      ...crd('first'),
      metadata: { name: CRD, uid: 'first', deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    for (const name of ['a', 'b']) fake.delete('ipaddresspools', name, 'herald-system');
    fake.delete('customresourcedefinitions', CRD);
    fake.unserve('ipaddresspools');
    fake.compact();
  };

  test('counts a deletion by hand', () =>
    running(
      pools,
      withTwoPools,
      async ({ fake, informer, changes }) => {
        await informer.synced();
        fake.delete('ipaddresspools', 'a', 'herald-system');
        await eventually('it is gone', () => informer.store.size === 1);
        assert.is(changes.at(-1), '- herald-system/a');
        assert.not(informer.isHeld);
      },
      { graceMs: 60_000 },
    ));

  test('keeps its objects while the CRD is away, and takes them back with it', () =>
    running(
      pools,
      withTwoPools,
      async ({ fake, informer, changes }) => {
        await informer.synced();
        deleteCrd(fake);
        await eventually('it holds', () => informer.isHeld);
        assert.not(informer.hasSynced);
        assert.is(informer.store.size, 2);
        fake.serve('ipaddresspools');
        fake.put('customresourcedefinitions', crd('second'));
        fake.put('ipaddresspools', pool('a'));
        await eventually('it has synced again', () => informer.hasSynced);
        assert.is(informer.store.size, 2);
        fake.put('ipaddresspools', pool('b'));
        await eventually('both are the new ones', () => changes.length === 4);
        assert.equal(changes.slice(2), ['~ herald-system/a', '~ herald-system/b']);
      },
      { graceMs: 60_000 },
    ));

  test('lets an object go that did not come back within the grace', () =>
    running(
      pools,
      withTwoPools,
      async ({ fake, informer, changes }) => {
        await informer.synced();
        deleteCrd(fake);
        await eventually('it holds', () => informer.isHeld);
        fake.serve('ipaddresspools');
        fake.put('customresourcedefinitions', crd('second'));
        fake.put('ipaddresspools', pool('a'));
        await eventually('the other one is given up', () => informer.store.size === 1);
        assert.is(changes.at(-1), '- herald-system/b');
      },
      { graceMs: 150 },
    ));

  test('keeps an object that came back within the grace', () =>
    running(
      pools,
      withTwoPools,
      async ({ fake, informer, changes }) => {
        await informer.synced();
        deleteCrd(fake);
        await eventually('it holds', () => informer.isHeld);
        fake.serve('ipaddresspools');
        fake.put('customresourcedefinitions', crd('second'));
        await informer.synced();
        fake.put('ipaddresspools', pool('a'));
        await eventually('one is given up, the other one is not', () => changes.includes('- herald-system/b'));
        await sleep(150);
        assert.equal(
          informer.store.list().map(({ metadata }) => metadata.name),
          ['a'],
        );
      },
      { graceMs: 150 },
    ));

  test('does not believe deletions of a CRD that was replaced before they arrived', () =>
    running(
      pools,
      withTwoPools,
      async ({ fake, informer, changes }) => {
        await informer.synced();
        await eventually('it watches', () => fake.requests.includes('WATCH ipaddresspools'));
        fake.put('customresourcedefinitions', crd('second'));
        for (const name of ['a', 'b']) fake.delete('ipaddresspools', name, 'herald-system');
        await eventually('it listed again', () => fake.requests.filter((r) => r === 'GET ipaddresspools').length === 2);
        fake.put('ipaddresspools', pool('b'));
        await eventually('what came back counts', () => changes.length === 3);
        assert.is(informer.store.size, 2);
        assert.is(changes.at(-1), '~ herald-system/b');
      },
      { graceMs: 60_000 },
    ));

  test('is not synced before the CRD is there', () =>
    running(
      pools,
      (fake) => fake.unserve('ipaddresspools'),
      async ({ fake, informer }) => {
        await eventually('it holds', () => informer.isHeld);
        withTwoPools(fake);
        fake.serve('ipaddresspools');
        await informer.synced();
        assert.is(informer.store.size, 2);
      },
      { graceMs: 60_000 },
    ));

  test('does not list again what was listed since it mattered', () =>
    running(pools, withTwoPools, async ({ fake, informer }) => {
      const before = performance.now();
      await informer.synced();
      fake.refuse(1, 429, 'TooManyRequests');
      await informer.refresh(before - 60_000);
      let isRefused = false;
      await informer.refresh(performance.now()).catch(() => {
        isRefused = true;
      });
      assert.ok(isRefused);
    }));

  test('asks about the CRD once for deletions that come together', () =>
    running(
      pools,
      (fake) => {
        fake.put('customresourcedefinitions', crd('first'));
        for (let at = 0; at < 50; at += 1) fake.put('ipaddresspools', pool(`p${at}`));
      },
      async ({ fake, informer }) => {
        await informer.synced();
        await eventually('it watches', () => fake.requests.some((request) => request === 'WATCH ipaddresspools'));
        const looks = () => fake.requests.filter((request) => request.includes(CRD)).length;
        const before = looks();
        for (let at = 0; at < 50; at += 1) fake.delete('ipaddresspools', `p${at}`, 'herald-system');
        await eventually('all are gone', () => informer.store.size === 0);
        assert.ok(looks() - before < 10, `${looks() - before} looks`);
      },
      { graceMs: 60_000 },
    ));

  test('of a kind that need not be served is complete without it, and has it when it comes', () =>
    running(
      pools,
      (fake) => fake.unserve('ipaddresspools'),
      async ({ fake, informer, log }) => {
        await informer.synced();
        assert.is(informer.store.size, 0);
        assert.equal(log.lines, ['info the API server does not serve the kind']);
        withTwoPools(fake);
        fake.serve('ipaddresspools');
        await informer.refresh();
        assert.is(informer.store.size, 2);
      },
      { isOptional: true },
    ));

  test('of a kind that need not be served from the start keeps its objects when the CRD goes', () =>
    running(
      pools,
      withTwoPools,
      async ({ fake, informer }) => {
        await informer.synced();
        deleteCrd(fake);
        await eventually('it holds', () => informer.isHeld);
        assert.is(informer.store.size, 2);
      },
      { isOptional: true, graceMs: 60_000 },
    ));

  test('asks where its kind lives', () => {
    assert.is(collectionPath(pools), '/apis/metallb.io/v1beta1/ipaddresspools');
    assert.is(CRD, 'ipaddresspools.metallb.io');
  });
});
