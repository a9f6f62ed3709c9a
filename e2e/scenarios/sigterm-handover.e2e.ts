/** A rolling restart of the speakers: each hands its addresses to the successor before it goes. */

import * as assert from 'uvu/assert';
import { type OwnedService, serviceOwnedByWorker } from '../lib/faults.ts';
import { NAMESPACE, ready } from '../lib/herald.ts';
import { kubectl } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { pause } from '../lib/wait-for.ts';
import { inWords, startProbe } from '../probe/run.ts';

/** Long enough for three speakers, one after the other. */
const PROBE_MS = 45_000;
/** Of 4,500 probes per series; the move of an address itself may catch a flow on its way. */
const MAY_LOSE = 5;

scenario(
  'sigterm-handover',
  (test) => {
    let service: OwnedService;

    test('a Service is in service', async (world) => {
      service = await serviceOwnedByWorker(world);
    });

    test('a rolling restart of all speakers loses nothing that a client would notice', async (world) => {
      const { report } = await startProbe({ addresses: service.addresses, durationMs: PROBE_MS });
      await pause(2_000);
      await kubectl('-n', NAMESPACE, 'rollout', 'restart', 'daemonset/herald-speaker');
      await ready(world.api);
      const { series } = await report;
      for (const one of series) console.log(inWords(one));
      for (const one of series) {
        assert.ok(one.isServedAtEnd, `${one.kind} to ${one.address} is served at the end`);
        assert.ok(one.lost <= MAY_LOSE, inWords(one));
      }
    });

    test('exactly one node answers afterwards', async (world) => {
      for (const address of service.addresses) await world.owner(address);
    });
  },
  240_000,
);
