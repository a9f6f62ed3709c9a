/** How fast an operator that starts serves all the Services that wait for it, and how soon all is told. */

import { leader, processOf, ready, scaleOperators } from '../../e2e/lib/herald.ts';
import type { KubeObject } from '../../e2e/lib/kube-api.ts';
import { exec } from '../../e2e/lib/lab.ts';
import { BENCHMARK_RANGE, bareService, createServices, servicesIn } from '../../e2e/lib/many-services.ts';
import type { World } from '../../e2e/lib/world.ts';
import { statusWriteFloor } from '../floors/status-writes.ts';
import { statisticsOf } from '../report.ts';
import { FirstTimes } from './first-times.ts';
import { announcementsIn, atRest, emptied, hasAddress } from './many.ts';
import type { Bench, Scenario } from './scenario.ts';

const RATIO = 1.3;
/** Events, and ServiceAnnouncements where there are any. */
const TOLD_RATIO = 3;
/** Up to so many Services each has a ServiceAnnouncement by default. */
const ANNOUNCEMENTS_UP_TO = 2_000;

/** Milliseconds from the start of the operator's process. */
interface ColdRun {
  readonly addresses: number;
  readonly events: number;
  readonly announcements?: number;
}

/** When a pod's process started, in milliseconds since the epoch: kernel ticks of 10 ms after the boot. */
async function startOf(pod: KubeObject): Promise<number> {
  const { node, pid } = await processOf(pod);
  // The time of day is read beside the uptime: what the answer takes to come here must not count as served.
  const text = await exec(node, ['sh', '-c', `cat /proc/${pid}/stat /proc/uptime; date +%s%3N`]);
  const [stat = '', uptime = '', now = ''] = text.split('\n');
  // Field 22 of stat; the fields are counted from after the name, which may contain blanks.
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return Number(now) - Number(uptime.split(' ')[0]) * 1000 + ticks * 10;
}

const eventsIn = (namespace: string): string => `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
const isAllocated = (event: KubeObject): boolean => event['reason'] === 'IPAllocated';

async function coldRun({ api, namespace }: World, count: number, run: number): Promise<ColdRun> {
  await scaleOperators(api, 0);
  await createServices(api, namespace, count, { prefix: `run${run}`, serviceOf: bareService });
  const watch = (path: string, isIt: (object: KubeObject) => boolean) => FirstTimes.watch(api, path, isIt);
  const services = await watch(servicesIn(namespace), hasAddress);
  const isOfRun = (event: KubeObject): boolean => isAllocated(event) && event.metadata.name.startsWith(`run${run}-`);
  const events = await watch(eventsIn(namespace), isOfRun);
  const announcements = await watch(announcementsIn(namespace), () => true);
  try {
    await scaleOperators(api, 2);
    const within = 120_000 + count * 20;
    const last = await services.count(count, within, 'Services with an address');
    const start = await startOf(await leader(api));
    const lastEvent = await events.count(count, within, 'events');
    const told = { addresses: last - start, events: lastEvent - start };
    if (count > ANNOUNCEMENTS_UP_TO) return told;
    return { ...told, announcements: (await announcements.count(count, within, 'ServiceAnnouncements')) - start };
  } finally {
    for (const one of [services, events, announcements]) one.stop();
  }
}

async function coldRuns({ world, runs, say, detail }: Bench, count: number) {
  const { api, namespace } = world;
  await world.pool({ addresses: [BENCHMARK_RANGE] });
  await ready(api);
  const floor = await statusWriteFloor(api, namespace, count);
  const floorMs = floor.median ?? Number.NaN;
  say(`floor: ${floor.name}, ${floorMs.toFixed(0)} ms`);
  const all: ColdRun[] = [];
  for (let run = 0; run < runs; run += 1) {
    await emptied(world);
    await atRest(api);
    const one = await coldRun(world, count, run);
    await ready(api);
    await atRest(api);
    detail(one);
    all.push(one);
    say(
      Object.entries(one)
        .map(([what, ms]) => `${what} ${ms.toFixed(0)} ms (${(ms / floorMs).toFixed(2)})`)
        .join(', '),
    );
  }
  await emptied(world);
  const toldMs = statisticsOf(all.map(({ events, announcements = 0 }) => Math.max(events, announcements))).median;
  say(`all is told after ${toldMs.toFixed(0)} ms, ${(toldMs / floorMs).toFixed(2)} times the floor`);
  return { samples: all.map(({ addresses }) => addresses), floor, isSound: toldMs <= TOLD_RATIO * floorMs };
}

const coldStart = (count: number, runs: number): Scenario => ({
  name: `alloc.cold.${count}`,
  unit: 'ms',
  runs,
  explanation: `${count} Services wait when the operator starts: from the start of its process to the last address`,
  bar: {
    text: `ratio <= ${RATIO}; events${count > ANNOUNCEMENTS_UP_TO ? '' : ' and ServiceAnnouncements'} there: ratio <= ${TOLD_RATIO}`,
    holds: ({ ratio }) => ratio !== null && ratio <= RATIO,
  },
  run: (bench) => coldRuns(bench, count),
});

export const coldStart1000 = coldStart(1_000, 5);
export const coldStart5000 = coldStart(5_000, 3);
