/** Status writes and events on a real API server: who owns which field, conflicts, and what kubectl shows. */

import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { ConflictError } from './api-error.ts';
import { EventRecorder } from './events.ts';
import type { Service } from './objects.ts';
import { createObject } from './requests.ts';
import { objectPath, resources } from './resource.ts';
import { StatusWriter } from './status-writer.ts';
import {
  connection,
  create,
  fieldManager,
  forEach,
  informed,
  print,
  read,
  remove,
  server,
  service,
  trimmed,
} from './testing/real-cluster.ts';
import { memoryLogger } from './testing/waiting.ts';

const POOL = 'metallb.io/ip-allocated-from-pool';

/** MetalLB's controller: one UpdateStatus with the address and its annotation. */
async function writeAsMetallb(name: string, ip: string): Promise<void> {
  const current = await read(name);
  const body = {
    ...current,
    metadata: { ...current.metadata, annotations: { [POOL]: 'public', mine: 'stays' } },
    status: { loadBalancer: { ingress: [{ ip }] } },
  };
  const path = objectPath(resources.services, current.metadata, 'status');
  await connection.request({ method: 'PUT', path, query: { fieldManager: 'controller' }, body });
}

spec(
  'status on a real API server',
  (test) => {
    const writer = new StatusWriter(connection, { fieldManager });
    const assigned = (ip: string) => ({
      status: { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } },
      annotations: { [POOL]: 'public' },
    });

    test('is written once, and then never again', async () => {
      await create('once');
      assert.is(await writer.apply(await trimmed('once'), resources.services, assigned('192.0.2.1')), 'Written');
      const after = await trimmed('once');
      assert.is(await writer.apply(after, resources.services, assigned('192.0.2.1')), 'Unchanged');
      assert.is((await read('once')).metadata.resourceVersion, after.metadata.resourceVersion);
    });

    test('of an object that changed meanwhile is a conflict', async () => {
      await create('conflict');
      const seen = await trimmed('conflict');
      await writeAsMetallb('conflict', '192.0.2.9');
      await rejection(ConflictError, () => writer.apply(seen, resources.services, assigned('192.0.2.1')));
    });

    test('of an object that went meanwhile is a conflict', async () => {
      await create('went');
      const seen = await trimmed('went');
      await remove('went');
      await rejection(ConflictError, () => writer.apply(seen, resources.services, assigned('192.0.2.1')));
    });

    for (const [way, steps] of [
      ['adopted and then released', [assigned('192.0.2.1'), { status: {} }]],
      ['released at once', [{ status: {} }]],
      ['changed and then released', [assigned('192.0.2.2'), { status: {} }]],
    ] as const) {
      test(`that MetalLB wrote is empty when it was ${way}`, async () => {
        const name = way.replaceAll(' ', '-');
        await create(name);
        await writeAsMetallb(name, '192.0.2.1');
        for (const step of steps) await writer.apply(await trimmed(name), resources.services, step);
        const { status, metadata } = await read(name);
        assert.equal(status, { loadBalancer: {} });
        assert.equal(metadata.annotations, { mine: 'stays' });
        assert.is(await writer.apply(await trimmed(name), resources.services, { status: {} }), 'Unchanged');
      });
    }

    test("adoption leaves another controller's condition alone", async () => {
      await create('theirs');
      const theirs = {
        type: 'example.com/Theirs',
        status: 'True',
        reason: 'A',
        message: '',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      };
      const { metadata } = await read('theirs');
      await connection.request({
        method: 'PATCH',
        path: objectPath(resources.services, metadata, 'status'),
        query: { fieldManager: 'other' },
        contentType: 'application/merge-patch+json',
        body: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] }, conditions: [theirs] } },
      });
      await writer.apply(await trimmed('theirs'), resources.services, assigned('192.0.2.1'));
      await writer.apply(await trimmed('theirs'), resources.services, { status: {} });
      assert.equal((await read('theirs')).status, { loadBalancer: {}, conditions: [theirs] });
    });

    test('a thousand writes take no longer than the API server does', async () => {
      const names = Array.from({ length: 1_000 }, (_, at) => `many-${at}`);
      const many = (name: string) => ({
        ...service(name),
        spec: { ...service(name).spec, allocateLoadBalancerNodePorts: false },
      });
      await forEach(names, (name) => createObject(connection, resources.services, many(name), { fieldManager }));
      await informed(resources.services, async (informer) => {
        const startedAt = performance.now();
        const cpu = process.cpuUsage();
        const queue = [...names];
        const worker = async () => {
          for (let name = queue.pop(); name; name = queue.pop()) {
            const current = informer.store.get(`default/${name}`) as Service;
            await writer.apply(current, resources.services, assigned('192.0.2.1'));
          }
        };
        await Promise.all(Array.from({ length: 64 }, worker));
        const { user, system } = process.cpuUsage(cpu);
        const ours = (user + system) / 1_000;
        print(`1,000 writes in ${Math.round(performance.now() - startedAt)} ms, ${Math.round(ours)} ms of our CPU`);
        assert.ok(ours < 1_500, `${ours} ms of CPU`);
      });
    });
  },
  { timeoutMs: 60_000 },
);

spec(
  'events on a real API server',
  (test) => {
    test('kubectl describe shows them, repeats counted', async () => {
      await create('described');
      const recorder = new EventRecorder(connection, {
        component: 'herald-operator',
        instance: 'herald-operator-1',
        log: memoryLogger(),
        seriesEveryMs: 50,
      });
      const described = { apiVersion: 'v1', kind: 'Service', ...(await read('described')) };
      for (let at = 0; at < 3; at += 1) recorder.event(described, 'Warning', 'AllocationFailed', 'every pool is full');
      await recorder.flush();
      await sleep(200);
      await recorder.flush();
      const { url, token } = JSON.parse(server.address) as { url: string; token: string };
      const kubectl = ['kubectl', '--server', url, '--token', token, '--insecure-skip-tls-verify'];
      const described_ = spawnSync(process.env['HYPERKUBE'] ?? '', [...kubectl, 'describe', 'service', 'described']);
      const text = described_.stdout.toString();
      assert.match(text, /Warning\s+AllocationFailed\s+.*\(x3 over .*\)\s+herald-operator\s+every pool is full/);
    });
  },
  { timeoutMs: 20_000 },
);
