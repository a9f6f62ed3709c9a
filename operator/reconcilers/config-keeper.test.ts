import * as assert from 'uvu/assert';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { ConflictError } from '../cluster/api-error.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';

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
