import * as assert from 'uvu/assert';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { disruptionHash } from '../config/pool-content.ts';
import type { FakeWorld } from './testing/fake-world.ts';
import { service, serving, settled } from './testing/stories.ts';

const elsewhere = (annotations?: Record<string, string>): IpAddressPool =>
  poolObject('a', ['10.0.1.0/24'], { metadata: { generation: 2, ...(annotations && { annotations }) } });
const hash = disruptionHash(elsewhere());
const conditionsOf = (world: FakeWorld): readonly string[] =>
  (world.stores.pools.get('herald-system/a')?.status?.conditions ?? [])
    .map(({ type, status, reason }) => `${type}=${status} ${reason}`)
    .sort();
const readyOf = (world: FakeWorld): string => world.readyOf(world.stores.pools.get('herald-system/a'));
const messageOf = (world: FakeWorld): string =>
  world.stores.pools.get('herald-system/a')?.status?.conditions?.[0]?.message ?? '';

spec('a breaking change', (test) => {
  test('is refused, with the hash that allows it, and taken with that hash: everybody gets another address at once', async () => {
    const world = await serving(3);
    world.put(world.stores.pools, elsewhere());
    await settled(world);
    assert.equal(conditionsOf(world), [
      'Accepted=False WouldBreakServices',
      'Programmed=False WouldBreakServices',
      'Ready=False WouldBreakServices',
      'Stalled=True WouldBreakServices',
    ]);
    assert.match(messageOf(world), `heraldlb.io/allow-disruption: "${hash}"`);
    assert.equal(world.addressesOf('shop/s0'), ['10.0.0.0']);
    world.put(world.stores.pools, elsewhere({ 'heraldlb.io/allow-disruption': hash }));
    await settled(world);
    assert.equal(conditionsOf(world), ['Accepted=True Valid', 'Programmed=True InForce', 'Ready=True Serving']);
    assert.equal(['shop/s0', 'shop/s1', 'shop/s2'].flatMap((key) => world.addressesOf(key)).sort(), [
      '10.0.1.0',
      '10.0.1.1',
      '10.0.1.2',
    ]);
    assert.ok(world.events.includes('Normal IPAllocated shop/s0: Assigned IP ["10.0.1.0"]'), world.events.join('\n'));
    await world.die();
  });
  test('that is allowed says why a Service gets nothing in place of what it lost', async () => {
    const world = await serving(0);
    world.put(world.stores.services, service('fixed', { annotations: { 'metallb.io/loadBalancerIPs': '10.0.0.9' } }));
    await eventually('it has it', () => world.addressesOf('shop/fixed')[0] === '10.0.0.9');
    world.put(world.stores.pools, elsewhere({ 'heraldlb.io/allow-disruption': hash }));
    await eventually('it lost it', () => world.addressesOf('shop/fixed').length === 0);
    assert.is(world.reasonOf('shop/fixed'), 'AddressNotInPool');
    await world.die();
  });
  test('is taken at once under reassign, and the deletion of a pool too', async () => {
    const world = await serving(1, ['10.0.0.0/24'], { breakingChanges: 'reassign' });
    world.put(world.stores.pools, elsewhere());
    await eventually('it moved', () => world.addressesOf('shop/s0')[0] === '10.0.1.0');
    assert.is(readyOf(world), 'True Serving');
    world.remove(world.stores.pools, 'herald-system/a');
    await eventually('it has none', () => world.addressesOf('shop/s0').length === 0);
    assert.equal(world.stores.poolSets.get('herald-system/herald')?.pools, []);
    await world.die();
  });
  test('by the labels of a namespace is refused as well, by the next leader too', async () => {
    const world = await serving(0);
    const named = (team: string) => ({ metadata: { name: 'shop', labels: { team } } });
    world.put(world.stores.namespaces, named('shop'));
    const serviceAllocation = { namespaceSelectors: [{ matchLabels: { team: 'shop' } }] };
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/24'], { serviceAllocation }));
    world.put(world.stores.services, service('s0'));
    await eventually('it has one', () => world.addressesOf('shop/s0').length === 1);
    world.put(world.stores.namespaces, named('other'));
    await settled(world);
    await world.die();
    world.lead();
    await settled(world);
    assert.equal([world.addressesOf('shop/s0'), readyOf(world)], [['10.0.0.0'], 'False WouldBreakServices']);
    world.put(world.stores.namespaces, named('shop'));
    await eventually('it is as before', () => readyOf(world) === 'True Serving');
    await world.die();
  });
});
