import * as assert from 'uvu/assert';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service, serving, settled } from './testing/stories.ts';

const START = '2026-06-01T00:00:00Z';
const LATER = '2026-06-01T00:00:01Z';

/** A Service whose status `controller` wrote, and a pool; then the leader comes. */
async function found(ip: string, at: string): Promise<FakeWorld> {
  const world = new FakeWorld();
  world.put(world.stores.pools, poolObject('a', ['10.0.0.0/30']));
  world.put(world.stores.services, service('web'));
  world.writeAs('controller', 'shop/web', [ip], at);
  world.lead({ startedAt: START });
  await settled(world);
  return world;
}
const servicesWritten = (world: FakeWorld): number => world.writes.filter((one) => one.startsWith('services ')).length;
const eventsOf = (world: FakeWorld, reason: string): number =>
  world.events.filter((event) => event.startsWith(`Warning ${reason} `)).length;

spec('addresses that others wrote', (test) => {
  test('are adopted where they lie in a pool and nobody wrote them since we began', async () => {
    const world = await found('10.0.0.2', START);
    assert.equal([world.addressesOf('shop/web'), world.reasonOf('shop/web')], [['10.0.0.2'], 'Assigned']);
    await world.die();
  });
  for (const [why, ip, at] of [
    ['lie in no pool', '203.0.113.9', START],
    ['were written since we began', '10.0.0.2', LATER],
  ] as const)
    test(`stay as they are where they ${why}, which is said once`, async () => {
      const world = await found(ip, at);
      assert.equal([world.addressesOf('shop/web'), world.reasonOf('shop/web')], [[ip], 'NotOurs']);
      assert.is(eventsOf(world, 'NotOurs'), 1);
      assert.equal(world.report()?.foreign, { notOurs: 1, contested: 0 });
      const writes = servicesWritten(world);
      // The other writer takes our condition away: nobody fights for it.
      const { status: _, ...bare } = world.stores.services.get('shop/web') ?? service('none');
      world.put(world.stores.services, { ...bare, status: { loadBalancer: { ingress: [{ ip }] } } });
      await settled(world);
      assert.is(servicesWritten(world), writes);
      await world.die();
    });
  test('are given to nobody else while they lie in a pool', async () => {
    const world = await found('10.0.0.0', LATER);
    for (const name of ['one', 'two', 'three', 'four']) world.put(world.stores.services, service(name));
    await settled(world);
    const given = ['one', 'two', 'three', 'four'].flatMap((name) => world.addressesOf(`shop/${name}`)).sort();
    assert.equal(given, ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    world.remove(world.stores.services, 'shop/web');
    await eventually('what it had is free', () => world.addressesOf('shop/two').length === 1);
    await world.die();
  });
  test('become ours when a pool has them, or when they are gone', async () => {
    const world = await found('203.0.113.9', START);
    world.put(world.stores.pools, poolObject('b', ['203.0.113.0/24']));
    await eventually('they are ours', () => world.reasonOf('shop/web') === 'Assigned');
    assert.equal(world.addressesOf('shop/web'), ['203.0.113.9']);
    await world.die();

    const other = await found('10.0.0.2', LATER);
    other.writeAs('controller', 'shop/web', [], LATER);
    await eventually('it has one of ours', () => other.reasonOf('shop/web') === 'Assigned');
    await other.die();
  });
  test('do not keep a pool from changing', async () => {
    const world = await found('10.0.0.2', LATER);
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/31'], { metadata: { generation: 2 } }));
    await settled(world);
    assert.is(world.readyOf(world.stores.pools.get('herald-system/a')), 'True Serving');
    await world.die();
  });
  test('leave with our condition when the Service changes its type, and only with that', async () => {
    const world = await found('203.0.113.9', START);
    world.changeType('shop/web');
    await eventually('it is clear', () => world.formerServices.get('shop/web')?.status?.conditions?.length === 0);
    assert.equal(world.formerServices.get('shop/web')?.status?.loadBalancer?.ingress, [{ ip: '203.0.113.9' }]);
    await world.die();
  });
});

spec('a status that somebody else changes', (test) => {
  test('is put back once, and left alone when it is changed again at once', async () => {
    const world = await serving(2);
    world.writeAs('controller', 'shop/s0', ['10.0.0.77'], LATER);
    await eventually('it is put back', () => world.addressesOf('shop/s0')[0] === '10.0.0.0');
    await settled(world);
    world.writeAs('controller', 'shop/s0', ['10.0.0.77'], LATER);
    await settled(world);
    assert.equal([world.addressesOf('shop/s0'), world.reasonOf('shop/s0')], [['10.0.0.77'], 'ContestedStatus']);
    assert.is(eventsOf(world, 'ContestedStatus'), 1);
    assert.equal(world.report()?.foreign, { notOurs: 0, contested: 1 });
    const writes = servicesWritten(world);
    for (const ip of ['10.0.0.78', '10.0.0.0']) {
      world.writeAs('controller', 'shop/s0', [ip], LATER);
      await settled(world);
    }
    assert.equal([servicesWritten(world), world.addressesOf('shop/s0')], [writes, ['10.0.0.0']]);
    // Neither what it had nor what it shows is for others.
    world.put(world.stores.services, service('next'));
    await eventually('the next has one', () => world.addressesOf('shop/next').length === 1);
    assert.equal(world.addressesOf('shop/next'), ['10.0.0.2']);
    await world.die();
  });
  test('is a new one when the Service is deleted and made again', async () => {
    const world = await serving(1);
    for (const _ of [1, 2]) {
      world.writeAs('controller', 'shop/s0', ['10.0.0.77'], LATER);
      await settled(world);
    }
    assert.is(world.reasonOf('shop/s0'), 'ContestedStatus');
    world.remove(world.stores.services, 'shop/s0');
    const again = service('s0');
    world.put(world.stores.services, { ...again, metadata: { ...again.metadata, uid: 'another' } });
    await eventually('it is served', () => world.reasonOf('shop/s0') === 'Assigned');
    await world.die();
  });
  test('is put back as often as it takes where our own decision changed between', async () => {
    const world = await serving(1);
    for (const ip of ['10.0.0.5', '10.0.0.6', '10.0.0.7']) {
      const one = world.stores.services.get('shop/s0') ?? service('none');
      const annotations = { ...one.metadata.annotations, 'metallb.io/loadBalancerIPs': ip };
      world.put(world.stores.services, { ...one, metadata: { ...one.metadata, annotations } });
      await eventually(ip, () => world.addressesOf('shop/s0')[0] === ip);
    }
    assert.is(eventsOf(world, 'ContestedStatus'), 0);
    await world.die();
  });
});
