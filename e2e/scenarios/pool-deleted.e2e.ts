/** A pool is deleted by hand while its addresses are in use: what it gave stays, it gives nothing new. */

import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { collection } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB } from '../lib/world.ts';

scenario('pool-deleted', (test) => {
  test('three Services are in service', threeServices);

  test('the pool is deleted while it is in use', (world) =>
    assertUndisturbed(world, async () => {
      await world.api.delete(`${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${world.name}`);
      await pause(10_000);
    }));

  test('the PoolSet keeps what is in use as a remnant', async (world) => {
    const poolSet = await world.api.get(`${collection('heraldlb.io/v1alpha1', 'PoolSet', NAMESPACE)}/herald`);
    const remnant = poolSet['pools'].find((pool: { name: string }) => pool.name === world.name);
    assert.is(remnant?.deleted, true, JSON.stringify(poolSet['pools']));
  });

  test('a new Service gets nothing of it, and its condition says why', async (world) => {
    await world.service({ name: 'later', annotations: { 'metallb.io/address-pool': world.name } });
    const condition = await waitFor(
      'the Service is refused',
      { withinMs: 5_000 },
      async () => conditionOf(await world.api.get(world.servicePath('later')), 'heraldlb.io/AddressAssigned'),
      (seen) => seen?.status === 'False',
    );
    assert.ok(condition?.message, 'the condition has a message');
    assert.equal(await world.addressesNow('later'), []);
  });

  test('the pool comes back and serves on, with the same addresses', (world) =>
    assertUndisturbed(world, async () => {
      await world.pool();
      await world.addressesOf('later');
    }));
});
