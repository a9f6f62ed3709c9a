/** A pool in use is changed: refused with the hash that allows it, through kills as well, and taken with that hash. */

import * as assert from 'uvu/assert';
import { NAMESPACE, pods, processOf, ready, signal } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';

const ANNOTATION = 'heraldlb.io/allow-disruption';
const SERVICES = ['one', 'two', 'three'];

const poolOf = ({ api, name }: World): Promise<KubeObject> =>
  api.get(`${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${name}`);

/** The upper half of each range, where no Service of this scenario has an address. */
const upperHalf = ({ free }: World): string[] =>
  [free.IPv4, free.IPv6].map(({ addresses }) => `${addresses[addresses.length / 2]}-${addresses.at(-1)}`);

const programmed = (world: World, status: 'True' | 'False'): Promise<KubeObject> =>
  waitFor(
    `the pool is Programmed=${status}`,
    { withinMs: 5_000 },
    () => poolOf(world),
    (pool) => {
      const condition = conditionOf(pool, 'Programmed');
      return condition?.status === status && pool['status'].observedGeneration === pool.metadata.generation;
    },
  );

const addresses = (world: World): Promise<string[][]> => Promise.all(SERVICES.map((name) => world.addressesNow(name)));

scenario('breaking-change', (test) => {
  test('three Services are in service', threeServices);

  test('their addresses are taken out of the pool: refused, and both operators killed: nothing moves', (world) =>
    assertUndisturbed(world, async () => {
      await world.pool({ addresses: upperHalf(world) });
      const pool = await programmed(world, 'False');
      for (const type of ['Ready', 'Programmed']) assert.is(conditionOf(pool, type)?.reason, 'WouldBreakServices');
      assert.is(conditionOf(pool, 'Stalled')?.status, 'True');
      const message = conditionOf(pool, 'Ready')?.message ?? '';
      assert.match(message, `of ${world.namespace}/one`);
      assert.match(message, /heraldlb\.io\/allow-disruption: "[0-9a-f]{12}"/);
      const victims = await Promise.all((await pods(world.api, 'herald-operator')).map(processOf));
      await Promise.all(victims.map((victim) => signal(victim, 'KILL')));
      await pause(5_000);
      await ready(world.api);
      assert.equal((await poolOf(world))['status'].inForce.addresses, [world.free.IPv4.range, world.free.IPv6.range]);
    }));

  test('a speaker is killed too: the addresses stay, and somebody answers for each', async (world) => {
    const before = await addresses(world);
    const [victim] = await pods(world.api, 'herald-speaker');
    if (!victim) throw new Error('no speaker');
    await signal(await processOf(victim), 'KILL');
    await Promise.all(before.flat().map((address) => world.fetchSoon(address)));
    await ready(world.api);
    assert.equal(await addresses(world), before);
    for (const address of before.flat()) await world.owner(address);
  });

  test('a hash that does not fit allows nothing, and the message says so', async (world) => {
    const path = `${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${world.name}`;
    await world.api.patch(path, { metadata: { annotations: { [ANNOTATION]: '0123456789ab' } } });
    await waitFor(
      'the message speaks of the hash that is there',
      { withinMs: 5_000 },
      async () => conditionOf(await poolOf(world), 'Ready')?.message ?? '',
      (message) => message.includes('is "0123456789ab", which does not allow this spec'),
    );
  });

  test('with its hash the change is taken, and every Service has an address of the new ranges', async (world) => {
    const before = new Set((await addresses(world)).flat());
    const message = conditionOf(await poolOf(world), 'Ready')?.message ?? '';
    const hash = /"([0-9a-f]{12})" does\./.exec(message)?.[1];
    assert.ok(hash, message);
    const path = `${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${world.name}`;
    await world.api.patch(path, { metadata: { annotations: { [ANNOTATION]: hash } } });
    await programmed(world, 'True');
    const moved = await waitFor(
      'all have other addresses',
      { withinMs: 5_000 },
      () => addresses(world),
      (now) => now.flat().length === before.size && now.flat().every((address) => !before.has(address)),
    );
    await Promise.all(moved.flat().map((address) => world.fetchSoon(address)));
    for (const address of before) await world.silence(address);
  });
});
