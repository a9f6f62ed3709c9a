/** A Service is reached from the network: its addresses of both families are answered by one node, and the page comes. */

import * as assert from 'uvu/assert';
import { scenario } from '../lib/scenario.ts';
import { familyOf, type World } from '../lib/world.ts';

scenario('l2-announce', (test) => {
  const addressOf = async (world: World, family: 'IPv4' | 'IPv6'): Promise<string> =>
    (await world.addressesNow('shop')).find((address) => familyOf(address) === family) ?? 'none';

  test('a Service gets one address of each family, the primary one first', async (world) => {
    await world.pool();
    await world.advertise();
    await world.web({ replicas: 2 });
    await world.service({ name: 'shop' });
    const addresses = await world.addressesOf('shop');
    assert.equal(addresses.map(familyOf), ['IPv4', 'IPv6']);
    assert.ok(world.free.IPv4.addresses.includes(addresses[0] ?? ''), `${addresses[0]} is of the pool`);
    assert.ok(world.free.IPv6.addresses.includes(addresses[1] ?? ''), `${addresses[1]} is of the pool`);
  });

  test('arping is answered by exactly one node, once per request', async (world) => {
    const address = await addressOf(world, 'IPv4');
    await world.owner(address);
    const answers = await world.answers(address);
    assert.is(answers.length, 3, `3 requests, answers: ${answers}`);
    assert.is(new Set(answers).size, 1);
  });

  test('ndisc6 is answered by exactly one node, the same that answers arping', async (world) => {
    const owner = await world.owner(await addressOf(world, 'IPv4'));
    const address = await addressOf(world, 'IPv6');
    assert.is((await world.owner(address)).name, owner.name);
    const answers = await world.answers(address);
    assert.is(answers.length, 3, `3 solicitations, answers: ${answers}`);
    assert.is(new Set(answers).size, 1);
  });

  test('curl is served over both', async (world) => {
    for (const family of ['IPv4', 'IPv6'] as const)
      assert.match(await world.fetchSoon(await addressOf(world, family)), /served by/);
  });

  test('an address that no Service holds is answered by nobody', async (world) => {
    assert.equal(await world.answers(world.free.IPv4.addresses.at(-1) ?? ''), []);
    assert.equal(await world.answers(world.free.IPv6.addresses.at(-1) ?? ''), []);
  });

  test('once the Service is gone nobody answers any more', async (world) => {
    const addresses = await world.addressesNow('shop');
    await world.api.delete(world.servicePath('shop'));
    for (const address of addresses) await world.silence(address);
  });
});
