import * as assert from 'uvu/assert';
import { l2Object, poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service, serving, settled } from './testing/stories.ts';

const writesOf = (world: FakeWorld, plural: string): number =>
  world.writes.filter((write) => write.startsWith(`${plural} `)).length;
const allAddresses = (world: FakeWorld): readonly string[] =>
  world.stores.services.list().flatMap(({ status }) => (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? ''));

spec('the leader', (test) => {
  test('gives a Service its address by one write, with the condition, the annotation and one event', async () => {
    const world = await serving(1);
    const { status, metadata } = world.stores.services.get('shop/s0') ?? service('none');
    assert.equal(status?.loadBalancer?.ingress, [{ ip: '10.0.0.0', ipMode: 'VIP' }]);
    assert.equal(
      status?.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
      ['heraldlb.io/AddressAssigned=True Assigned'],
    );
    assert.is(metadata.annotations?.['metallb.io/ip-allocated-from-pool'], 'a');
    assert.is(writesOf(world, 'services'), 1);
    assert.equal(world.events, ['Normal IPAllocated shop/s0: Assigned IP ["10.0.0.0"]']);
    await world.die();
  });
  test('stores what is in force before it gives an address', async () => {
    const world = await serving(1);
    const poolSet = world.writes.indexOf('poolsets herald-system/herald');
    assert.ok(poolSet >= 0 && poolSet < world.writes.indexOf('services shop/s0'));
    await world.die();
  });
  test('tells pools and advertisements how they are', async () => {
    const world = await serving(1);
    world.put(world.stores.l2Advertisements, l2Object('ad'));
    world.put(world.stores.l2Advertisements, l2Object('lost', { ipAddressPools: ['nowhere'] }));
    world.put(
      world.stores.pools,
      poolObject('b', ['10.0.0.7/32'], { metadata: { creationTimestamp: '2026-02-02T00:00:00Z' } }),
    );
    await settled(world);
    const { pools, l2Advertisements } = world.stores;
    assert.is(world.readyOf(pools.get('herald-system/a')), 'True Serving');
    assert.is(world.readyOf(pools.get('herald-system/b')), 'False OverlapsPool');
    assert.is(world.readyOf(l2Advertisements.get('herald-system/ad')), 'True Announcing');
    assert.is(l2Advertisements.get('herald-system/ad')?.status?.pools, 'all');
    assert.is(world.readyOf(l2Advertisements.get('herald-system/lost')), 'False PoolNotFound');
    const status = pools.get('herald-system/a')?.status;
    assert.equal([status?.assignedIPv4, status?.availableIPv4, status?.inForce?.addresses], [1, 255, ['10.0.0.0/24']]);
    await world.die();
  });
  test('writes the counters of a pool seldom, however many Services come', async () => {
    const world = await serving(0);
    const before = writesOf(world, 'ipaddresspools');
    for (let at = 0; at < 200; at++) {
      world.put(world.stores.services, service(`n${at}`));
      if (at % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await eventually('all have addresses', () => allAddresses(world).length === 200);
    await eventually(
      'the counter is right',
      () => world.stores.pools.get('herald-system/a')?.status?.assignedIPv4 === 200,
    );
    assert.ok(writesOf(world, 'ipaddresspools') - before <= 2);
    assert.is(writesOf(world, 'services'), 200);
    await world.die();
  });
  test('touches one Service when one of many is deleted', async () => {
    const world = await serving(50);
    const before = writesOf(world, 'services');
    const freed = world.addressesOf('shop/s7');
    world.remove(world.stores.services, 'shop/s7');
    await settled(world);
    assert.is(writesOf(world, 'services'), before);
    world.put(world.stores.services, service('next'));
    await eventually('next has an address', () => world.addressesOf('shop/next').length === 1);
    assert.equal(world.addressesOf('shop/next'), freed);
    await world.die();
  });
  test('says why a Service gets none, once, and serves it as soon as it can', async () => {
    const world = await serving(1, ['10.0.0.1/32']);
    world.put(world.stores.services, service('late', { born: '2026-03-03T00:00:00Z' }));
    await settled(world);
    const condition = world.stores.services.get('shop/late')?.status?.conditions?.[0];
    assert.equal([condition?.status, condition?.reason], ['False', 'PoolExhausted']);
    assert.is(world.events.filter((event) => event.includes('AllocationFailed shop/late')).length, 1);
    world.remove(world.stores.services, 'shop/s0');
    await eventually('late has it', () => world.addressesOf('shop/late')[0] === '10.0.0.1');
    await world.die();
  });
  test('puts back an address that somebody wiped', async () => {
    const world = await serving(1);
    const { status: _, ...bare } = world.stores.services.get('shop/s0') ?? service('none');
    world.put(world.stores.services, bare);
    await eventually('it is back', () => world.addressesOf('shop/s0')[0] === '10.0.0.0');
    await world.die();
  });
  test('clears what it gave to a Service that changed its type', async () => {
    const world = await serving(1);
    world.changeType('shop/s0');
    await eventually('it is clear', () => world.formerServices.get('shop/s0')?.status?.conditions?.length === 0);
    const former = world.formerServices.get('shop/s0');
    assert.equal(former?.status?.loadBalancer?.ingress, []);
    assert.is(former?.metadata.annotations?.['metallb.io/ip-allocated-from-pool'], undefined);
    await world.die();
  });
  test('clears a Service that changed its type while nobody led', async () => {
    const world = await serving(1);
    await world.die();
    world.changeType('shop/s0');
    world.lead();
    await eventually('it is clear', () => world.formerServices.get('shop/s0')?.status?.conditions?.length === 0);
    await world.die();
  });
  test('reassigns the younger of two that hold one address, and says who was first', async () => {
    const world = new FakeWorld();
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/24']));
    const status = { loadBalancer: { ingress: [{ ip: '10.0.0.9', ipMode: 'VIP' }] } };
    world.put(world.stores.services, { ...service('young', { born: '2026-02-02T00:00:00Z' }), status });
    world.put(world.stores.services, { ...service('old'), status });
    world.lead();
    await settled(world);
    assert.equal([world.addressesOf('shop/old'), world.addressesOf('shop/young')], [['10.0.0.9'], ['10.0.0.0']]);
    assert.ok(
      world.events.some((event) => event.startsWith('Warning AddressInUse shop/young: 10.0.0.9 is held by shop/old')),
    );
    await world.die();
  });
  test('leaves Services of another class alone', async () => {
    const world = await serving(0);
    const status = { loadBalancer: { ingress: [{ ip: '203.0.113.9' }] } };
    world.put(world.stores.services, { ...service('other', { spec: { loadBalancerClass: 'cloud/lb' } }), status });
    await settled(world);
    assert.is(writesOf(world, 'services'), 0);
    await world.die();
  });
  test('creates the member key once', async () => {
    const world = await serving(0);
    assert.ok(world.hasMemberKey);
    await world.die();
  });
});

spec('no address changes', (test) => {
  /** Runs `event` on a serving world and compares every address before and after. */
  async function unchanged(event: (world: FakeWorld) => Promise<void> | void): Promise<FakeWorld> {
    const world = await serving(20);
    const before = allAddresses(world);
    await event(world);
    await settled(world);
    assert.equal(allAddresses(world), before);
    return world;
  }

  test('when the leader is replaced, which writes nothing at all', async () => {
    const world = await serving(200);
    await world.die();
    const before = world.writes.length;
    const events = world.events.length;
    world.lead();
    await settled(world);
    assert.equal(world.writes.slice(before), []);
    assert.is(world.events.length, events);
    assert.is(world.report()?.pools[0]?.use.ipv4, 200);
    await world.die();
  });
  test('when a pool in use is deleted, and nothing new is given from it', async () => {
    const world = await unchanged((world) => world.remove(world.stores.pools, 'herald-system/a'));
    world.put(world.stores.services, service('new'));
    await settled(world);
    assert.equal(world.addressesOf('shop/new'), []);
    assert.equal(
      world.stores.poolSets.get('herald-system/herald')?.pools.map(({ deleted }) => deleted),
      [true],
    );
    await world.die();
  });
  test('when a pool in use is deleted while nobody leads', async () => {
    const world = await unchanged(async (world) => {
      await world.die();
      world.remove(world.stores.pools, 'herald-system/a');
      world.lead();
    });
    await world.die();
  });
  test('when pool and mirror are both gone at start', async () => {
    const world = await unchanged(async (world) => {
      await world.die();
      world.remove(world.stores.pools, 'herald-system/a');
      world.remove(world.stores.poolSets, 'herald-system/herald');
      world.lead();
    });
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/24']));
    await settled(world);
    assert.is(world.readyOf(world.stores.pools.get('herald-system/a')), 'True Serving');
    assert.equal(
      world.stores.poolSets.get('herald-system/herald')?.pools.map(({ name, deleted }) => [name, deleted]),
      [['a', undefined]],
    );
    await world.die();
  });
  test('when a pool in use shrinks, neither at once nor after a restart', async () => {
    const world = await unchanged(async (world) => {
      world.put(world.stores.pools, { ...poolObject('a', ['10.0.0.128/25'], { metadata: { generation: 2 } }) });
      await settled(world);
      await world.die();
      world.lead();
    });
    assert.is(world.readyOf(world.stores.pools.get('herald-system/a')), 'False WouldBreakServices');
    assert.equal(world.stores.pools.get('herald-system/a')?.status?.inForce?.addresses, ['10.0.0.0/24']);
    for (const { metadata } of world.stores.services.list())
      world.remove(world.stores.services, `shop/${metadata.name}`);
    await eventually(
      'the change is taken',
      () => world.readyOf(world.stores.pools.get('herald-system/a')) === 'True Serving',
    );
    await world.die();
  });
  test('when the API server is away, and what came meanwhile is served after', async () => {
    const world = await unchanged(async (world) => {
      world.isDown = true;
      world.remove(world.stores.pools, 'herald-system/a');
      await new Promise((resolve) => setTimeout(resolve, 100));
      world.isDown = false;
    });
    await eventually(
      'the remnant is stored',
      () => world.stores.poolSets.get('herald-system/herald')?.pools[0]?.deleted === true,
    );
    await world.die();
  });
  test('when the PoolSet is deleted by hand, and it is written again', async () => {
    const world = await unchanged((world) => world.remove(world.stores.poolSets, 'herald-system/herald'));
    assert.is(world.stores.poolSets.get('herald-system/herald')?.pools.length, 1);
    await world.die();
  });
  test('when a Service comes while a change of the pools is being stored', async () => {
    const world = await serving(1);
    let letGo: () => void = () => undefined;
    const stored = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    world.beforePoolSet = () => stored;
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/32'], { metadata: { generation: 2 } }));
    await new Promise(setImmediate);
    world.put(world.stores.services, service('between'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(world.addressesOf('shop/between'), []);
    letGo();
    await settled(world);
    // The pool has one address now, and that one is held.
    assert.equal([world.addressesOf('shop/s0'), world.addressesOf('shop/between')], [['10.0.0.0'], []]);
    await world.die();
  });
  test('and none is given by a leader that was deposed', async () => {
    const world = await serving(1);
    world.isDeposed = true;
    world.put(world.stores.services, service('late'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(world.addressesOf('shop/late'), []);
    await world.die();
  });
});
