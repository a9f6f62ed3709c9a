/** Looks at a cluster for what MetalLB has left there. */

import type { ApiConnection } from '../../cluster/api-connection.ts';
import { ApiError, isNotFound } from '../../cluster/api-error.ts';
import { listAll } from '../../cluster/list.ts';
import { type EndpointSlice, type KubernetesObject, keyOf } from '../../cluster/objects.ts';
import { type Resource, resources } from '../../cluster/resource.ts';
import { list } from './list-found.ts';
import { patiently } from './patience.ts';
import { runningParts } from './running.ts';
import type { DefinitionState, MigrationState, ServiceState, Stored, StoredObject, WebhookState } from './state.ts';

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

const THEIR_GROUPS = ['metallb.io', 'frrk8s.metallb.io'];

/** @throws {ApiError} for everything but kinds that are missing, or that only a dead webhook could convert */
export async function gatherMigrationState(connection: ApiConnection): Promise<MigrationState> {
  const definitions = (await Promise.all(PLURALS.map((plural) => definitionOf(connection, plural)))).filter(
    (one) => one !== undefined,
  );
  const stored = (plural: Plural): Promise<Stored> =>
    storedObjects(
      connection,
      definitions.find((one) => one.plural === plural),
    );
  // Through a conversion webhook peers look other than they are stored: with times of 0s that nobody wrote.
  const storedPeers = async (): Promise<Stored> =>
    definitions.some(({ plural, conversion }) => plural === 'bgppeers' && conversion === 'Webhook')
      ? undefined
      : stored('bgppeers');
  const [
    webhooks,
    running,
    bgpPeers,
    addressPools,
    ipAddressPools,
    l2Advertisements,
    bgpAdvertisements,
    configMap,
    services,
  ] = await Promise.all([
    webhooksOf(connection),
    runningParts(connection),
    storedPeers(),
    stored('addresspools'),
    stored('ipaddresspools'),
    stored('l2advertisements'),
    stored('bgpadvertisements'),
    get<KubernetesObject>(connection, '/api/v1/namespaces/metallb-system/configmaps/config'),
    servicesOf(connection),
  ]);
  const hasConfigMap = configMap !== undefined;
  const objects = { bgpPeers, addressPools, ipAddressPools, l2Advertisements, bgpAdvertisements };
  return { definitions, webhooks, running, ...objects, services, hasConfigMap };
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

/** Read in the version that is written, which needs no conversion where all are stored in it. */
async function storedObjects(connection: ApiConnection, definition: DefinitionState | undefined): Promise<Stored> {
  if (!definition) return [];
  const { plural, storageVersion, conversion } = definition;
  const read = async () => (await listAll(connection, metallb(plural, storageVersion))).objects;
  if (conversion === 'None') return patiently(read, NOT_YET);
  try {
    return await read();
  } catch (error) {
    if (error instanceof ApiError && isDeadWebhook(error)) return undefined;
    throw error;
  }
}

/** An API server that has just been given the definition. */
const NOT_YET = [404, 429];

/** No answer, an error of its own, or 429: its cache cannot begin as long as one object cannot be converted. */
const isDeadWebhook = ({ status }: ApiError): boolean => status === 0 || status === 429 || status >= 500;

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

async function servicesOf(connection: ApiConnection): Promise<readonly ServiceState[]> {
  const all = await list(connection, resources.services);
  const states = all.map((service) => ({
    key: keyOf(service),
    addresses: (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
  }));
  return states.filter(({ addresses }) => addresses.length > 0);
}

async function get<T>(connection: ApiConnection, path: string): Promise<T | undefined> {
  try {
    return await connection.request<T>({ method: 'GET', path });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
