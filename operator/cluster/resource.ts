/** The resources of the API server that Herald uses: their paths, and what is kept of their objects. */

import type { AddressProbe } from '../../crds/address-probe.ts';
import type { AddressQuota } from '../../crds/address-quota.ts';
import type { AddressReservation } from '../../crds/address-reservation.ts';
import { annotations, labels, serviceConditions } from '../../crds/annotations.ts';
import type { BfdProfile } from '../../crds/bfd-profile.ts';
import type { BgpAdvertisement } from '../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../crds/bgp-peer.ts';
import type { Community } from '../../crds/community.ts';
import type { ConfigurationState } from '../../crds/configuration-state.ts';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { L2Advertisement } from '../../crds/l2-advertisement.ts';
import type { NodeAnnouncement } from '../../crds/node-announcement.ts';
import type { PoolSet } from '../../crds/pool-set.ts';
import type { ServiceAnnouncement } from '../../crds/service-announcement.ts';
import type { ServiceL2Status } from '../../crds/service-l2-status.ts';
import { fieldManagers, type StatusFields } from './field-managers.ts';
import type {
  CustomResourceDefinition,
  EndpointSlice,
  KubernetesObject,
  Lease,
  Namespace,
  Node,
  ObjectMeta,
  Pod,
  Secret,
  Service,
  ServiceCidr,
} from './objects.ts';

/** Where the objects of one kind live. */
export interface ResourceAddress {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Only the objects of this namespace. */
  readonly namespace?: string;
  /** What of the status is ours; missing means all of it. */
  readonly statusFields?: StatusFields;
}

/** One kind of objects, and the part of them that is asked for. */
export interface Resource<T extends KubernetesObject> extends ResourceAddress {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Objects for which it is false are as if they were not there; missing keeps all. */
  readonly keep?: (object: T) => boolean;
  /** Keeps what is read of an object; called once for each object that arrives. */
  readonly trim?: (object: T) => T;
}

/** `apiVersion` of the objects of a resource. */
export function apiVersionOf({ group, version }: ResourceAddress): string {
  return group === '' ? version : `${group}/${version}`;
}

