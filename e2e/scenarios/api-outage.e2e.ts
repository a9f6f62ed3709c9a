/** The API server is away for a minute: the speakers answer all the while, and afterwards work goes on by itself. */

import { startApiServer, stopApiServer } from '../lib/faults.ts';
import { ready } from '../lib/herald.ts';
import { scenario } from '../lib/scenario.ts';
import { assertServesAnother, assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause } from '../lib/wait-for.ts';

const OUTAGE_MS = 60_000;

scenario(
  'api-outage',
  (test) => {
    test('three Services are in service', threeServices);

    test('the API server is away for 60 s', (world) =>
      assertUndisturbed(world, async () => {
        try {
          await stopApiServer(world.api);
          await pause(OUTAGE_MS);
        } finally {
          await startApiServer(world.api);
        }
        await pause(5_000);
        await ready(world.api);
      }));

    test('a new Service gets its address and is announced', assertServesAnother);
  },
  300_000,
);
