/** What scenarios with many Services have in common. */

import { pods, processOf } from '../../e2e/lib/herald.ts';
import { collection, type KubeApi, type KubeObject } from '../../e2e/lib/kube-api.ts';
import { exec } from '../../e2e/lib/lab.ts';
import { BENCHMARK_RANGE, bareService, createServices, servicesIn } from '../../e2e/lib/many-services.ts';
import { pause, waitFor } from '../../e2e/lib/wait-for.ts';
import { addressesIn, type World } from '../../e2e/lib/world.ts';
import { type RequestCount, requestCounts } from '../../e2e/lib/write-counts.ts';
import { FirstTimes } from './first-times.ts';

export const hasAddress = (service: KubeObject): boolean => addressesIn(service).length > 0;
export const announcementsIn = (namespace: string): string =>
  collection('heraldlb.io/v1alpha1', 'ServiceAnnouncement', namespace);

/** What our components write, but for Leases and NodeAnnouncements, which do not grow with Services. */
const OURS = new Set([
  'services',
  'serviceannouncements',
  'servicel2statuses',
  'servicebgpstatuses',
  'ipaddresspools',
  'l2advertisements',
  'poolsets',
  'configurationstates',
  'events',
]);
const WRITES = new Set(['POST', 'PUT', 'PATCH', 'APPLY']);
const QUIET_MS = 3_000;

/** Stored writes to the kinds that we write, by resource. Creations of Services are those of the benchmark. */
export async function storedWrites(api: KubeApi): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  for (const one of requestCounts(await api.text('/metrics')).filter(isOurs))
    sums.set(one.resource, (sums.get(one.resource) ?? 0) + one.count);
  return sums;
}

const isOurs = ({ verb, resource, group, subresource, code }: RequestCount): boolean =>
  WRITES.has(verb) &&
  OURS.has(resource) &&
  code.startsWith('2') &&
  (resource !== 'services' || subresource === 'status') &&
  (resource !== 'events' || group === 'events.k8s.io');

export function differenceOf(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const entries = [...after].map(([resource, count]) => [resource, count - (before.get(resource) ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Resolves when none of our components has written anything for three seconds. */
export async function atRest(api: KubeApi, withinMs = 300_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (let before = await storedWrites(api); ; ) {
    await pause(QUIET_MS);
    const after = await storedWrites(api);
    if (sumOf(differenceOf(before, after)) === 0) return;
    if (performance.now() > deadline) throw new Error(`Herald still writes after ${withinMs} ms`);
    before = after;
  }
}

/** A pool, and `count` Services with addresses of it; everything that was to be said of them is said. */
export async function served(world: World, count: number): Promise<readonly string[]> {
  const { api, namespace } = world;
  await world.pool({ addresses: [BENCHMARK_RANGE] });
  const watch = await FirstTimes.watch(api, servicesIn(namespace), hasAddress);
  try {
    const names = await createServices(api, namespace, count, { serviceOf: bareService });
    await watch.count(count, 180_000, 'Services with an address');
    await atRest(api);
    return names;
  } finally {
    watch.stop();
  }
}

/** Neither Services nor what was said of them are left. */
export async function emptied({ api, namespace }: World): Promise<void> {
  const paths = [servicesIn(namespace), announcementsIn(namespace)];
  const left = async (): Promise<number> => {
    // The API server gives up after a minute, with the rest of thousands still there.
    for (const path of paths) await api.delete(path).catch(() => undefined);
    return (await Promise.all(paths.map((path) => api.list(`${path}?limit=1`)))).flat().length;
  };
  await waitFor('no Service is left', { withinMs: 600_000, everyMs: 500 }, left, (count) => count === 0);
}

/** Memory that each operator has in the machine now, MiB. */
export async function operatorMemory(api: KubeApi): Promise<readonly number[]> {
  return Promise.all(
    (await pods(api, 'herald-operator')).map(async (pod) => {
      const { node, pid } = await processOf(pod);
      const status = await exec(node, ['cat', `/proc/${pid}/status`]);
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
    }),
  );
}
