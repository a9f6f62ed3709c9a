import * as assert from 'uvu/assert';
import { l2Object, poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { OwnWrites } from './own-writes.ts';
import { FakeWorld } from './testing/fake-world.ts';

const version = (resourceVersion: string) => poolObject('a', [], { metadata: { resourceVersion } });

spec('own writes', (test) => {
  test('have replaced the version that they were written over, and no other one', () => {
    const writes = new OwnWrites();
    assert.not.ok(writes.isReplaced(version('1')));
    writes.wrote(version('1'));
    assert.ok(writes.isReplaced(version('1')));
    assert.not.ok(writes.isReplaced(version('2')));
    assert.not.ok(writes.isReplaced(poolObject('b', [])));
    writes.forget('herald-system/a');
    assert.not.ok(writes.isReplaced(version('1')));
  });
  test('are not repeated while the informer does not show them', async () => {
    const world = new FakeWorld();
    const { pools, l2Advertisements } = world.stores;
    world.put(pools, poolObject('a', ['10.0.0.0/24']));
    world.put(l2Advertisements, l2Object('ad'));
    const sent: string[] = [];
    // A store that stays behind: writes go out, and nobody brings them back.
    world.applyStatus = async (object, { plural }) => {
      sent.push(`${plural} ${object.metadata.name}`);
      return 'Written';
    };
    world.lead();
    try {
      await eventually(
        'both are written',
        () => sent.includes('ipaddresspools a') && sent.includes('l2advertisements ad'),
      );
      for (let at = 0; at < 5; at++) {
        world.put(world.stores.namespaces, { metadata: { name: `n${at}` } });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.equal(sent.filter((one) => !one.startsWith('configurationstates ')).sort(), [
        'ipaddresspools a',
        'l2advertisements ad',
      ]);
    } finally {
      await world.die();
    }
  });
});
