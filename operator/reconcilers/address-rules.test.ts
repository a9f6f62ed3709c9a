import * as assert from 'uvu/assert';
import type { AddressQuotaSpec } from '../../crds/address-quota.ts';
import { quotaObject, reservationObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import type { FakeWorld } from './testing/fake-world.ts';
import { service, serving, settled } from './testing/stories.ts';

const quotaOf = (world: FakeWorld) => world.stores.quotas.get('herald-system/q');
const reservationOf = (world: FakeWorld) => world.stores.reservations.get('herald-system/r');
const putQuota = (world: FakeWorld, limits: AddressQuotaSpec['limits'], generation = 1) =>
  world.put(world.stores.quotas, { ...quotaOf(world), ...quotaObject('q', { limits }, { generation }) });
const putReservation = (world: FakeWorld, name: string) =>
  world.put(
    world.stores.reservations,
    reservationObject('r', { addresses: ['10.0.0.0'], for: { namespace: 'shop', name } }),
  );
const warningOf = (object: ReturnType<typeof quotaOf> | ReturnType<typeof reservationOf>): string =>
  object?.status?.conditions?.find(({ type }) => type === 'Conflicting')?.message ?? 'none';
const writesOf = (world: FakeWorld, plural: string): number =>
  world.writes.filter((write) => write.startsWith(plural)).length;

spec('a quota', (test) => {
  test('keeps what is too much from Services, gives it when there is room, and counts', async () => {
    const world = await serving(2);
    putQuota(world, [{ ipv4: 2 }]);
    await settled(world);
    assert.is(world.readyOf(quotaOf(world)), 'True Limiting');
    assert.equal([quotaOf(world)?.status?.used, quotaOf(world)?.status?.full], [[{ namespace: 'shop', ipv4: 2 }], 1]);
    world.put(world.stores.services, service('late'));
    await eventually('it is refused', () => world.reasonOf('shop/late') === 'QuotaExceeded');
    world.remove(world.stores.services, 'shop/s0');
    await eventually('it is served', () => world.addressesOf('shop/late').length === 1);
    await world.die();
  });
  test('that is lowered takes nothing away and says so; raised again it is content', async () => {
    const world = await serving(3);
    putQuota(world, [{ ipv4: 1 }]);
    await eventually('it warns', () => warningOf(quotaOf(world)) !== 'none');
    assert.is(warningOf(quotaOf(world)), 'namespace shop has 3 IPv4 addresses instead of 1: nobody loses anything.');
    assert.is(world.addressesOf('shop/s2').length, 1);
    putQuota(world, [{ ipv4: 9 }], 2);
    await eventually('it is content', () => warningOf(quotaOf(world)) === 'none');
    assert.equal(quotaOf(world)?.status?.observedGeneration, 2);
    await world.die();
  });
  test('is written seldom, however many Services come', async () => {
    const world = await serving(0);
    putQuota(world, [{ ipv4: 300 }]);
    await settled(world);
    const before = writesOf(world, 'addressquotas');
    for (let at = 0; at < 200; at++) {
      world.put(world.stores.services, service(`n${at}`));
      if (at % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await eventually('all are counted', () => quotaOf(world)?.status?.used?.[0]?.ipv4 === 200);
    assert.ok(writesOf(world, 'addressquotas') - before <= 3, `${writesOf(world, 'addressquotas') - before} writes`);
    await world.die();
  });
});

spec('a reservation', (test) => {
  test('gives its address to whom it is for, and to nobody else, whether they are there or not', async () => {
    const world = await serving(0);
    putReservation(world, 'web');
    await settled(world);
    assert.is(world.readyOf(reservationOf(world)), 'True Reserving');
    world.put(world.stores.services, service('other'));
    world.put(world.stores.services, service('web'));
    await settled(world);
    assert.equal([world.addressesOf('shop/other'), world.addressesOf('shop/web')], [['10.0.0.1'], ['10.0.0.0']]);
    await eventually('it is counted', () => reservationOf(world)?.status?.held === 1);
    world.remove(world.stores.services, 'shop/web');
    await eventually('it is free', () => reservationOf(world)?.status?.held === 0);
    world.put(world.stores.services, service('third'));
    await settled(world);
    assert.equal(world.addressesOf('shop/third'), ['10.0.0.2']);
    await world.die();
  });
  test('takes nothing from who has it already, and says who that is', async () => {
    const world = await serving(1);
    putReservation(world, 'web');
    await settled(world);
    assert.equal(world.addressesOf('shop/s0'), ['10.0.0.0']);
    assert.is(warningOf(reservationOf(world)), '10.0.0.0 is held by shop/s0: they keep what they have.');
    assert.equal([reservationOf(world)?.status?.held, reservationOf(world)?.status?.heldByOthers], [0, 1]);
    world.remove(world.stores.services, 'shop/s0');
    await eventually('the warning is gone', () => warningOf(reservationOf(world)) === 'none');
    await world.die();
  });
  test('holds at a new leader from its first decision', async () => {
    const world = await serving(0);
    putReservation(world, 'web');
    await settled(world);
    await world.die();
    world.put(world.stores.services, service('early'));
    world.lead();
    await settled(world);
    assert.equal(world.addressesOf('shop/early'), ['10.0.0.1']);
    await world.die();
  });
});
