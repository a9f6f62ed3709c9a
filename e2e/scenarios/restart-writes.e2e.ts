/** The operator is restarted with 200 assigned Services: it writes nothing to them, their status or their events. */

import * as assert from 'uvu/assert';
import { NAMESPACE, ready } from '../lib/herald.ts';
import { collection } from '../lib/kube-api.ts';
import { kubectl } from '../lib/lab.ts';
import { BENCHMARK_RANGE, createServices, servicesIn } from '../lib/many-services.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { addressesIn, type World } from '../lib/world.ts';
import { requestCounts, writesTo } from '../lib/write-counts.ts';

const SERVICES = 200;
const QUIET_MS = 30_000;

/** Every Service with its version and addresses, in order of names. */
async function snapshot({ api, namespace }: World): Promise<string[]> {
  const services = await api.list(servicesIn(namespace));
  return services.map(
    (service) => `${service.metadata.name} ${service.metadata.resourceVersion} ${addressesIn(service)}`,
  );
}

async function eventsOf({ api, namespace }: World): Promise<string[]> {
  const events = await api.list(collection('events.k8s.io/v1', 'Event', namespace));
  return events.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted();
}

const writes = async ({ api }: World): Promise<{ services: number; events: number }> => {
  const counts = requestCounts(await api.text('/metrics'));
  // The kubelet and the scheduler write their events about pods beside: those of core/v1 are never Herald's.
  return { services: writesTo(counts, 'services'), events: writesTo(counts, 'events', 'events.k8s.io') };
};

scenario(
  'restart-writes',
  (test) => {
    test('200 Services have their addresses', async (world) => {
      await world.pool({ addresses: [BENCHMARK_RANGE] });
      await createServices(world.api, world.namespace, SERVICES);
      await waitFor(
        'all have an address',
        { withinMs: 60_000, everyMs: 250 },
        async () =>
          (await world.api.list(servicesIn(world.namespace))).filter((one) => addressesIn(one).length > 0).length,
        (count) => count === SERVICES,
      );
      // Events come after the addresses, at a limited rate.
      await pause(10_000);
    });

    test('the operator is restarted and writes nothing to them', async (world) => {
      const [services, events, beforeRestart] = await Promise.all([snapshot(world), eventsOf(world), writes(world)]);
      await kubectl('-n', NAMESPACE, 'rollout', 'restart', 'deployment/herald-operator');
      await ready(world.api);
      const atReadiness = await writes(world);
      await pause(QUIET_MS);
      const after = await writes(world);

      assert.is(
        after.services - beforeRestart.services,
        0,
        'writes to Services and their status since before the restart',
      );
      assert.is(after.events - atReadiness.events, 0, 'writes of events from readiness until 30 s after');
      assert.equal(await snapshot(world), services, 'every Service is as it was, version and all');
      assert.equal(await eventsOf(world), events, 'no event about them was added or changed');
    });
  },
  240_000,
);
