/** How little is written for many Services, and how much memory they take. */

import { NAMESPACE, ready } from '../../e2e/lib/herald.ts';
import { collection, type KubeApi } from '../../e2e/lib/kube-api.ts';
import { kubectl } from '../../e2e/lib/lab.ts';
import { bareService, createServices, inParallel, servicesIn } from '../../e2e/lib/many-services.ts';
import { pause } from '../../e2e/lib/wait-for.ts';
import type { World } from '../../e2e/lib/world.ts';
import { FirstTimes } from './first-times.ts';
import { atRest, differenceOf, emptied, hasAddress, operatorMemory, served, storedWrites, sumOf } from './many.ts';
import type { Scenario } from './scenario.ts';

const COUNT = 1_000;
/** Beyond the 500 up to which each announced Service has a ServiceL2Status. */
const OTHERS = 600;
const QUIET_MS = 30_000;
const AFTER_DELETION_MS = 10_000;
/** Of single objects, such as the counters of a pool, which do not grow with the number of Services. */
const FEW = 50;

/** An endpoint that nobody connects to, so that a Service without pods is announced. */
async function endpointsOf({ api, namespace, nodes }: World, names: readonly string[]): Promise<void> {
  const endpoints = [{ addresses: ['192.0.2.1'], conditions: { ready: true }, nodeName: nodes[0]?.name ?? '' }];
  await inParallel(names, 16, (name) =>
    api.create({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    }),
  );
}

export const writes: Scenario = {
  name: 'alloc.writes',
  unit: 'writes',
  runs: 1,
  explanation:
    'stored writes per Service, events apart, from the creation of 1,000 announced Services beside 600 others until all is said',
  bar: { text: 'max <= 3, and 1 event; one deletion among them <= 2', holds: ({ max }) => max <= 3 },
  async run({ world, runs, say, detail }) {
    const samples: number[] = [];
    let isSound = true;
    for (let run = 0; run < runs; run += 1) {
      const { perService, single, deletion } = await countedRun(world, run);
      detail({ perService, single, deletion });
      const { events = 0, ...others } = perService;
      samples.push(sumOf(others) / COUNT);
      say(
        `per Service: ${JSON.stringify(perService)} / ${COUNT}; besides ${JSON.stringify(single)}; one deletion: ${JSON.stringify(deletion)}`,
      );
      isSound &&= events <= COUNT && sumOf(single) <= FEW && sumOf(deletion) <= 2;
    }
    return { samples, floor: { name: 'one status write', median: 1 }, isSound };
  },
};

async function countedRun(world: World, run: number) {
  const { api, namespace } = world;
  await served(world, OTHERS);
  await world.advertise();
  await atRest(api);
  const before = await storedWrites(api);
  const watch = await FirstTimes.watch(api, servicesIn(namespace), hasAddress);
  const names = Array.from({ length: COUNT }, (_, number) => `run${run}-${number}`);
  await endpointsOf(world, names);
  await createServices(api, namespace, COUNT, { prefix: `run${run}`, serviceOf: bareService });
  await watch.count(COUNT, 120_000, 'Services with an address');
  watch.stop();
  await atRest(api);
  const {
    services = 0,
    serviceannouncements = 0,
    servicel2statuses = 0,
    events = 0,
    ...single
  } = differenceOf(before, await storedWrites(api));
  const atDeletion = await storedWrites(api);
  await api.delete(`${servicesIn(namespace)}/${names[7]}`);
  await pause(AFTER_DELETION_MS);
  const deletion = differenceOf(atDeletion, await storedWrites(api));
  await api.delete(collection('discovery.k8s.io/v1', 'EndpointSlice', namespace));
  await emptied(world);
  return { perService: { services, serviceannouncements, servicel2statuses, events }, single, deletion };
}

export const restartWrites: Scenario = {
  name: 'alloc.restart-writes',
  unit: 'writes',
  runs: 3,
  explanation:
    'the operator restarts with 1,000 assigned Services: stored writes of all our components until 30 s after readiness',
  bar: { text: 'max <= 0', holds: ({ max }) => max <= 0 },
  async run({ world, runs, say }) {
    await served(world, COUNT);
    const samples: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      samples.push(await restartRun(world.api));
      say(`${samples.at(-1)} writes`);
    }
    await emptied(world);
    return { samples, floor: { name: 'no write is needed', median: 0 } };
  },
};

/** Writes since before the restart, and of events from readiness on: before it the scheduler writes its own. */
async function restartRun(api: KubeApi): Promise<number> {
  const before = await storedWrites(api);
  await kubectl('-n', NAMESPACE, 'rollout', 'restart', 'deployment/herald-operator');
  await ready(api);
  const atReadiness = await storedWrites(api);
  await pause(QUIET_MS);
  const after = await storedWrites(api);
  const { events: _, ...objects } = differenceOf(before, after);
  return sumOf(objects) + (differenceOf(atReadiness, after)['events'] ?? 0);
}

export const memory: Scenario = {
  name: 'mem.operator.10000',
  unit: 'MiB',
  runs: 3,
  explanation: 'the larger of both operators with 10,000 Services, after each of three restarts',
  bar: { text: 'max < 250', holds: ({ max }) => max < 250 },
  async run({ world, runs, say }) {
    await served(world, 10_000);
    const inUse = await operatorMemory(world.api);
    say(`after 10,000 Services were served: ${inUse.map((mib) => mib.toFixed(0)).join(' and ')} MiB`);
    const samples: number[] = [Math.max(...inUse)];
    for (let run = 1; run < runs; run += 1) {
      await kubectl('-n', NAMESPACE, 'rollout', 'restart', 'deployment/herald-operator');
      await ready(world.api);
      await pause(QUIET_MS);
      samples.push(Math.max(...(await operatorMemory(world.api))));
      say(`${samples.at(-1)?.toFixed(0)} MiB`);
    }
    await emptied(world);
    return { samples, floor: null };
  },
};
