/** The floor of allocation: the same status writes by plain HTTP, deciding nothing, with the same watchers up. */

import type { KubeApi, KubeObject } from '../../e2e/lib/kube-api.ts';
import { inParallel, plainService, servicesIn } from '../../e2e/lib/many-services.ts';
import { keyOf } from '../../e2e/lib/observer.ts';
import type { Floor } from '../report.ts';

/** Services of this class are nobody's: neither Herald nor another controller writes to them. */
const FOREIGN_CLASS = 'bench.heraldlb.io/nobody';
const WORKERS = [8, 32, 64] as const;

export function foreignService(namespace: string, name: string): KubeObject {
  const service = plainService(namespace, name);
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

/** How long `count` status writes take with the best number of workers. */
export async function statusWriteFloor(api: KubeApi, namespace: string, count: number): Promise<Floor> {
  const results: { workers: number; ms: number }[] = [];
  for (const workers of WORKERS) {
    const services: KubeObject[] = [];
    const names = Array.from({ length: count }, (_, number) => `floor-${workers}-${number}`);
    await inParallel(names, 16, async (name) => services.push(await api.create(foreignService(namespace, name))));
    const numbered = services
      .toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
      .map((service, at) => ({ service, at }));
    const startedAt = performance.now();
    await inParallel(numbered, workers, ({ service, at }) =>
      writeStatus(api, service, `198.19.${at >> 8}.${at & 255}`),
    );
    results.push({ workers, ms: performance.now() - startedAt });
    await api.delete(servicesIn(namespace));
  }
  const best = results.reduce((a, b) => (a.ms <= b.ms ? a : b));
  return { name: `${count} plain HTTP status writes, ${best.workers} workers`, median: best.ms };
}
