/** A bad object gets its condition within a second and disables only itself. */

import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { Observer } from '../lib/observer.ts';
import { scenario } from '../lib/scenario.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';

const CONDITION_MS = 1_000;

interface Expected {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
}

/** Creates an object and asserts that it has this condition, about this very generation, within a second. */
async function assertCondition(
  world: World,
  object: KubeObject,
  { type, status, reason }: Expected,
): Promise<KubeObject> {
  const kind = object.kind ?? '';
  const observer = await Observer.start(world.api, collection(METALLB, kind, NAMESPACE));
  try {
    const createdAt = performance.now();
    await world.api.create(object);
    const what = `${object.metadata.name}: ${type}=${status} ${reason}`;
    const sighting = await observer.first(what, 10_000, ({ object: seen }) => {
      const condition = conditionOf(seen, type);
      return seen.metadata.name === object.metadata.name && condition?.status === status && condition.reason === reason;
    });
    const took = sighting.atMs - createdAt;
    console.log(`${what}: ${took.toFixed(0)} ms after its creation`);
    assert.ok(took <= CONDITION_MS, `${what} took ${took.toFixed(0)} ms`);
    assert.is(sighting.object['status'].observedGeneration, sighting.object.metadata.generation);
    return sighting.object;
  } finally {
    observer.stop();
  }
}

/** A good Service is served as if nothing had happened. */
async function assertStillServed(world: World, name: string): Promise<void> {
  await world.service({ name });
  const addresses = await world.addressesOf(name);
  await Promise.all(addresses.flatMap((address) => [world.owner(address), world.fetchSoon(address)]));
  await world.api.delete(world.servicePath(name));
}

scenario('bad-objects', (test) => {
  test('a good pool and a good advertisement are accepted within a second', async (world) => {
    const addresses = [world.free.IPv4.range, world.free.IPv6.range];
    const serviceAllocation = { namespaces: [world.namespace] };
    const pool = world.configObject('IPAddressPool', world.name, { addresses, serviceAllocation });
    await assertCondition(world, pool, { type: 'Ready', status: 'True', reason: 'Serving' });
    const advertisement = world.configObject('L2Advertisement', world.name, { ipAddressPools: [world.name] });
    await assertCondition(world, advertisement, { type: 'Ready', status: 'True', reason: 'Announcing' });
    await world.web();
    await assertStillServed(world, 'good');
  });

  test('a pool that overlaps an older one', async (world) => {
    const pool = world.configObject('IPAddressPool', `${world.name}-overlapping`, {
      addresses: [world.free.IPv4.range],
    });
    const seen = await assertCondition(world, pool, { type: 'Accepted', status: 'False', reason: 'OverlapsPool' });
    assert.is(conditionOf(seen, 'Ready')?.status, 'False');
    assert.match(
      conditionOf(seen, 'Accepted')?.message ?? '',
      new RegExp(world.name),
      'the message names the other pool',
    );
    await assertStillServed(world, 'beside-overlap');
  });

  test('a range that no rule of the CRD refuses and that makes no sense', async (world) => {
    const [first, second] = world.free.IPv6.addresses;
    const pool = world.configObject('IPAddressPool', `${world.name}-descending`, { addresses: [`${second}-${first}`] });
    const seen = await assertCondition(world, pool, {
      type: 'Accepted',
      status: 'False',
      reason: 'InvalidAddressRange',
    });
    assert.is(conditionOf(seen, 'Stalled')?.status, 'True');
    await assertStillServed(world, 'beside-descending');
  });

  test('an advertisement that names a pool which does not exist', async (world) => {
    const spec = { ipAddressPools: ['nowhere'] };
    const advertisement = world.configObject('L2Advertisement', `${world.name}-dangling`, spec);
    const seen = await assertCondition(world, advertisement, {
      type: 'ResolvedRefs',
      status: 'False',
      reason: 'PoolNotFound',
    });
    assert.match(conditionOf(seen, 'ResolvedRefs')?.message ?? '', /nowhere/);
    await assertStillServed(world, 'beside-dangling');
  });

  test('an advertisement that names none at all is valid and means all pools', async (world) => {
    await world.api.delete(`${collection(METALLB, 'L2Advertisement', NAMESPACE)}/${world.name}`);
    const advertisement = world.configObject('L2Advertisement', `${world.name}-all`, {});
    await assertCondition(world, advertisement, { type: 'Accepted', status: 'True', reason: 'Valid' });
    await assertStillServed(world, 'by-all');
  });
});