/** The path of the collection: of one namespace where one is given, else of the whole cluster. */
export function collectionPath(resource: ResourceAddress, namespace = resource.namespace): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}`;
}

/** The path of one object, or of a subresource of it. */
export function objectPath(
  resource: ResourceAddress,
  { namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>,
  subresource?: 'status',
): string {
  const path = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** Megabytes that nobody reads: kubectl's copy of the whole object. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Metadata without the history of who wrote what. */
function trimMeta(metadata: ObjectMeta): ObjectMeta {
  const {
    managedFields: _managedFields,
    annotations: values,
    finalizers: _finalizers,
    generateName: _generateName,
    ...kept
  } = metadata;
  return { ...kept, ...(values && { annotations: withoutLastApplied(values) }) };
}

function withoutLastApplied(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!(LAST_APPLIED in values)) return values;
  const { [LAST_APPLIED]: _dropped, ...kept } = values;
  return kept;
}

const SERVICE_STATUS: StatusFields = {
  status: ['loadBalancer'],
  annotations: [annotations.ipAllocatedFromPool],
};

function trimService({ metadata, spec, status }: Service): Service {
  const { type, loadBalancerClass, loadBalancerIP, clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy } = spec;
  const { externalTrafficPolicy, selector, ports, sessionAffinity, externalIPs } = spec;
  const kept = { type, loadBalancerClass, loadBalancerIP, clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy };
  const foreignWriters = foreignWritersOf(metadata);
  return {
    metadata: trimMeta(metadata),
    spec: present({ ...kept, externalTrafficPolicy, selector, ports, sessionAffinity, externalIPs }),
    ...(status && { status }),
    ...(foreignWriters && { foreignWriters }),
  };
}

/** Those who wrote `status.loadBalancer.ingress`, a list that has one value as a whole; undefined where we are of them. */
function foreignWritersOf({ managedFields = [] }: ObjectMeta): Service['foreignWriters'] {
  const writers = managedFields.filter(({ fieldsV1 }) => ownsIngress(fieldsV1));
  if (writers.length === 0 || writers.some(({ manager }) => manager === fieldManagers.operator)) return undefined;
  return writers.map(({ manager = 'unknown', time: at = '' }) => ({ manager, at }));
}

function ownsIngress(fields: unknown): boolean {
  const { 'f:status': status } = (fields ?? {}) as { 'f:status'?: { 'f:loadBalancer'?: { 'f:ingress'?: object } } };
  return status?.['f:loadBalancer']?.['f:ingress'] !== undefined;
}

function trimNode({ metadata, spec, status }: Node): Node {
  return {
    metadata: trimMeta(metadata),
    ...((spec?.unschedulable || spec?.podCIDRs) && {
      spec: present({ unschedulable: spec.unschedulable || undefined, podCIDRs: spec.podCIDRs }),
    }),
    status: {
      conditions: (status?.conditions ?? []).map(({ type, status }) => ({ type, status })),
      addresses: status?.addresses ?? [],
    },
  };
}

function trimEndpointSlice({ metadata, addressType, endpoints }: EndpointSlice): EndpointSlice {
  return {
    metadata: trimMeta(metadata),
    addressType,
    endpoints: (endpoints ?? []).map(({ nodeName, addresses, conditions }) =>
      present({ nodeName, addresses, conditions }),
    ),
  };
}

/** Drops members that are undefined, so that a trimmed object has the shape of one that never had them. */
function present<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

const metadataOnly = <T extends KubernetesObject>(object: T): T => ({ ...object, metadata: trimMeta(object.metadata) });
function metallb<T extends KubernetesObject>(version: string, kind: string): Resource<T> {
  const name = kind.toLowerCase();
  const plural = name.endsWith('y') ? `${name.slice(0, -1)}ies` : name.endsWith('s') ? `${name}es` : `${name}s`;
  return { group: 'metallb.io', version, kind, plural, namespaced: true, trim: metadataOnly };
}

function core<T extends KubernetesObject>(kind: string, plural: string, namespaced: boolean): Resource<T> {
  return { group: '', version: 'v1', kind, plural, namespaced };
}

const services: Resource<Service> = {
  ...core<Service>('Service', 'services', true),
  fieldSelector: 'spec.type=LoadBalancer',
  statusFields: SERVICE_STATUS,
  trim: trimService,
};
/** What we say of Services of every type. */
const ON_EXTERNAL: ReadonlySet<string> = new Set([serviceConditions.externalIpsAccepted, serviceConditions.announced]);
/** Whether we have said something of a Service that is no load balancer, and have not taken it back. */
export const isToldOfExternalIps = ({ status }: Service): boolean =>
  (status?.conditions ?? []).some(({ type }) => ON_EXTERNAL.has(type));
/** Every Service but those above that names external IPs, or of which we have said something; nothing of all the others. */
const externalServices: Resource<Service> = {
  ...services,
  fieldSelector: 'spec.type!=LoadBalancer',
  keep: (service) => (service.spec.externalIPs?.length ?? 0) > 0 || isToldOfExternalIps(service),
};
const nodes: Resource<Node> = { ...core<Node>('Node', 'nodes', false), trim: trimNode };
const namespaces: Resource<Namespace> = { ...core<Namespace>('Namespace', 'namespaces', false), trim: metadataOnly };
const secrets: Resource<Secret> = core('Secret', 'secrets', true);
const pods: Resource<Pod> = core('Pod', 'pods', true);
const endpointSlices: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  trim: trimEndpointSlice,
};
const serviceCidrs: Resource<ServiceCidr> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  trim: ({ metadata, spec }) => ({ metadata: trimMeta(metadata), ...(spec && { spec }) }),
};
/** Only slices of Services, without the addresses of their endpoints: in a large cluster they are most of the memory. */
const serviceEndpointSlices: Resource<EndpointSlice> = {
  ...endpointSlices,
  labelSelector: labels.serviceName,
  trim: ({ metadata, addressType, endpoints }) => ({
    metadata: {
      name: metadata.name,
      ...(metadata.namespace && { namespace: metadata.namespace }),
      ...(metadata.resourceVersion && { resourceVersion: metadata.resourceVersion }),
      labels: { [labels.serviceName]: metadata.labels?.[labels.serviceName] ?? '' },
    },
    addressType,
    endpoints: (endpoints ?? []).map(({ nodeName, conditions }) => ({
      ...(nodeName !== undefined && { nodeName }),
      ...(conditions && { conditions }),
    })),
  }),
};
const leases: Resource<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};
const customResourceDefinitions: Resource<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const herald = <T extends KubernetesObject>(kind: string): Resource<T> => ({
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: true,
  trim: metadataOnly,
});
const poolSets: Resource<PoolSet> = {
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'PoolSet',
  plural: 'poolsets',
  namespaced: true,
  trim: metadataOnly,
};

/** Everything that Herald reads or writes; narrow one with `{...resources.leases, namespace: 'herald-system'}`. */
export const resources = {
  /** Of type LoadBalancer only: one that changes its type leaves the store like a deleted one. */
  services,
  externalServices,
  nodes,
  namespaces,
  secrets,
  pods,
  endpointSlices,
  serviceEndpointSlices,
  /** Served from Kubernetes 1.33. */
  serviceCidrs,
  leases,
  customResourceDefinitions,
  poolSets,
  serviceAnnouncements: herald<ServiceAnnouncement>('ServiceAnnouncement'),
  nodeAnnouncements: herald<NodeAnnouncement>('NodeAnnouncement'),
  addressReservations: herald<AddressReservation>('AddressReservation'),
  addressQuotas: herald<AddressQuota>('AddressQuota'),
  addressProbes: herald<AddressProbe>('AddressProbe'),
  ipAddressPools: metallb<IpAddressPool>('v1beta1', 'IPAddressPool'),
  l2Advertisements: metallb<L2Advertisement>('v1beta1', 'L2Advertisement'),
  bgpAdvertisements: metallb<BgpAdvertisement>('v1beta1', 'BGPAdvertisement'),
  bgpPeers: metallb<BgpPeer>('v1beta2', 'BGPPeer'),
  bfdProfiles: metallb<BfdProfile>('v1beta1', 'BFDProfile'),
  communities: metallb<Community>('v1beta1', 'Community'),
  configurationStates: metallb<ConfigurationState>('v1beta1', 'ConfigurationState'),
  serviceL2Statuses: metallb<ServiceL2Status>('v1beta1', 'ServiceL2Status'),
} as const;

/** The name of the CustomResourceDefinition behind a resource. */
export function crdNameOf({ plural, group }: ResourceAddress): string {
  return `${plural}.${group}`;
}
