/** Many Services at once, for counts and for speed: no endpoints, no node ports, addresses that nobody announces. */

import type { KubeApi, KubeObject } from './kube-api.ts';
import { collection } from './kube-api.ts';
import { webService } from './web.ts';

/** RFC 2544's network for benchmarks: on nobody's segment, and no advertisement covers it here. */
export const BENCHMARK_RANGE = '198.18.0.0/16';

const WORKERS = 16;

export function plainService(namespace: string, name: string): KubeObject {
  return webService({
    namespace,
    name,
    app: 'nobody',
    families: ['IPv4'],
    spec: { allocateLoadBalancerNodePorts: false, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  });
}

/** Creates `count` Services named s-0, s-1 and so on, and returns the names. */
export async function createServices(
  api: KubeApi,
  namespace: string,
  count: number,
  { prefix = 's', serviceOf = plainService }: { prefix?: string; serviceOf?: typeof plainService } = {},
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
  await inParallel(names, WORKERS, (name) => api.create(serviceOf(namespace, name)));
  return names;
}

/** A Service without a selector: nobody but its cluster's load balancer has work with it, whatever their number. */
export function bareService(namespace: string, name: string): KubeObject {
  const service = plainService(namespace, name);
  const { selector: _, ...spec } = service['spec'];
  return { ...service, spec };
}

/** Does something with every item, at most `workers` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

export const servicesIn = (namespace: string): string => collection('v1', 'Service', namespace);
