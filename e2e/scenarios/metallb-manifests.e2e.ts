/** MetalLB's documented manifests work unchanged: the samples of its web site, in its namespace, with its ranges. */

import * as assert from 'uvu/assert';
import { documented, withDocumented } from '../lib/documented.ts';
import { collection } from '../lib/kube-api.ts';
import { kubectl } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';

async function assertReady(world: World, kind: 'IPAddressPool' | 'L2Advertisement', name: string): Promise<void> {
  const path = `${collection(METALLB, kind, 'metallb-system')}/${name}`;
  await waitFor(
    `${kind} ${name} is Ready`,
    { withinMs: 5_000 },
    async () => conditionOf(await world.api.get(path), 'Ready'),
    (ready) => ready?.status === 'True',
  );
}

scenario('metallb-manifests', (test) => {
  test('layer 2: a pool and an advertisement that names it', async (world) => {
    for (const { file } of Object.values(documented)) await kubectl('delete', '--ignore-not-found', '-f', file);
    await world.web();
    await withDocumented(documented.layer2, async () => {
      await assertReady(world, 'IPAddressPool', 'first-pool');
      await assertReady(world, 'L2Advertisement', 'example');
      await world.service({ name: 'documented', families: ['IPv4'] });
      assert.equal(await world.addressesOf('documented'), ['192.168.1.240']);
      await world.owner('192.168.1.240');
      assert.match(await world.fetchSoon('192.168.1.240'), /served by/);
      await world.api.delete(world.servicePath('documented'));
    });
  });

  test('defining the addresses: a CIDR, a range and an IPv6 prefix, and an advertisement that names no pool', async (world) => {
    await withDocumented(documented.ranges, async () => {
      await assertReady(world, 'IPAddressPool', 'first-pool');
      await world.service({ name: 'ranges' });
      assert.equal(await world.addressesOf('ranges'), ['192.168.10.0', 'fc00:f853:ccd:e799::']);
      for (const address of await world.addressesNow('ranges')) {
        await world.owner(address);
        assert.match(await world.fetchSoon(address), /served by/);
      }
      await world.api.delete(world.servicePath('ranges'));
    });
  });
});
