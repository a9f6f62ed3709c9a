/** The owner's link is cut: another node takes over in under a second, without the API server being asked. */

import * as assert from 'uvu/assert';
import { type OwnedService, serviceOwnedByWorker } from '../lib/faults.ts';
import { cut, heal } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { pause } from '../lib/wait-for.ts';
import { inWords, startProbe } from '../probe/run.ts';

const BEFORE_MS = 5_000;
const AFTER_MS = 10_000;
const TAKEOVER_MS = 1_000;

scenario(
  'l2-cut',
  (test) => {
    let service: OwnedService;

    test('a Service is answered by a worker and served over both families', async (world) => {
      service = await serviceOwnedByWorker(world);
      assert.is(service.addresses.length, 2);
      assert.is(service.owner.isControlPlane, false, 'the owner to be cut is not the only control plane');
    });

    test('after the cut new flows are served again in under a second, by another owner', async (world) => {
      const { owner, addresses } = service;
      const { report } = await startProbe({ addresses, durationMs: BEFORE_MS + AFTER_MS, streams: 100 });
      await pause(BEFORE_MS);
      await cut(owner.name);
      const { series, streams } = await report;
      for (const one of series) console.log(inWords(one));
      console.log(`of ${streams.held} streams held through it ${streams.broken} broke`);

      const after = await world.owner(addresses[0] ?? '');
      console.log(`owner before ${owner.name}, after ${after.name}`);
      assert.is.not(after.name, owner.name);
      for (const one of series) {
        assert.ok(one.isServedAtEnd, `${one.kind} to ${one.address} is served again`);
        assert.ok(one.outages.length > 0, `${one.kind} to ${one.address}: the cut was felt at all`);
        assert.ok(one.outageMs < TAKEOVER_MS, inWords(one));
      }
    });

    test('after the node is healed exactly one node answers again', async (world) => {
      await heal(service.owner.name);
      for (const address of service.addresses) {
        await world.owner(address);
        await world.fetchSoon(address);
      }
    });
  },
  240_000,
);
