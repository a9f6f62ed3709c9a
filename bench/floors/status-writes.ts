/** The floor of allocation: the same status writes by plain HTTP, deciding nothing, with the same watchers up. */

import type { KubeApi, KubeObject } from '../../e2e/lib/kube-api.ts';
import { bareService, inParallel, servicesIn } from '../../e2e/lib/many-services.ts';
import { keyOf } from '../../e2e/lib/observer.ts';
import type { Floor } from '../report.ts';
import { FirstTimes } from '../scenarios/first-times.ts';

/** Services of this class are nobody's: neither Herald nor another controller writes to them. */
const FOREIGN_CLASS = 'bench.heraldlb.io/nobody';
const WORKERS = [8, 32, 64] as const;
/** Beyond so many only the best number of workers for so many is measured. */
const MANY = 1000;

export function foreignService(namespace: string, name: string): KubeObject {
  const service = bareService(namespace, name);
  return { ...service, spec: { ...service['spec'], loadBalancerClass: FOREIGN_CLASS } };
}

/** Writes one address into a Service's status, as a controller would: server-side apply with a condition. */
export function writeStatus(api: KubeApi, service: KubeObject, address: string): Promise<KubeObject> {
  const body = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service.metadata.name, resourceVersion: service.metadata.resourceVersion },
    status: { loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] } },
  };
  const path = `${servicesIn(service.metadata.namespace ?? '')}/${service.metadata.name}/status`;
  return api.applyAt(`${path}?fieldManager=bench&force=true`, body);
}

interface Timed {
  readonly workers: number;
  readonly ms: number;
}

/** How long `count` status writes take with the best number of workers, while somebody watches as in the scenario. */
export async function statusWriteFloor(api: KubeApi, namespace: string, count: number): Promise<Floor> {
  const results: Timed[] = [];
  for (const workers of WORKERS) results.push(await writeMany(api, namespace, Math.min(count, MANY), workers));
  let best = results.reduce((a, b) => (a.ms <= b.ms ? a : b));
  if (count > MANY) best = await writeMany(api, namespace, count, best.workers);
  return { name: `${count} plain HTTP status writes, ${best.workers} workers`, median: best.ms };
}

async function writeMany(api: KubeApi, namespace: string, count: number, workers: number): Promise<Timed> {
  const services: KubeObject[] = [];
  const names = Array.from({ length: count }, (_, number) => `floor-${workers}-${number}`);
  await inParallel(names, 16, async (name) => services.push(await api.create(foreignService(namespace, name))));
  const numbered = services
    .toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
    .map((service, at) => ({ service, at }));
  const watch = await FirstTimes.watch(api, servicesIn(namespace), () => false);
  try {
    const startedAt = performance.now();
    await inParallel(numbered, workers, ({ service, at }) =>
      writeStatus(api, service, `198.19.${at >> 8}.${at & 255}`),
    );
    return { workers, ms: performance.now() - startedAt };
  } finally {
    watch.stop();
    await api.delete(servicesIn(namespace));
  }
}
