/** A cluster in memory for tests: objects, and the statuses that the operator and the speakers would have written by their own code. */

import { serviceConditions } from '../../../crds/annotations.ts';
import type { BgpAdvertisement } from '../../../crds/bgp-advertisement.ts';
import type { IpAddressPool, IpAddressPoolSpec } from '../../../crds/ip-address-pool.ts';
import type { L2Advertisement, L2AdvertisementSpec } from '../../../crds/l2-advertisement.ts';
import type { ObjectMeta } from '../../../crds/object-meta.ts';
import type { PoolSetEntry } from '../../../crds/pool-set.ts';
import type { ServiceL2Status } from '../../../crds/service-l2-status.ts';
import { allocate } from '../../allocator/allocate.ts';
import type { Decision } from '../../allocator/decision.ts';
import { isOurs, requestOf } from '../../allocator/service-request.ts';
import type { Condition, EndpointSlice, Namespace, Node, Pod, Service, ServiceSpec } from '../../cluster/objects.ts';
import { keyOf } from '../../cluster/objects.ts';
import { type ResolvedConfig, resolveConfig } from '../../config/resolve-config.ts';
import type { HeldAddress } from '../../config/stored-state.ts';
import { NO_SURROUNDINGS } from '../../config/surroundings.ts';
import { objectRef, type VerdictCondition } from '../../config/verdict.ts';
import { formatIp } from '../../net/address.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { installationOf } from '../installation.ts';
import type { Workload } from '../kinds.ts';

export const NOW = new Date('2026-03-01T12:00:00Z');
const CREATED = '2026-03-01T10:00:00Z';
const OWN = 'herald-system';
const NO_KINDS = {
  bgpPeers: [],
  bfdProfiles: [],
  communities: [],
  reservations: [],
  quotas: [],
  serviceAnnouncements: [],
  nodeAnnouncements: [],
  configurationStates: [],
  bgpSessions: [],
  serviceCidrs: [],
} as const;

/** What a test says about its cluster; what it does not say is healthy. */
export interface TestCluster {
  readonly pools?: readonly IpAddressPool[];
  readonly l2Advertisements?: readonly L2Advertisement[];
  readonly bgpAdvertisements?: readonly BgpAdvertisement[];
  readonly services?: readonly Service[];
  /** By `namespace/name`: the nodes of the endpoints that serve; one that is not named has none. */
  readonly endpoints?: Readonly<Record<string, readonly string[]>>;
  readonly endpointSlices?: readonly EndpointSlice[];
  readonly namespaces?: readonly Namespace[];
  readonly nodes?: readonly Node[];
  /** Nodes without a speaker that is ready. */
  readonly withoutSpeaker?: readonly string[];
  /** What was in force before; only then a change can break something. */
  readonly inForce?: readonly PoolSetEntry[];
  readonly operatorArgs?: readonly string[];
  readonly speakerArgs?: readonly string[];
  /** The operator has not written anything about Services. */
  readonly isSilent?: boolean;
  /** What else the snapshot holds, or holds instead. */
  readonly more?: Partial<ClusterSnapshot>;
}

const meta = (namespace: string, name: string, more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  namespace,
  name,
  uid: `${namespace}-${name}`,
  generation: 1,
  resourceVersion: '1',
  creationTimestamp: CREATED,
  ...more,
});

export const pool = (
  name: string,
  addresses: readonly string[],
  more: Partial<IpAddressPoolSpec> = {},
  metadata: Partial<ObjectMeta> = {},
): IpAddressPool => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: meta(OWN, name, metadata),
  spec: { addresses: [...addresses], autoAssign: true, avoidBuggyIPs: false, ...more },
});

export const l2Advertisement = (
  name: string,
  spec: L2AdvertisementSpec = {},
  metadata: Partial<ObjectMeta> = {},
): L2Advertisement => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: meta(OWN, name, metadata),
  spec,
});

/** A Service of type LoadBalancer with a selector and an IPv4 cluster address. */
export const service = (key: string, spec: Partial<ServiceSpec> = {}, metadata: Partial<ObjectMeta> = {}): Service => {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta(namespace, name, metadata),
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
      selector: { app: name },
      ports: [{ port: 80 }],
      ...spec,
    },
  };
};

/** The same Service with an address in its status, from before. */
export const holding = (before: Service, ...ips: readonly string[]): Service => ({
  ...before,
  status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
});

/** What a speaker wrote about the Service that its node announces. */
export const l2StatusOf = (key: string, node: string, ...interfaces: readonly string[]): ServiceL2Status => {
  const [serviceNamespace = '', serviceName = ''] = key.split('/');
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ServiceL2Status',
    metadata: meta(OWN, `l2-${serviceName}`),
    spec: {},
    status: { node, serviceName, serviceNamespace, interfaces: interfaces.map((name) => ({ name })) },
  };
};

export const node = (name: string, metadata: Partial<ObjectMeta> = {}, isNetworkUnavailable = false): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, ...metadata },
  status: {
    addresses: [{ type: 'InternalIP', address: `192.0.2.${name.charCodeAt(name.length - 1)}` }],
    conditions: isNetworkUnavailable ? [{ type: 'NetworkUnavailable', status: 'True' }] : [],
  },
});

