/** The API server's container is restarted: every watch breaks, no address changes, the speakers go on. */

import { restartApiServer } from '../lib/faults.ts';
import { ready } from '../lib/herald.ts';
import { scenario } from '../lib/scenario.ts';
import { assertServesAnother, assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause } from '../lib/wait-for.ts';

scenario(
  'apiserver-restart',
  (test) => {
    test('three Services are in service', threeServices);

    test('the API server is killed and comes back', (world) =>
      assertUndisturbed(world, async () => {
        await restartApiServer(world.api);
        await pause(5_000);
        await ready(world.api);
      }));

    test('a new Service gets its address and is announced', assertServesAnother);
  },
  240_000,
);
