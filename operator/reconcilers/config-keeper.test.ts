import * as assert from 'uvu/assert';
import { l2Object, poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { ConflictError } from '../cluster/api-error.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { wantedEntry } from '../config/pool-content.ts';
import { AddressBook } from './address-book.ts';
import { ConfigKeeper } from './config-keeper.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service } from './testing/stories.ts';

spec('what is in force', (test) => {
  test('is stored anew when the PoolSet went with its definition, though the informer goes on showing it', async () => {
    const world = new FakeWorld();
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/24']));
    world.lead();
    await eventually('a is stored', () => world.stores.poolSets.size === 1);
    const storePoolSet = world.storePoolSet.bind(world);
    const created: string[][] = [];
    world.readPoolSet = async () => undefined;
    world.storePoolSet = async (before, pools) => {
      if (before) throw new ConflictError('it is gone');
      world.readPoolSet = FakeWorld.prototype.readPoolSet;
      world.storePoolSet = storePoolSet;
      created.push(pools.map(({ name }) => name));
      return storePoolSet(world.stores.poolSets.get('herald-system/herald'), pools);
    };
    world.put(world.stores.pools, poolObject('b', ['10.0.1.0/24']));
    try {
      await eventually('b serves', () => world.readyOf(world.stores.pools.get('herald-system/b')) === 'True Serving');
    } finally {
      await world.die();
    }
    assert.equal(created, [['a', 'b']]);
  });
});

spec('a pool that waits for Services', (test) => {
  /** A keeper that has decided about a remnant and a refused change, by a clock that shows `tookMs` for deciding. */
  async function keeping(tookMs: number): Promise<ConfigKeeper> {
    const world = new FakeWorld();
    const [gone, shrunk] = [poolObject('gone', ['10.0.0.0/24']), poolObject('shrunk', ['10.0.1.0/24'])];
    world.put(world.stores.poolSets, {
      apiVersion: 'heraldlb.io/v1alpha1',
      kind: 'PoolSet',
      metadata: { namespace: 'herald-system', name: 'herald' },
      pools: [gone, shrunk].map(wantedEntry),
    });
    world.put(world.stores.pools, poolObject('shrunk', ['10.0.1.0/28']));
    world.put(world.stores.pools, poolObject('calm', ['10.0.2.0/24']));
    for (const [pool, ip] of [
      ['gone', '10.0.0.1'],
      ['shrunk', '10.0.1.77'],
    ] as const) {
      const holder = service(pool, { annotations: { 'metallb.io/ip-allocated-from-pool': pool } });
      const condition = {
        type: 'heraldlb.io/AddressAssigned',
        status: 'True' as const,
        reason: 'Assigned',
        message: '',
      };
      const conditions = [{ ...condition, lastTransitionTime: '2026-01-01T00:00:00Z' }];
      world.put(world.stores.services, { ...holder, status: { loadBalancer: { ingress: [{ ip }] }, conditions } });
    }
    let now = 0;
    world.clock = () => {
      now += tookMs;
      return now;
    };
    const listener = { servicesConcerned: () => {}, poolsUsed: () => {} };
    const scope = { ownNamespace: 'herald-system', configNamespaces: ['herald-system'], lbClass: '' };
    const keeper = new ConfigKeeper(world, new AddressBook(world.stores.services, scope, listener), scope, () => {});
    assert.is(keeper.decideAfterUse(['herald-system/gone']), undefined);
    await keeper.reconcile();
    return keeper;
  }

  test('is decided anew soon after an address of it was let go', async () => {
    const keeper = await keeping(1);
    for (const name of ['gone', 'shrunk']) assert.is(keeper.decideAfterUse([`herald-system/${name}`]), 50);
  });
  test('is decided anew seldom while other pools are used', async () => {
    assert.is((await keeping(1)).decideAfterUse(['herald-system/calm']), 1_000);
  });
  test('is decided anew the more seldom the longer deciding takes', async () => {
    const keeper = await keeping(300);
    for (const name of ['gone', 'calm']) assert.is(keeper.decideAfterUse([`herald-system/${name}`]), 6_000);
  });
});

spec('while what is in force is being stored', (test) => {
  /** A leader with pool `a` in force whose next store of the PoolSet waits for `store`. */
  async function storing(body: (world: FakeWorld, store: () => void) => Promise<void>): Promise<void> {
    const world = new FakeWorld();
    world.put(world.stores.pools, poolObject('a', ['10.0.0.0/24']));
    world.lead();
    await eventually('a serves', () => world.readyOf(world.stores.pools.get('herald-system/a')) === 'True Serving');
    let store = () => {};
    const waiting = new Promise<void>((resolve) => {
      store = resolve;
    });
    world.beforePoolSet = () => waiting;
    try {
      await body(world, store);
    } finally {
      store();
      await world.die();
    }
  }
  const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

  test('objects that are no part of it are told, and so is a refusal', () =>
    storing(async (world) => {
      world.put(world.stores.pools, poolObject('b', ['10.0.1.0/24']));
      world.put(world.stores.pools, poolObject('bad', ['nonsense']));
      world.put(world.stores.l2Advertisements, l2Object('ad', { ipAddressPools: ['a'] }));
      const { pools, l2Advertisements } = world.stores;
      await eventually(
        'ad is told',
        () => world.readyOf(l2Advertisements.get('herald-system/ad')) === 'True Announcing',
      );
      await eventually(
        'bad is told',
        () => world.readyOf(pools.get('herald-system/bad')) === 'False InvalidAddressRange',
      );
      assert.is(l2Advertisements.get('herald-system/ad')?.status?.pools, 'a');
    }));
  test('a pool that comes into force is told only when that is stored', () =>
    storing(async (world, store) => {
      world.put(world.stores.pools, poolObject('b', ['10.0.1.0/24']));
      await pause();
      assert.is(world.readyOf(world.stores.pools.get('herald-system/b')), 'none');
      store();
      await eventually('b serves', () => world.readyOf(world.stores.pools.get('herald-system/b')) === 'True Serving');
    }));
  test('a pool is not told about its new spec what was decided about the old one', () =>
    storing(async (world, store) => {
      const seen = () => world.stores.pools.get('herald-system/a')?.status?.observedGeneration;
      const { status } = world.stores.pools.get('herald-system/a') ?? {};
      const changed = poolObject('a', ['10.0.0.0/23'], { metadata: { generation: 2 } });
      world.put(world.stores.pools, { ...changed, ...(status && { status }) });
      // A Service takes an address meanwhile, which is reason enough to look at the counters of the pool.
      world.put(world.stores.services, service('web'));
      await pause();
      assert.is(seen(), 1);
      store();
      await eventually('the new spec is told', () => seen() === 2);
    }));
});
