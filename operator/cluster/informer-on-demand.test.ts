import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { InformerOnDemand } from './informer-on-demand.ts';
import type { Service } from './objects.ts';
import { resources } from './resource.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually, memoryLogger } from './testing/waiting.ts';

const service = (name: string, externalIPs?: readonly string[]): Service => ({
  metadata: { name, namespace: 'shop' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.1', ...(externalIPs && { externalIPs }) },
});

spec('informer on demand', (test) => {
  test('asks for nothing until somebody wants it, keeps what is worth keeping, and lets go of it', async () => {
    const fake = await FakeApiServer.start();
    const connection = fake.connect();
    const informer = new InformerOnDemand(connection, resources.externalServices, { log: memoryLogger() });
    const changes: string[] = [];
    informer.onChange(({ key, before, after }) => changes.push(`${before ? (after ? '~' : '-') : '+'} ${key}`));
    const stop = new AbortController();
    const run = informer.run(stop.signal);
    try {
      fake.put('services', service('plain'));
      fake.put('services', service('named', ['192.0.2.1']));
      assert.ok(informer.hasSynced);
      assert.equal(fake.requests, []);

      informer.want(true);
      assert.not(informer.hasSynced);
      await informer.synced();
      assert.equal(changes, ['+ shop/named']);
      fake.put('services', service('plain', ['192.0.2.2']));
      fake.put('services', service('named'));
      await eventually('what came to name one is there, and what ceased to is not', () => changes.length === 3);
      assert.equal(changes.slice(1), ['+ shop/plain', '- shop/named']);
      assert.equal(
        informer.store.list().map(({ metadata }) => metadata.name),
        ['plain'],
      );

      informer.want(false);
      assert.is(informer.store.size, 0);
      assert.is(changes.at(-1), '- shop/plain');
      fake.put('services', service('plain', ['192.0.2.3']));
      informer.want(true);
      await informer.synced();
      assert.equal(informer.store.get('shop/plain')?.spec.externalIPs, ['192.0.2.3']);
    } finally {
      stop.abort();
      await run;
      connection.close();
      fake.close();
    }
  });
});
