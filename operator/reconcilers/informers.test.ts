import * as assert from 'uvu/assert';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { CrdGuard } from '../cluster/crd-guard.ts';
import type { KubernetesObject } from '../cluster/objects.ts';
import { FakeApiServer } from '../cluster/testing/fake-api-server.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { Informers } from './informers.ts';

const established = { conditions: [{ type: 'Established', status: 'True' }] };
const KINDS = [
  'ipaddresspools',
  'l2advertisements',
  'bgpadvertisements',
  'bgppeers',
  'bfdprofiles',
  'communities',
  'configurationstates',
];

const OUR_KINDS = ['poolsets.heraldlb.io', 'addressreservations.heraldlb.io', 'addressquotas.heraldlb.io'];

/** Runs the operator's informers against an API server in memory that serves `body` a while. */
async function running(
  body: (fake: FakeApiServer, informers: Informers, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const fake = await FakeApiServer.start();
  for (const name of [...KINDS.map((kind) => `${kind}.metallb.io`), ...OUR_KINDS])
    fake.put('customresourcedefinitions', { metadata: { name }, status: established } as KubernetesObject);
  const connection = fake.connect();
  const metrics = { listed: () => {}, watchEnded: () => {}, changed: () => {}, synced: () => {} };
  const guardOf = (resource: ConstructorParameters<typeof CrdGuard>[1]) => new CrdGuard(connection, resource);
  const informers = new Informers(connection, { log: memoryLogger(), metrics, guardOf }, 'herald-system');
  const ending = new AbortController();
  const runs = informers.all.map((informer) => informer.run(ending.signal));
  try {
    await body(fake, informers, ending.signal);
  } finally {
    ending.abort();
    connection.close();
    fake.close();
    await Promise.all(runs);
  }
}

spec("the operator's informers", (test) => {
  test('are ready once everything was listed', () =>
    running(async (_, informers, signal) => {
      assert.match(informers.readiness().why ?? '', 'waiting for services, namespaces, ipaddresspools');
      await informers.refreshed(performance.now(), signal);
      assert.equal(informers.readiness(), { ready: true });
    }));
  test('try again when an API server that came back refuses a list', () =>
    running(async (fake, informers, signal) => {
      await informers.refreshed(performance.now(), signal);
      fake.refuse(3, 429, 'TooManyRequests');
      await informers.refreshed(performance.now(), signal);
    }));
  test('wake those who decide by a spec or labels, and not by a status', () =>
    running(async (fake, informers, signal) => {
      let woken = 0;
      informers.onConfig(() => {
        woken += 1;
      });
      const pool = poolObject('a', ['10.0.0.0/24']);
      fake.put('ipaddresspools', pool);
      await informers.refreshed(performance.now(), signal);
      await eventually('the pool is known', () => woken === 1);
      fake.put('ipaddresspools', { ...pool, status: { assignedIPv4: 7 } } as KubernetesObject);
      await eventually('its status is known', () => informers.stores.pools.list()[0]?.status?.assignedIPv4 === 7);
      assert.is(woken, 1);
      fake.put('ipaddresspools', { ...pool, metadata: { ...pool.metadata, labels: { site: 'x' } } });
      await eventually('its label wakes', () => woken === 2);
      const annotations = { 'heraldlb.io/allow-disruption': '0123456789ab' };
      fake.put('ipaddresspools', { ...pool, metadata: { ...pool.metadata, labels: { site: 'x' }, annotations } });
      await eventually('what it allows wakes', () => woken === 3);
    }));
  test('tell each Service that comes or goes', () =>
    running(async (fake, informers, signal) => {
      const told: string[] = [];
      informers.onService((key) => told.push(key));
      await informers.refreshed(performance.now(), signal);
      fake.put('services', {
        metadata: { namespace: 'shop', name: 'web' },
        spec: { type: 'LoadBalancer' },
      } as KubernetesObject);
      await eventually('it came', () => told.length === 1);
      fake.delete('services', 'web', 'shop');
      await eventually('it went', () => told.length === 2);
      assert.equal(told, ['shop/web', 'shop/web']);
    }));
});
