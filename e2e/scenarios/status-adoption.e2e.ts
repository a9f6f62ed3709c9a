/** A status written by another manager (by Update, as MetalLB's controller does) is adopted, and once released it is empty. */

import * as assert from 'uvu/assert';
import { scaleOperators } from '../lib/herald.ts';
import type { KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { addressesIn, conditionOf, type World } from '../lib/world.ts';

const OTHER_MANAGER = 'controller';

/** Writes an address into the status the way MetalLB's controller does: PUT of the whole status, annotation included. */
async function writeAsMetalLB(world: World, address: string): Promise<void> {
  const path = world.servicePath('adopted');
  const service = await world.api.get(path);
  const annotations = { ...service.metadata.annotations, 'metallb.io/ip-allocated-from-pool': world.name };
  const body = {
    ...service,
    metadata: { ...service.metadata, annotations },
    status: { loadBalancer: { ingress: [{ ip: address }] } },
  };
  await world.api.replace(`${path}/status?fieldManager=${OTHER_MANAGER}`, body);
}

const statusManagers = ({ metadata }: KubeObject): string[] =>
  (metadata.managedFields ?? []).filter(({ subresource }) => subresource === 'status').map(({ manager }) => manager);

scenario('status-adoption', (test) => {
  test("without an operator, the status is another manager's, with an address of the pool", async (world) => {
    await scaleOperators(world.api, 0);
    await world.pool();
    await world.service({ name: 'adopted', families: ['IPv4'] });
    await writeAsMetalLB(world, world.free.IPv4.addresses[5] ?? '');
    const service = await world.api.get(world.servicePath('adopted'));
    assert.ok(statusManagers(service).includes(OTHER_MANAGER), statusManagers(service).join(', '));
  });

  test('the operator comes: the Service keeps its address, and Herald manages the status', async (world) => {
    await scaleOperators(world.api, 2);
    const service = await waitFor(
      'it is adopted',
      { withinMs: 30_000 },
      () => world.api.get(world.servicePath('adopted')),
      (seen) => conditionOf(seen, 'heraldlb.io/AddressAssigned')?.status === 'True',
    );
    assert.equal(addressesIn(service), [world.free.IPv4.addresses[5]]);
    assert.ok(statusManagers(service).includes('herald-operator'), statusManagers(service).join(', '));
  });

  test('released, its status is empty', async (world) => {
    // An address of no pool: what it holds is given up, and nothing takes its place.
    const annotations = { 'metallb.io/loadBalancerIPs': '203.0.113.77' };
    await world.api.patch(world.servicePath('adopted'), { metadata: { annotations } });
    await waitFor(
      'the status is empty',
      { withinMs: 5_000 },
      () => world.addressesNow('adopted'),
      ({ length }) => length === 0,
    );
    await pause(1_000);
    const service = await world.api.get(world.servicePath('adopted'));
    assert.equal(service['status'].loadBalancer.ingress ?? [], []);
    assert.is(conditionOf(service, 'heraldlb.io/AddressAssigned')?.status, 'False');
    assert.is(service.metadata.annotations?.['metallb.io/ip-allocated-from-pool'], undefined);
  });
});
