/** A breaking change on a real API server: refused through the end of both operators, and taken with its hash. */

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import { spec } from '../../testing/spec.ts';
import type { KubernetesObject } from '../cluster/objects.ts';
import { objectPath, resources } from '../cluster/resource.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { OWN_NAMESPACE, RealCluster } from './testing/real-operator.ts';

const cluster = await RealCluster.start();
const NAMES = ['one', 'two', 'three'];
const WHERE = { namespace: OWN_NAMESPACE, name: 'public' };

/** As a file in Git has it: without the fields that have defaults. */
const apply = (addresses: readonly string[], annotations: Record<string, string> = {}): Promise<unknown> => {
  const pool: KubernetesObject & { spec: object } = { metadata: { ...WHERE, annotations }, spec: { addresses } };
  return cluster.apply(resources.ipAddressPools, pool);
};
const addresses = async (): Promise<readonly string[]> => {
  const services = await Promise.all(NAMES.map((name) => cluster.get(resources.services, `shop/${name}`)));
  return services.flatMap((service) => (service?.status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip));
};
const said = async (type: string): Promise<{ readonly words: string; readonly message: string }> => {
  const pool = await cluster.get<IpAddressPool>(resources.ipAddressPools, `${OWN_NAMESPACE}/public`);
  const { status, reason, message = '' } = pool?.status?.conditions?.find((one) => one.type === type) ?? {};
  return { words: `${status} ${reason}`, message };
};
const is = (words: string): Promise<void> =>
  eventually(`Programmed is ${words}`, async () => (await said('Programmed')).words === words, 15_000);

spec(
  'a breaking change',
  (test) => {
    let before: readonly string[] = [];
    test('is refused, and the Services keep their addresses', async () => {
      await apply(['10.0.0.0/28']);
      for (const name of NAMES) {
        const service: KubernetesObject & { spec: object } = {
          metadata: { namespace: 'shop', name },
          spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
        };
        await cluster.apply(resources.services, service);
      }
      const operators = [await cluster.startOperator(17_490), await cluster.startOperator(17_491)];
      await eventually('all have addresses', async () => (await addresses()).length === NAMES.length, 10_000);
      before = await addresses();
      await apply(['10.0.1.0/28']);
      await is('False WouldBreakServices');
      assert.is((await said('Stalled')).words, 'True WouldBreakServices');
      for (const operator of operators) operator.kill('SIGKILL');
    });

    test('is refused by those who come after both operators were killed', async () => {
      await cluster.startOperator(17_492);
      await sleep(6_000); // longer than a Lease that nobody gave back
      assert.equal([await addresses(), (await said('Programmed')).words], [before, 'False WouldBreakServices']);
      const path = objectPath(resources.poolSets, { namespace: OWN_NAMESPACE, name: 'herald' });
      const { pools } = await cluster.connection.request<{ pools: { addresses: string[] }[] }>({ method: 'GET', path });
      assert.equal(pools[0]?.addresses, ['10.0.0.0/28']);
    });

    test('is taken with the hash that the condition prints, from the same file', async () => {
      const { message } = await said('Ready');
      const hash = /heraldlb\.io\/allow-disruption: "([0-9a-f]{12})"/.exec(message)?.[1];
      assert.ok(hash, message);
      await apply(['10.0.1.0/28'], { 'heraldlb.io/allow-disruption': hash });
      await is('True InForce');
      const isNew = (ip: string): boolean => ip.startsWith('10.0.1.');
      await eventually('all have moved', async () => (await addresses()).filter(isNew).length === NAMES.length, 10_000);
      assert.is((await said('Stalled')).words, 'undefined undefined');
    });
  },
  { timeoutMs: 60_000 },
);
