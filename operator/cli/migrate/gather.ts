/** Looks at a cluster for what MetalLB has left there. */

import type { ApiConnection } from '../../cluster/api-connection.ts';
import { ApiError, isNotFound } from '../../cluster/api-error.ts';
import { listAll } from '../../cluster/list.ts';
import type { EndpointSlice, KubernetesObject } from '../../cluster/objects.ts';
import { type Resource, resources } from '../../cluster/resource.ts';
import type {
  DefinitionState,
  MigrationState,
  Role,
  RunningPart,
  Stored,
  StoredObject,
  WebhookState,
} from './state.ts';

const PLURALS = [
  'addresspools',
  'bfdprofiles',
  'bgpadvertisements',
  'bgppeers',
  'communities',
  'configurationstates',
  'ipaddresspools',
  'l2advertisements',
  'servicebgpstatuses',
  'servicel2statuses',
] as const;
type Plural = (typeof PLURALS)[number];

/** As MetalLB's own manifests label what they start, and as its Helm chart does. */
const LABELS = [
  { selector: 'app=metallb', component: 'component' },
  { selector: 'app.kubernetes.io/name=metallb', component: 'app.kubernetes.io/component' },
] as const;
/** metallb-operator keeps MetalLB installed. */
const OPERATOR = 'metallb-operator-controller-manager';
const THEIR_GROUPS = ['metallb.io', 'frrk8s.metallb.io'];

/** @throws {ApiError} for everything but kinds that are missing, or that only a dead webhook could convert */
export async function gatherMigrationState(connection: ApiConnection): Promise<MigrationState> {
  const definitions = (await Promise.all(PLURALS.map((plural) => definitionOf(connection, plural)))).filter(
    (one) => one !== undefined,
  );
  const stored = (plural: Plural, version: string): Promise<Stored> =>
    storedObjects(
      connection,
      definitions.find((one) => one.plural === plural),
      version,
    );
  const [webhooks, running, bgpPeers, addressPools, ipAddressPools, l2Advertisements, bgpAdvertisements, configMap] =
    await Promise.all([
      webhooksOf(connection),
      runningParts(connection),
      stored('bgppeers', 'v1beta2'),
      stored('addresspools', 'v1beta1'),
      stored('ipaddresspools', 'v1beta1'),
      stored('l2advertisements', 'v1beta1'),
      stored('bgpadvertisements', 'v1beta1'),
      get<KubernetesObject>(connection, '/api/v1/namespaces/metallb-system/configmaps/config'),
    ]);
  const hasConfigMap = configMap !== undefined;
  const objects = { bgpPeers, addressPools, ipAddressPools, l2Advertisements, bgpAdvertisements };
  return { definitions, webhooks, running, ...objects, hasConfigMap };
}

interface Definition extends KubernetesObject {
  readonly spec: {
    readonly conversion?: { readonly strategy?: string };
    readonly versions: readonly { readonly name: string; readonly storage?: boolean }[];
  };
  readonly status?: { readonly storedVersions?: readonly string[] };
}

async function definitionOf(connection: ApiConnection, plural: Plural): Promise<DefinitionState | undefined> {
  const name = `${plural}.metallb.io`;
  const found = await get<Definition>(connection, definitionPath(name));
  if (!found) return undefined;
  const { metadata, spec, status } = found;
  return {
    name,
    plural,
    isOurs: metadata.labels?.['app.kubernetes.io/part-of'] === 'herald',
    isTerminating: metadata.deletionTimestamp !== undefined,
    conversion: spec.conversion?.strategy === 'Webhook' ? 'Webhook' : 'None',
    storageVersion: spec.versions.find(({ storage }) => storage)?.name ?? '',
    storedVersions: status?.storedVersions ?? [],
  };
}

export const definitionPath = (name: string): string =>
  `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;

async function storedObjects(
  connection: ApiConnection,
  definition: DefinitionState | undefined,
  version: string,
): Promise<Stored> {
  if (!definition) return [];
  try {
    return await list<StoredObject>(connection, { ...metallb(definition.plural, version) });
  } catch (error) {
    const mayBeTheWebhook = error instanceof ApiError && (error.status === 0 || error.status >= 500);
    if (definition.conversion === 'Webhook' && mayBeTheWebhook) return undefined;
    throw error;
  }
}

/** Only its path counts. */
const metallb = (plural: string, version: string): Resource<StoredObject> => ({
  group: 'metallb.io',
  version,
  kind: '',
  plural,
  namespaced: true,
});

interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
}

interface WebhookConfiguration extends KubernetesObject {
  readonly webhooks?: readonly {
    readonly clientConfig?: { readonly service?: ServiceReference };
    readonly rules?: readonly { readonly apiGroups?: readonly string[] }[];
  }[];
}

const webhookConfigurations: Resource<WebhookConfiguration> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
};

async function webhooksOf(connection: ApiConnection): Promise<readonly WebhookState[]> {
  const all = await list(connection, webhookConfigurations);
  const theirs = all.filter((configuration) => groupsOf(configuration).some((group) => THEIR_GROUPS.includes(group)));
  return Promise.all(
    theirs.map(async (configuration) => ({
      name: configuration.metadata.name,
      uid: configuration.metadata.uid ?? '',
      isOnlyTheirs: groupsOf(configuration).every((group) => THEIR_GROUPS.includes(group)),
      answeredBy: await answering(connection, configuration),
    })),
  );
}

const groupsOf = ({ webhooks = [] }: WebhookConfiguration): readonly string[] =>
  webhooks.flatMap(({ rules = [] }) => rules.flatMap(({ apiGroups = [] }) => apiGroups));

/** The Services that the configuration asks and that have an endpoint which is ready. */
async function answering(connection: ApiConnection, { webhooks = [] }: WebhookConfiguration): Promise<string[]> {
  const services = webhooks.flatMap(({ clientConfig }) => clientConfig?.service ?? []);
  const keys = [...new Set(services.map(({ namespace, name }) => `${namespace}/${name}`))];
  const answers = await Promise.all(keys.map(async (key) => ((await isServed(connection, key)) ? [key] : [])));
  return answers.flat();
}

async function isServed(connection: ApiConnection, service: string): Promise<boolean> {
  const [namespace = '', name = ''] = service.split('/');
  const slices: readonly EndpointSlice[] = await list(connection, {
    ...resources.endpointSlices,
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  });
  return slices.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready !== false));
}

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

async function runningParts(connection: ApiConnection): Promise<readonly RunningPart[]> {
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

async function list<T extends KubernetesObject>(
  connection: ApiConnection,
  resource: Resource<T>,
): Promise<readonly T[]> {
  try {
    return (await listAll(connection, resource)).objects;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function get<T>(connection: ApiConnection, path: string): Promise<T | undefined> {
  try {
    return await connection.request<T>({ method: 'GET', path });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
