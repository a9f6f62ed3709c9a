/** The informer on a real API server: restarts, compaction, pages, selectors and the life of a CRD. */

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { customResourceDefinition } from '../../crds/definition.ts';
import { ipAddressPoolKind } from '../../crds/ip-address-pool.ts';
import { spec } from '../../testing/spec.ts';
import type { ApiConnection } from './api-connection.ts';
import { CrdGuard } from './crd-guard.ts';
import type { KubernetesObject } from './objects.ts';
import { createObject, deleteObject, getObject } from './requests.ts';
import { collectionPath, objectPath, type Resource, resources } from './resource.ts';
import {
  connection,
  create,
  fieldManager,
  forEach,
  informed,
  namespace,
  remove,
  server,
} from './testing/real-cluster.ts';
import { eventually } from './testing/waiting.ts';

spec(
  'informer on a real API server',
  (test) => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      test(`goes on within two seconds after the API server was restarted by ${signal}`, () =>
        informed(resources.services, async (informer) => {
          const name = `restart-${signal.toLowerCase()}`;
          await server.stopApi(signal);
          await server.startApi();
          await create(name);
          await eventually('it is there', () => informer.store.get(`default/${name}`), 2_000);
          await remove(name);
          await eventually('it is gone', () => !informer.store.get(`default/${name}`));
        }));
    }

    test('a watch that was given up while its connection was being made does no harm to the next', async () => {
      const fresh = server.connect();
      const path = collectionPath(resources.services);
      const query = { resourceVersion: '0', timeoutSeconds: '1' };
      for (let round = 0; round < 5; round += 1) {
        const giveUp = new AbortController();
        const given = (async () => {
          for await (const _ of fresh.watch(path, query, giveUp.signal));
        })();
        giveUp.abort();
        await given;
        await sleep(100);
        const startedAt = performance.now();
        for await (const _ of fresh.watch(path, query, new AbortController().signal));
        assert.ok(performance.now() - startedAt < 4_000);
      }
      fresh.close();
    });

    test('lists again after 410 and misses no deletion', async () => {
      await create('before');
      let isCut = false;
      const cuttable: ApiConnection = {
        request: (request) => connection.request(request),
        close: () => undefined,
        async *watch(path, query, signal) {
          if (isCut) throw new Error('cut');
          const cut = new AbortController();
          const timer = setInterval(() => isCut && cut.abort(), 10);
          try {
            yield* connection.watch<never>(path, query, AbortSignal.any([signal, cut.signal]));
          } finally {
            clearInterval(timer);
          }
        },
      };
      await informed(
        resources.services,
        async (informer, ends) => {
          isCut = true;
          await eventually('the watch is cut', () => ends.length > 0);
          await remove('before');
          await create('after');
          // A watch cache that begins anew, and an etcd that has forgotten: nobody can replay what happened.
          await server.compact();
          await server.stopApi();
          await server.startApi();
          isCut = false;
          await eventually('it caught up', () => informer.store.get('default/after'), 12_000);
          assert.not(informer.store.get('default/before'));
          assert.ok(ends.includes('Expired') || ends.includes('Gone'), ends.join(' '));
        },
        cuttable,
      );
      await remove('after');
    });

    test('reads a list of several pages', async () => {
      const names = Array.from({ length: 1_100 }, (_, at) => `page-${at}`);
      const secret = (name: string) => ({ metadata: { name, namespace } });
      await forEach(names, (name) => createObject(connection, resources.secrets, secret(name), { fieldManager }));
      await informed(resources.secrets, async (informer) => assert.is(informer.store.size, names.length));
    });

    test('a Service that changes its type leaves the store', async () => {
      await create('changes-type');
      await informed(resources.services, async (informer) => {
        assert.ok(informer.store.get('default/changes-type'));
        await connection.request({
          method: 'PATCH',
          path: objectPath(resources.services, { namespace, name: 'changes-type' }),
          body: { spec: { type: 'ClusterIP' } },
          contentType: 'application/merge-patch+json',
        });
        await eventually('it left', () => !informer.store.get('default/changes-type'));
      });
      await remove('changes-type');
    });

    test('keeps pools while their CRD is deleted and made anew', async () => {
      const crd = customResourceDefinition(ipAddressPoolKind) as unknown as KubernetesObject;
      const pools = resources.ipAddressPools as unknown as Resource<KubernetesObject>;
      const pool = (name: string) =>
        ({ metadata: { name, namespace }, spec: { addresses: ['192.0.2.0/28'] } }) as KubernetesObject;
      const define = async () => {
        await createObject(connection, resources.customResourceDefinitions, crd, { fieldManager });
        const guard = new CrdGuard(connection, pools);
        await eventually('the CRD is in force', async () => (await guard.look()) === 'Intact', 20_000);
        await eventually(
          'the kind is served',
          () =>
            connection.request({ method: 'GET', path: collectionPath(pools) }).then(
              () => true,
              () => false,
            ),
          20_000,
        );
      };
      await define();
      for (const name of ['a', 'b']) await createObject(connection, pools, pool(name), { fieldManager });
      const changes: string[] = [];
      await informed(
        pools,
        async (informer) => {
          informer.onChange(({ key, after }) => changes.push(`${after ? '~' : '-'} ${key}`));
          await deleteObject(connection, resources.customResourceDefinitions, crd.metadata);
          await eventually('it holds', () => informer.isHeld, 10_000);
          await eventually(
            'the CRD is gone',
            async () => !(await getObject(connection, resources.customResourceDefinitions, crd.metadata)),
            10_000,
          );
          assert.equal([informer.store.size, informer.hasSynced], [2, false]);
          await define();
          await createObject(connection, pools, pool('a'), { fieldManager });
          await eventually('it has synced again', () => informer.hasSynced && changes.length > 0, 10_000);
          assert.equal([changes, informer.store.size], [['~ default/a'], 2]);
          await createObject(connection, pools, pool('b'), { fieldManager });
          await eventually('both came back', () => changes.length === 2);
          await deleteObject(connection, pools, { namespace, name: 'b' });
          await eventually('a deletion by hand counts', () => informer.store.size === 1);
        },
        connection,
        { crd: new CrdGuard(connection, pools) },
      );
    });
  },
  { timeoutMs: 60_000 },
);
