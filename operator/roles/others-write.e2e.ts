/** What others write, judged by the managedFields of a real API server, with the real operator as a process of its own. */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { conditionOf } from '../cluster/conditions.ts';
import type { KubernetesObject, Service } from '../cluster/objects.ts';
import { objectPath, resources } from '../cluster/resource.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { OWN_NAMESPACE, RealCluster, readinessAt } from './testing/real-operator.ts';

const ASSIGNED = 'heraldlb.io/AddressAssigned';
const cluster = await RealCluster.start();

const put = (name: string, annotations: Record<string, string> = {}): Promise<unknown> => {
  const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] };
  return cluster.apply(resources.services, { metadata: { namespace: 'shop', name, annotations }, spec } as never);
};
const read = async (name: string): Promise<Service> => {
  const service = await cluster.get(resources.services, `shop/${name}`);
  if (!service) throw new Error(`no Service ${name}`);
  return service;
};
const ips = async (name: string): Promise<readonly (string | undefined)[]> =>
  ((await read(name)).status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname);
const reason = async (name: string): Promise<string | undefined> =>
  conditionOf((await read(name)).status?.conditions, ASSIGNED)?.reason;
const is = (name: string, wanted: string): Promise<void> =>
  eventually(`${name} is ${wanted}`, async () => (await reason(name)) === wanted, 10_000);

/** Writes the whole status by Update, as MetalLB's controller does. */
async function writeAsOther(name: string, ingress: readonly object[]): Promise<Service> {
  for (;;) {
    const service = await read(name);
    const path = objectPath(resources.services, service.metadata, 'status');
    const body = { ...service, status: { ...service.status, loadBalancer: { ingress } } };
    const written = await cluster.connection
      .request<Service>({ method: 'PUT', path, query: { fieldManager: 'controller' }, body })
      .catch(() => undefined); // changed meanwhile
    if (written) return written;
  }
}

const POOL = `${OWN_NAMESPACE}/public`;
const pool = (addresses: readonly string[]): Promise<unknown> => {
  const metadata = { namespace: OWN_NAMESPACE, name: 'public' };
  return cluster.apply(resources.ipAddressPools, { metadata, spec: { addresses } } as never);
};
async function eventsWith(reason: string): Promise<readonly KubernetesObject[]> {
  const path = '/apis/events.k8s.io/v1/events';
  const { items } = await cluster.connection.request<{ items: (KubernetesObject & { reason: string })[] }>({
    method: 'GET',
    path,
  });
  return items.filter((event) => event.reason === reason);
}

spec(
  'what others write',
  (test) => {
    let operator: ChildProcess;

    test('before the operator began is adopted, or left alone where it lies in no pool', async () => {
      await pool(['10.0.0.0/29']);
      for (const name of ['adopted', 'elsewhere', 'cloudy']) await put(name);
      await writeAsOther('adopted', [{ ip: '10.0.0.5' }]);
      await writeAsOther('elsewhere', [{ ip: '203.0.113.9' }]);
      await writeAsOther('cloudy', [{ hostname: 'lb.example.com' }]);
      await sleep(1_100); // managedFields know whole seconds
      operator = await cluster.startOperator(17_480);
      await is('adopted', 'Assigned');
      for (const name of ['elsewhere', 'cloudy']) await is(name, 'NotOurs');
      assert.equal(
        [await ips('adopted'), await ips('elsewhere'), await ips('cloudy')],
        [['10.0.0.5'], ['203.0.113.9'], ['lb.example.com']],
      );
      await eventually('an event for each', async () => (await eventsWith('NotOurs')).length === 2, 10_000);
    });

    test('becomes ours when a pool has it, and gets one of ours when it is gone', async () => {
      await pool(['10.0.0.0/29', '203.0.113.0/28']);
      await is('elsewhere', 'Assigned');
      assert.equal(await ips('elsewhere'), ['203.0.113.9']);
      await writeAsOther('cloudy', []);
      await is('cloudy', 'Assigned');
    });

    test('is put back once, and left alone when it comes again at once', async () => {
      await writeAsOther('adopted', [{ ip: '10.0.0.6' }]);
      await eventually('it is put back', async () => (await ips('adopted'))[0] === '10.0.0.5', 10_000);
      await writeAsOther('adopted', [{ ip: '10.0.0.6' }]);
      await is('adopted', 'ContestedStatus');
      const { metadata } = await writeAsOther('adopted', [{ ip: '10.0.0.4' }]);
      await sleep(1_500);
      assert.is((await read('adopted')).metadata.resourceVersion, metadata.resourceVersion);
      assert.is((await eventsWith('ContestedStatus')).length, 1);
    });

    test('while the operator ran is not adopted by the next leader either', async () => {
      const next = await cluster.startOperator(17_481);
      await sleep(1_100);
      await writeAsOther('elsewhere', [{ ip: '10.0.0.3' }]);
      await eventually('it is put back', async () => (await ips('elsewhere'))[0] === '203.0.113.9', 10_000);
      await sleep(500);
      operator.kill('SIGKILL');
      await writeAsOther('elsewhere', [{ ip: '10.0.0.3' }]);
      await is('elsewhere', 'NotOurs');
      assert.equal(await ips('elsewhere'), ['10.0.0.3']);
      // Nobody else gets it.
      await put('greedy', { 'metallb.io/loadBalancerIPs': '10.0.0.3' });
      await is('greedy', 'AddressInUse');
      operator = next;
    });

    test('a definition without our fields is said to be not ours, and taken up when they come', async () => {
      const definition = { namespace: '', name: 'ipaddresspools.metallb.io' };
      const path = objectPath(resources.customResourceDefinitions, { name: definition.name });
      // biome-ignore lint/suspicious/noExplicitAny: a definition as MetalLB's is, by taking away what is ours
      const crd = await cluster.connection.request<any>({ method: 'GET', path });
      for (const { schema } of crd.spec.versions) {
        const { status } = schema.openAPIV3Schema.properties;
        delete status.default;
        for (const name of ['conditions', 'inForce', 'observedGeneration']) delete status.properties[name];
      }
      await cluster.connection.request({ method: 'PUT', path, query: { fieldManager: 'metallb' }, body: crd });
      operator.kill('SIGKILL');
      operator = await cluster.startOperator(17_482);
      await eventually('it is said', async () => (await readinessAt(17_482)).includes('CRDsNotOurs'), 10_000);
      await eventually('by an event too', async () => (await eventsWith('CRDsNotOurs')).length === 1, 20_000);
      const before = await cluster.get(resources.ipAddressPools, POOL);
      assert.is(before?.status?.conditions, undefined);
      await sleep(2_000);
      assert.is(
        (await cluster.get(resources.ipAddressPools, POOL))?.metadata.resourceVersion,
        before?.metadata.resourceVersion,
      );
      await cluster.applyDefinitions();
      await eventually('it is well', async () => (await readinessAt(17_482)) === 'ok\n', 20_000);
      await pool(['10.0.0.0/29']);
      const readyReason = async () =>
        conditionOf((await cluster.get(resources.ipAddressPools, POOL))?.status?.conditions as never, 'Ready');
      await eventually('the pool is told', async () => (await readyReason())?.reason === 'Serving', 20_000);
    });
  },
  { timeoutMs: 90_000 },
);
