/** Finds what of MetalLB runs, or is about to: its workloads, and pods whose workload is gone. */

import type { ApiConnection } from '../../cluster/api-connection.ts';
import type { KubernetesObject } from '../../cluster/objects.ts';
import type { Resource } from '../../cluster/resource.ts';
import { list } from './list-found.ts';
import type { Role, RunningPart } from './state.ts';

/** As MetalLB's own manifests label what they start, and as its Helm chart does. */
const LABELS = [
  { selector: 'app=metallb', component: 'component' },
  { selector: 'app.kubernetes.io/name=metallb', component: 'app.kubernetes.io/component' },
] as const;
/** metallb-operator keeps MetalLB installed. */
const OPERATOR = 'metallb-operator-controller-manager';
interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: PodSpec };
    readonly containers?: PodSpec['containers'];
  };
  readonly status?: { readonly phase?: string };
}

interface PodSpec {
  readonly containers?: readonly { readonly args?: readonly string[] }[];
}

const workload = (kind: RunningPart['kind'], group: '' | 'apps'): Resource<Workload> => ({
  group,
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: true,
});

const WORKLOADS = [
  { kind: 'Deployment', resource: workload('Deployment', 'apps') },
  { kind: 'DaemonSet', resource: workload('DaemonSet', 'apps') },
  { kind: 'Pod', resource: workload('Pod', '') },
] as const;

/** @throws {ApiError} */
export async function runningParts(connection: ApiConnection): Promise<readonly RunningPart[]> {
  const lists = LABELS.flatMap(({ selector, component }) =>
    WORKLOADS.map(async ({ kind, resource }) => {
      const found = await list(connection, { ...resource, labelSelector: selector });
      return found.flatMap((object) => partOf(kind, object, object.metadata.labels?.[component]));
    }),
  );
  const operators = await list(connection, {
    ...workload('Deployment', 'apps'),
    fieldSelector: `metadata.name=${OPERATOR}`,
  });
  const parts = [
    ...(await Promise.all(lists)).flat(),
    ...operators.flatMap((one) => partOf('Deployment', one, 'operator')),
  ];
  return withoutPodsOfWorkloads(parts);
}

function partOf(kind: RunningPart['kind'], object: Workload, component: string | undefined): RunningPart[] {
  const { metadata, spec, status } = object;
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (!isRole(component) || isOver || (kind === 'Deployment' && spec?.replicas === 0)) return [];
  const { namespace = '', name } = metadata;
  return [{ role: component, kind, namespace, name, lbClass: lbClassOf(object) }];
}

const isRole = (component: string | undefined): component is Role =>
  component === 'controller' || component === 'speaker' || component === 'operator';

function lbClassOf({ spec }: Workload): string {
  const containers = spec?.template?.spec?.containers ?? spec?.containers ?? [];
  const flag = containers.flatMap(({ args = [] }) => args).find((arg) => /^--?lb-class=/.test(arg));
  return flag?.split('=').slice(1).join('=') ?? '';
}

/** Pods are told of only where what has started them is gone. */
function withoutPodsOfWorkloads(parts: readonly RunningPart[]): readonly RunningPart[] {
  const isNamed = ({ role, namespace }: RunningPart): boolean =>
    parts.some((other) => other.kind !== 'Pod' && other.role === role && other.namespace === namespace);
  const seen = new Set<string>();
  return parts.filter((part) => {
    const key = `${part.kind} ${part.namespace}/${part.name}`;
    if (seen.has(key) || (part.kind === 'Pod' && isNamed(part))) return false;
    seen.add(key);
    return true;
  });
}
