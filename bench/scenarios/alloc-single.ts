/** How fast one Service is served: in a quiet cluster with thousands of others, and while there is much else to do. */

import { leader, processOf, ready, signal } from '../../e2e/lib/herald.ts';
import type { KubeObject } from '../../e2e/lib/kube-api.ts';
import { bareService, createServices, servicesIn } from '../../e2e/lib/many-services.ts';
import { pause } from '../../e2e/lib/wait-for.ts';
import type { World } from '../../e2e/lib/world.ts';
import { foreignService, writeStatus } from '../floors/status-writes.ts';
import { statisticsOf } from '../report.ts';
import { FirstTimes } from './first-times.ts';
import { atRest, emptied, hasAddress, served } from './many.ts';
import type { Bench, Scenario } from './scenario.ts';

const BETWEEN_MS = 100;
const LATE_RANGE = '198.19.0.0/16';

/** From the request that creates a Service until a watch shows its address. */
async function createToAddress(
  { api, namespace }: World,
  service: KubeObject,
  act: (created: KubeObject) => unknown = () => undefined,
): Promise<number> {
  const { name } = service.metadata;
  const path = `${servicesIn(namespace)}?fieldSelector=metadata.name=${name}`;
  const watch = await FirstTimes.watch(api, path, hasAddress);
  try {
    const startedAt = performance.timeOrigin + performance.now();
    await act(await api.create(service));
    return (await watch.count(1, 15_000, 'Services with an address')) - startedAt;
  } finally {
    watch.stop();
  }
}

const echo = (world: World, name: string): Promise<number> =>
  createToAddress(world, foreignService(world.namespace, name), (created) =>
    writeStatus(world.api, created, '198.20.0.1'),
  );

export const single: Scenario = {
  name: 'alloc.single',
  unit: 'ms',
  runs: 50,
  explanation:
    "one Service beside 10,000 others: from its creation to its address, seen by a watch, less the API's echo",
  bar: { text: 'median <= 20, p99 <= 60', holds: ({ median, p99 }) => median <= 20 && p99 <= 60 },
  async run({ world, runs, say, detail }) {
    await served(world, 10_000);
    const floors: number[] = [];
    const times: number[] = [];
    // Alternating, so that both meet the same machine.
    for (let run = 0; run < runs; run += 1) {
      floors.push(await echo(world, `echo-${run}`));
      times.push(await createToAddress(world, bareService(world.namespace, `single-${run}`)));
      await pause(BETWEEN_MS);
    }
    await emptied(world);
    detail({ floors, times });
    const { median } = statisticsOf(floors);
    say(`floor ${median.toFixed(1)} ms: a client that writes an address into each Service it has just created`);
    say(
      `with the floor: median ${statisticsOf(times).median.toFixed(1)}, p99 ${statisticsOf(times).p99.toFixed(1)} ms`,
    );
    const name = `the API's echo, which the samples are without: create, then one status write by the same client: ${median.toFixed(1)}`;
    return { samples: times.map((ms) => Math.max(0, ms - median)), floor: { name } };
  },
};

/** One Service after another while a thousand that waited for a pool are served. */
async function amongThousand({ world, say }: Bench): Promise<readonly number[]> {
  const { api, namespace } = world;
  const waiting = (where: string, name: string): KubeObject => {
    const service = bareService(where, name);
    return {
      ...service,
      metadata: { ...service.metadata, annotations: { 'metallb.io/address-pool': `${world.name}-late` } },
    };
  };
  await createServices(api, namespace, 1_000, { prefix: 'late', serviceOf: waiting });
  await atRest(api);
  const isLate = (service: KubeObject): boolean => service.metadata.name.startsWith('late-') && hasAddress(service);
  const late = await FirstTimes.watch(api, servicesIn(namespace), isLate);
  try {
    await world.pool({ addresses: [LATE_RANGE], autoAssign: false }, `${world.name}-late`);
    await late.count(1, 10_000, 'of the thousand');
    const times: number[] = [];
    while (late.times.size < 1_000)
      times.push(await createToAddress(world, bareService(namespace, `amid-${times.length}`)));
    say(`${times.length} were created while a thousand were served`);
    return times;
  } finally {
    late.stop();
  }
}

export const behindDelete: Scenario = {
  name: 'alloc.behind-delete',
  unit: 'ms',
  runs: 50,
  explanation:
    'a Service is created right after one of 1,000 was deleted, or while 1,000 are served: until its address is seen',
  bar: { text: 'p99 <= 100 in either case', holds: ({ p99 }) => p99 <= 100 },
  async run(bench) {
    const { world, runs, say, detail } = bench;
    const names = await served(world, 1_000);
    const behind: number[] = [];
    const floors: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      floors.push(await echo(world, `echo-${run}`));
      await world.api.delete(`${servicesIn(world.namespace)}/${names[run]}`);
      behind.push(await createToAddress(world, bareService(world.namespace, `behind-${run}`)));
      await pause(BETWEEN_MS);
    }
    const amid = await amongThousand(bench);
    await emptied(world);
    detail({ floors, behind, amid });
    for (const [what, times] of Object.entries({ behind, amid })) {
      const { median, p99 } = statisticsOf(times);
      say(`${what}: median ${median.toFixed(1)}, p99 ${p99.toFixed(1)} ms`);
    }
    const { median } = statisticsOf(floors);
    const isSound = [behind, amid].every((times) => statisticsOf(times).p99 <= 100);
    return { samples: [...behind, ...amid], floor: { name: 'API echo, in the quiet half', median }, isSound };
  },
};

export const leaderKill: Scenario = {
  name: 'alloc.leader-kill',
  unit: 'ms',
  runs: 5,
  explanation: 'the leader of 1,000 Services is killed, and a Service created at once: until its address is seen',
  bar: { text: 'max <= 4000', holds: ({ max }) => max <= 4_000 },
  async run({ world, runs, say }) {
    await served(world, 1_000);
    const samples: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      await signal(await processOf(await leader(world.api)), 'KILL');
      samples.push(await createToAddress(world, bareService(world.namespace, `killed-${run}`)));
      say(`${samples.at(-1)?.toFixed(0)} ms`);
      await ready(world.api);
      await atRest(world.api);
    }
    await emptied(world);
    return { samples, floor: { name: 'the Lease of the killed leader', median: 3_000 } };
  },
};
