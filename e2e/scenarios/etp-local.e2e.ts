/** externalTrafficPolicy Local: only a node with an endpoint that serves answers, and it follows the endpoints. */

import * as assert from 'uvu/assert';
import { collection } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { METALLB, type World } from '../lib/world.ts';

/** The nodes that the ServiceL2Status objects of one Service name. */
async function statusNodes(world: World, service: string): Promise<string[]> {
  const all = await world.api.list(collection(METALLB, 'ServiceL2Status'));
  return all
    .filter(({ status }) => status?.serviceName === service && status.serviceNamespace === world.namespace)
    .map(({ status }) => status.node as string);
}

async function answeredBy(world: World, node: string): Promise<void> {
  for (const address of await world.addressesNow('local')) {
    await waitFor(
      `${node} answers for ${address}`,
      { withinMs: 20_000 },
      async () => (await world.owner(address)).name,
      (owner) => owner === node,
    );
    assert.is(await world.fetchSoon(address), `served by ${node}\n`);
  }
}

scenario(
  'etp-local',
  (test) => {
    test('each node that has the only endpoint answers, in turn', async (world) => {
      await world.pool();
      await world.advertise();
      await world.service({ name: 'local', spec: { externalTrafficPolicy: 'Local' } });
      await world.addressesOf('local');
      for (const { name } of world.nodes) {
        await world.web({ node: name });
        await answeredBy(world, name);
      }
    });

    test('ServiceL2Status names the node that answers, and only that', async (world) => {
      const [address = ''] = await world.addressesNow('local');
      const owner = (await world.owner(address)).name;
      await waitFor(
        'ServiceL2Status names the owner',
        { withinMs: 10_000 },
        () => statusNodes(world, 'local'),
        (nodes) => JSON.stringify(nodes) === JSON.stringify([owner]),
      );
    });

    test('without an endpoint nobody answers, and the address stays', async (world) => {
      const addresses = await world.addressesNow('local');
      await world.api.patch(`${collection('apps/v1', 'Deployment', world.namespace)}/web`, { spec: { replicas: 0 } });
      for (const address of addresses) await world.silence(address, 20_000);
      assert.equal(await world.addressesNow('local'), addresses);
    });
  },
  180_000,
);
