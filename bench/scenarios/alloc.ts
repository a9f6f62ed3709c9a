/** How fast addresses are assigned, and how little is written for it. */

import { leader, NAMESPACE, processOf, ready, scaleOperators } from '../../e2e/lib/herald.ts';
import type { KubeApi, KubeObject } from '../../e2e/lib/kube-api.ts';
import { exec, kubectl } from '../../e2e/lib/lab.ts';
import { BENCHMARK_RANGE, createServices, plainService, servicesIn } from '../../e2e/lib/many-services.ts';
import { Observer } from '../../e2e/lib/observer.ts';
import { pause, waitFor } from '../../e2e/lib/wait-for.ts';
import { addressesIn, type World } from '../../e2e/lib/world.ts';
import { requestCounts, writesTo } from '../../e2e/lib/write-counts.ts';
import { foreignService, statusWriteFloor, writeStatus } from '../floors/status-writes.ts';
import { statisticsOf } from '../report.ts';
import type { Scenario } from './scenario.ts';

const QUIET_MS = 30_000;
const hasAddress = (service: KubeObject): boolean => addressesIn(service).length > 0;

async function emptied({ api, namespace }: World): Promise<void> {
  await api.delete(servicesIn(namespace));
  await waitFor(
    'no Service is left',
    { withinMs: 60_000, everyMs: 250 },
    () => api.list(servicesIn(namespace)),
    ({ length }) => length === 0,
  );
}

/** When a pod's process started, in milliseconds since the epoch: kernel ticks of 10 ms after the boot. */
async function startOf(pod: KubeObject): Promise<number> {
  const { node, pid } = await processOf(pod);
  const text = await exec(node, ['sh', '-c', `cat /proc/${pid}/stat /proc/uptime`]);
  const [stat = '', uptime = ''] = text.split('\n');
  const now = Date.now();
  // Field 22 of stat; the fields are counted from after the name, which may contain blanks.
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return now - Number(uptime.split(' ')[0]) * 1000 + ticks * 10;
}

async function coldRun(world: World, count: number): Promise<number> {
  const { api, namespace } = world;
  await scaleOperators(api, 0);
  await createServices(api, namespace, count);
  const observer = await Observer.start(api, servicesIn(namespace));
  try {
    await scaleOperators(api, 2);
    const times = await waitFor(
      'every Service has its address',
      { withinMs: 120_000, everyMs: 100 },
      () => observer.firstTimes(hasAddress),
      ({ size }) => size === count,
    );
    const last = performance.timeOrigin + Math.max(...times.values());
    return last - (await startOf(await leader(api)));
  } finally {
    observer.stop();
    await ready(api);
    await emptied(world);
  }
}

export const coldStart: Scenario = {
  name: 'alloc.cold.1000',
  unit: 'ms',
  runs: 5,
  explanation: '1,000 Services wait when the operator starts: from the start of its process to the last address',
  bar: { text: 'ratio <= 1.3', holds: ({ ratio }) => ratio !== null && ratio <= 1.3 },
  async run({ world, runs, say }) {
    await world.pool({ addresses: [BENCHMARK_RANGE] });
    const floor = await statusWriteFloor(world.api, world.namespace, 1000);
    say(`floor: ${floor.name}, ${floor.median?.toFixed(0)} ms`);
    const samples: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      samples.push(await coldRun(world, 1000));
      say(`${samples.at(-1)?.toFixed(0)} ms`);
    }
    return { samples, floor };
  },
};

/** From the request that creates a Service until a watch shows its address. */
async function createToAddress(
  world: World,
  service: KubeObject,
  act: (created: KubeObject) => unknown,
): Promise<number> {
  const observer = await Observer.start(world.api, servicesIn(world.namespace));
  try {
    const startedAt = performance.now();
    await act(await world.api.create(service));
    const isIt = ({ object }: { object: KubeObject }): boolean =>
      object.metadata.name === service.metadata.name && hasAddress(object);
    return (await observer.first(`${service.metadata.name} has its address`, 10_000, isIt)).atMs - startedAt;
  } finally {
    observer.stop();
  }
}

export const single: Scenario = {
  name: 'alloc.single',
  unit: 'ms',
  runs: 50,
  explanation: 'one Service in a quiet cluster: from its creation to its address, seen by a watch',
  bar: { text: 'median <= 20, p99 <= 60', holds: ({ median, p99 }) => median <= 20 && p99 <= 60 },
  async run({ world, runs, say }) {
    await world.pool({ addresses: [BENCHMARK_RANGE] });
    const floors: number[] = [];
    const samples: number[] = [];
    // Alternating, so that both meet the same machine.
    for (let run = 0; run < runs; run += 1) {
      const foreign = foreignService(world.namespace, `echo-${run}`);
      floors.push(await createToAddress(world, foreign, (created) => writeStatus(world.api, created, '198.19.0.1')));
      samples.push(await createToAddress(world, plainService(world.namespace, `single-${run}`), () => undefined));
      await pause(100);
    }
    await emptied(world);
    const median = statisticsOf(floors).median;
    say(`floor ${median.toFixed(1)} ms: a client that writes an address into each Service it has just created`);
    return { samples, floor: { name: 'API echo: create, then one status write by the same client', median } };
  },
};

export const restartWrites: Scenario = {
  name: 'alloc.restart-writes',
  unit: 'writes',
  runs: 5,
  explanation:
    'the operator restarts with 200 assigned Services: writes to Services, their status and events until 30 s after readiness',
  bar: { text: 'max <= 0', holds: ({ max }) => max <= 0 },
  async run({ world, runs, say }) {
    const { api, namespace } = world;
    await world.pool({ addresses: [BENCHMARK_RANGE] });
    await createServices(api, namespace, 200);
    await waitFor(
      'all have an address',
      { withinMs: 60_000, everyMs: 250 },
      async () => (await api.list(servicesIn(namespace))).filter(hasAddress).length,
      (count) => count === 200,
    );
    await pause(10_000);
    const samples: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      samples.push(await restartRun(api));
      say(`${samples.at(-1)} writes`);
    }
    await emptied(world);
    return { samples, floor: { name: 'no write is needed', median: 0 } };
  },
};

/** Writes to Services since before the restart, and of events from readiness on: before it the scheduler writes its own. */
async function restartRun(api: KubeApi): Promise<number> {
  const before = requestCounts(await api.text('/metrics'));
  await kubectl('-n', NAMESPACE, 'rollout', 'restart', 'deployment/herald-operator');
  await ready(api);
  const atReadiness = requestCounts(await api.text('/metrics'));
  await pause(QUIET_MS);
  const after = requestCounts(await api.text('/metrics'));
  const services = writesTo(after, 'services') - writesTo(before, 'services');
  return services + writesTo(after, 'events', 'events.k8s.io') - writesTo(atReadiness, 'events', 'events.k8s.io');
}