/** The snapshot of the cluster once the operator has looked at everything. */
export function snapshotOf(cluster: TestCluster): ClusterSnapshot {
  const nodes = cluster.nodes ?? [node('node-a'), node('node-b')];
  const deployments = [workload('herald-operator', ['operator', ...(cluster.operatorArgs ?? [])])];
  const daemonSets = [workload('herald-speaker', ['speaker', ...(cluster.speakerArgs ?? [])])];
  const installation = installationOf({ deployments, daemonSets });
  const config = configOf(cluster, installation);
  const services = servicesOf(cluster, config, installation.lbClass);
  return {
    ...NO_KINDS,
    installation,
    takenAt: NOW,
    unread: new Map(),
    services,
    namespaces: cluster.namespaces ?? [],
    nodes,
    endpointSlices: cluster.endpointSlices ?? Object.entries(cluster.endpoints ?? {}).map(sliceOf),
    pools: (cluster.pools ?? []).map((one) => judged('IPAddressPool', one, config)),
    l2Advertisements: (cluster.l2Advertisements ?? []).map((one) => judged('L2Advertisement', one, config)),
    bgpAdvertisements: (cluster.bgpAdvertisements ?? []).map((one) => judged('BGPAdvertisement', one, config)),
    poolSets: [
      {
        apiVersion: 'heraldlb.io/v1alpha1',
        kind: 'PoolSet',
        metadata: { namespace: OWN, name: 'herald' },
        pools: config.inForce,
      },
    ],
    serviceL2Statuses: [],
    pods: [
      operatorPod,
      ...nodes.filter(({ metadata }) => !cluster.withoutSpeaker?.includes(metadata.name)).map(speakerPod),
    ],
    leases: [leaderLease(NOW)],
    deployments,
    daemonSets,
    ...cluster.more,
  };
}

const workload = (name: string, command: readonly string[]): Workload => ({
  metadata: { name, namespace: OWN },
  spec: { template: { spec: { containers: [{ name, command: ['herald', ...command] }] } } },
});

export const leaderLease = (renewed: Date) => ({
  metadata: { name: 'herald-operator', namespace: OWN },
  spec: { holderIdentity: 'herald-operator-1', renewTime: renewed.toISOString() },
});

const operatorPod: Pod = {
  metadata: { namespace: OWN, name: 'operator', labels: { 'app.kubernetes.io/component': 'operator' } },
  spec: { nodeName: 'node-a' },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

const speakerPod = ({ metadata }: Node): Pod => ({
  metadata: { namespace: OWN, name: `speaker-${metadata.name}`, labels: { 'app.kubernetes.io/component': 'speaker' } },
  spec: { nodeName: metadata.name },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

const sliceOf = ([key, nodes]: [string, readonly string[]]): EndpointSlice => {
  const [namespace = '', name = ''] = key.split('/');
  return {
    metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: nodes.map((nodeName) => ({ nodeName, conditions: { ready: true } })),
  };
};

function configOf(
  cluster: TestCluster,
  { namespace, configNamespaces, lbClass }: ClusterSnapshot['installation'],
): ResolvedConfig {
  const { pools = [], l2Advertisements = [], bgpAdvertisements = [], services = [], namespaces = [] } = cluster;
  return resolveConfig({
    ownNamespace: namespace,
    configNamespaces,
    pools,
    inForce: cluster.inForce ?? [],
    heldAddresses: services.filter((one) => isOurs(one, lbClass)).flatMap(heldBy),
    l2Advertisements,
    bgpAdvertisements,
    bgpPeers: [],
    bfdProfiles: [],
    communities: [],
    reservations: [],
    quotas: [],
    namespaces,
    surroundings: NO_SURROUNDINGS,
  });
}

function heldBy(one: Service): readonly HeldAddress[] {
  const { key, namespace, held } = requestOf(one);
  return held.map((address) => ({ address, service: key, namespace }));
}

/** The object with the conditions of its verdict. */
function judged<T extends IpAddressPool | L2Advertisement | BgpAdvertisement>(
  kind: string,
  object: T,
  { verdicts }: ResolvedConfig,
): T {
  const conditions = (verdicts.get(objectRef(kind, object.metadata))?.conditions ?? []).map(dated);
  return { ...object, status: { ...object.status, conditions } };
}

const dated = (condition: VerdictCondition): Condition => ({ ...condition, lastTransitionTime: CREATED });

function servicesOf(cluster: TestCluster, { pools }: ResolvedConfig, lbClass: string): readonly Service[] {
  const all = cluster.services ?? [];
  if (cluster.isSilent) return all;
  const decisions = allocate({ pools, services: all.filter((one) => isOurs(one, lbClass)).map(requestOf) });
  return all.map((one) => {
    const decision = decisions.get(keyOf(one));
    return decision ? decided(one, decision) : one;
  });
}

function decided(before: Service, decision: Decision): Service {
  const isAssigned = decision.outcome === 'Assigned';
  const ingress = isAssigned ? decision.addresses.map((address) => ({ ip: formatIp(address) })) : [];
  const condition = dated({
    type: serviceConditions.addressAssigned,
    status: isAssigned ? 'True' : 'False',
    reason: decision.reason,
    message: decision.message,
  });
  const others = (before.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  return { ...before, status: { loadBalancer: { ingress }, conditions: [...others, condition] } };
}
