import * as assert from 'uvu/assert';
import type { RestingAddress } from '../../crds/pool-set.ts';
import { ip } from '../../testing/allocation.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { formatIp } from '../net/address.ts';
import { RestingAddresses } from './resting-addresses.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service } from './testing/stories.ts';

/** A clock that is turned by hand, and what was stored and given back. */
function stage() {
  const world = {
    time: Date.parse('2026-06-01T12:00:00Z'),
    stored: [] as RestingAddress[][],
    restored: [] as string[],
    now: () => new Date(world.time),
    storeResting: async (resting: readonly RestingAddress[]) => {
      world.stored.push([...resting]);
      return {} as never;
    },
  };
  const resting = new RestingAddresses(world, (address) => world.restored.push(formatIp(address)));
  return { world, resting };
}
const rested = (address: string, coolDownMs: number) =>
  ({ address: ip(address), service: 'shop/web', pool: 'herald-system/a', coolDownMs }) as const;

spec('addresses that rest', (test) => {
  test('are stored with their end, and are free again at their end', async () => {
    const { world, resting } = stage();
    resting.rested([rested('192.0.2.1', 30_000), rested('192.0.2.2', 10_000)]);
    const outcome = await resting.reconcile();
    assert.is(outcome.next === 'RetryAfter' && outcome.milliseconds, 10_000);
    assert.equal(world.stored, [
      [
        { address: '192.0.2.1', until: '2026-06-01T12:00:30Z', service: 'shop/web' },
        { address: '192.0.2.2', until: '2026-06-01T12:00:10Z', service: 'shop/web' },
      ],
    ]);
    world.time += 10_000;
    await resting.reconcile();
    assert.equal(world.restored, ['192.0.2.2']);
    assert.is(world.stored.length, 1, 'an end was stored beforehand and needs no request');
    world.time += 20_000;
    assert.equal(await resting.reconcile(), { next: 'WaitForChange' });
    assert.equal(world.restored, ['192.0.2.2', '192.0.2.1']);
    assert.equal(world.stored.at(-1), []);
  });
  test('are as many as a day of changes leaves, of which some are stored', async () => {
    const { world, resting } = stage();
    const many = Array.from({ length: 200_000 }, (_, at) => {
      const address = { family: 6, value: (0x2001_0db8n << 96n) + BigInt(at) } as const;
      return { ...rested('2001:db8::', 60_000 + at), address };
    });
    resting.rested(many);
    const outcome = await resting.reconcile();
    assert.is(outcome.next === 'RetryAfter' && outcome.milliseconds, 60_000);
    assert.is(world.stored[0]?.length, 5_000);
  });
  test('rest again from the beginning when they are let go of again', async () => {
    const { world, resting } = stage();
    resting.rested([rested('192.0.2.1', 30_000)]);
    world.time += 20_000;
    resting.rested([rested('192.0.2.1', 30_000)]);
    world.time += 20_000;
    await resting.reconcile();
    assert.equal(world.restored, []);
  });
  test('are resumed by the next leader, but for those that have rested long enough', async () => {
    const { world, resting } = stage();
    const withheld = resting.resume({
      resting: [
        { address: '192.0.2.1', until: '2026-06-01T12:00:30Z', service: 'shop/web' },
        { address: '192.0.2.2', until: '2026-06-01T11:59:59Z', service: 'shop/web' },
      ],
    });
    assert.equal(
      withheld.map(({ address, reason, service }) => [formatIp(address), reason, service]),
      [['192.0.2.1', 'CoolingDown', 'shop/web']],
    );
    const outcome = await resting.reconcile();
    assert.is(outcome.next === 'RetryAfter' && outcome.milliseconds, 30_000);
    assert.equal(world.stored, []);
  });
  test('are given to nobody else by the leader, nor by the one that comes after it, until they have rested', async () => {
    const world = new FakeWorld();
    world.now = () => new Date();
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/31'], { coolDown: '800ms' }));
    world.put(world.stores.services, service('one'));
    world.lead();
    const addressOf = (name: string): string | undefined =>
      world.stores.services.get(`shop/${name}`)?.status?.loadBalancer?.ingress?.[0]?.ip;
    await eventually('it has its address', () => addressOf('one') === '10.0.0.0');
    world.remove(world.stores.services, 'shop/one');
    world.put(world.stores.services, service('two'));
    await eventually('another has the other address', () => addressOf('two') === '10.0.0.1');
    await eventually('it is stored', () => world.stores.poolSets.get('herald-system/herald')?.resting?.length === 1);
    world.put(world.stores.services, service('three'));
    await world.die();
    world.lead();
    const reasonOf = (name: string): string | undefined =>
      world.stores.services.get(`shop/${name}`)?.status?.conditions?.[0]?.reason;
    await eventually('the third has to wait', () => reasonOf('three') === 'PoolExhausted');
    await eventually('it has rested', () => addressOf('three') === '10.0.0.0');
    await eventually('nothing rests', () => !world.stores.poolSets.get('herald-system/herald')?.resting);
    await world.die();
  });
});
