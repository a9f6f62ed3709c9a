/** The operator that leads is killed, as a process and as a pod: nobody's address changes, the speakers go on. */

import * as assert from 'uvu/assert';
import { leader, NAMESPACE, processOf, ready, signal } from '../lib/herald.ts';
import { kubectl } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause } from '../lib/wait-for.ts';

scenario('operator-killed', (test) => {
  test('three Services are in service', threeServices);

  test('the process of the leader is killed', (world) =>
    assertUndisturbed(world, async () => {
      const victim = await processOf(await leader(world.api));
      await signal(victim, 'KILL');
      await pause(5_000);
      await ready(world.api);
      assert.is.not((await processOf(await leader(world.api))).pid, victim.pid);
    }));

  test('the pod of the leader is deleted at once', (world) =>
    assertUndisturbed(world, async () => {
      const victim = await leader(world.api);
      await kubectl('-n', NAMESPACE, 'delete', 'pod', victim.metadata.name, '--force', '--grace-period=0');
      await pause(5_000);
      await ready(world.api);
      assert.is.not((await leader(world.api)).metadata.uid, victim.metadata.uid);
    }));
});
