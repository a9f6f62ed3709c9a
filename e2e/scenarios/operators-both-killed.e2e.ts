/** Both operators are killed at once: the speakers answer without them, and the next leader takes nothing away. */

import { pods, processOf, ready, signal } from '../lib/herald.ts';
import { scenario } from '../lib/scenario.ts';
import { assertServesAnother, assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause } from '../lib/wait-for.ts';

scenario('operators-both-killed', (test) => {
  test('three Services are in service', threeServices);

  test('both replicas are killed at once', (world) =>
    assertUndisturbed(world, async () => {
      const victims = await Promise.all((await pods(world.api, 'herald-operator')).map(processOf));
      await Promise.all(victims.map((victim) => signal(victim, 'KILL')));
      await pause(10_000);
      await ready(world.api);
    }));

  test('a new Service gets its address afterwards', assertServesAnother);
});
