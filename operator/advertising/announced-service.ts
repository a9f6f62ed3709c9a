/** Kubernetes objects reduced to what deciding about announcements looks at. */

import { annotationOf, labels, serviceConditions } from '../../crds/annotations.ts';
import type { ObjectMeta } from '../../crds/object-meta.ts';
import { backendOf, portsOf, type SharingSpec, type SharingTerms } from '../config/sharing.ts';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import type { ExternalIpClaim } from './external-ips.ts';
import type { AnnouncedService, AnnouncingNode, ServingEndpoints } from './snapshot.ts';

/** The parts of a Service that are read here. */
interface Service {
  readonly metadata: ObjectMeta;
  readonly spec: SharingSpec & {
    readonly type?: string;
    readonly loadBalancerClass?: string;
    readonly clusterIP?: string;
    readonly externalIPs?: readonly string[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  /** Who wrote the addresses in the status, where the operator did not. */
  readonly foreignWriters?: readonly unknown[];
}

interface Endpoint {
  readonly nodeName?: string;
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean };
}

/** The parts of an EndpointSlice (discovery.k8s.io/v1) that are read here. */
interface EndpointSlice {
  readonly metadata: ObjectMeta;
  readonly endpoints?: readonly Endpoint[] | null;
}

/** The parts of a Node that are read here. */
interface Node {
  readonly metadata: ObjectMeta;
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

/**
 * Undefined when the Service is of another class, or holds no address of ours and has no external IP announced.
 *
 * @param lbClass '' means Services without a class
 * @param granted the external IPs that the operator lets it have, canonical texts
 */
export function announcedServiceOf(
  service: Service,
  slices: readonly EndpointSlice[],
  lbClass: string,
  granted: readonly string[] = [],
): AnnouncedService | undefined {
  if (isOfAnotherClass(service, lbClass)) return undefined;
  const held = service.spec.type === 'LoadBalancer' && isGranted(service) ? addressesOf(service) : [];
  const named = granted.length > 0 ? externalIpsOf(service).map(formatIp) : [];
  const external = named.filter((address) => granted.includes(address) && !held.includes(address));
  if (held.length + external.length === 0) return undefined;
  return {
    ...sharingTermsOf(service),
    createdAt: service.metadata.creationTimestamp ?? '',
    labels: service.metadata.labels ?? {},
    addresses: [...held, ...external],
    held: held.length,
    externalTrafficPolicy: service.spec.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
    hasSelector: Object.keys(service.spec.selector ?? {}).length > 0,
    endpoints: servingEndpointsOf(slices),
  };
}

/** Only load balancers have a class; others may serve theirs. */
const isOfAnotherClass = ({ spec }: Service, lbClass: string): boolean =>
  spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? '') !== lbClass;

/** With whom a Service may share its addresses. */
export const sharingTermsOf = ({ metadata, spec }: Pick<Service, 'metadata' | 'spec'>): SharingTerms => ({
  key: `${metadata.namespace}/${metadata.name}`,
  namespace: metadata.namespace ?? '',
  sharingKey: annotationOf(metadata.annotations, 'allowSharedIp') ?? '',
  ports: portsOf(spec),
  backend: backendOf(spec),
});

/** The external IPs that kube-proxy forwards, each once: those of a Service without a cluster address it does not. */
export function externalIpsOf({ spec }: Pick<Service, 'spec'>): readonly IpAddress[] {
  if (spec.type === 'ExternalName' || (spec.clusterIP ?? 'None') === 'None') return [];
  const parsed = (spec.externalIPs ?? []).flatMap((text) => parseIp(text) ?? []);
  return [...new Map(parsed.map((address) => [formatIp(address), address])).values()];
}

/** What a Service asks for by spec.externalIPs; undefined when it asks for nothing, or is of another class. */
export function externalIpClaimOf(service: Service, lbClass: string): ExternalIpClaim | undefined {
  const addresses = externalIpsOf(service);
  if (addresses.length === 0 || isOfAnotherClass(service, lbClass)) return undefined;
  const { labels: own, creationTimestamp = '' } = service.metadata;
  return { ...sharingTermsOf(service), addresses, createdAt: creationTimestamp, ...(own && { labels: own }) };
}

/** What others wrote is announced only once the operator has adopted it. */
function isGranted({ status, foreignWriters }: Service): boolean {
  const told = status?.conditions?.find(({ type }) => type === serviceConditions.addressAssigned);
  return told ? told.status === 'True' : foreignWriters === undefined;
}

function addressesOf({ status }: Service): readonly string[] {
  const parsed = (status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => parseIp(ip));
  return [...new Set(parsed.flatMap((address) => (address ? [formatIp(address)] : [])))];
}

function servingEndpointsOf(slices: readonly EndpointSlice[]): ServingEndpoints {
  const serving = slices.flatMap(({ endpoints }) => endpoints ?? []).filter(isServing);
  const nodes = new Set(serving.flatMap(({ nodeName }) => (nodeName === undefined ? [] : [nodeName])));
  return { anywhere: serving.length > 0, nodes };
}

/** MetalLB's rule: ready, or ending but still serving; what is not said means yes for `ready` and no for `serving`. */
const isServing = ({ conditions }: Endpoint): boolean => conditions?.ready !== false || conditions.serving === true;

/** The key of the Service that a slice belongs to; undefined for a slice of nobody. */
export function serviceKeyOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[labels.serviceName];
  return name === undefined ? undefined : `${metadata.namespace}/${name}`;
}

export const announcingNodeOf = ({ metadata, status }: Node): AnnouncingNode => ({
  name: metadata.name,
  labels: metadata.labels ?? {},
  isNetworkUnavailable: (status?.conditions ?? []).some(
    (condition) => condition.type === 'NetworkUnavailable' && condition.status === 'True',
  ),
});

/** Where the speaker of a node is reached: its InternalIP of `family` if it has one, else its first. */
export function peerAddressOf(
  { metadata, status }: Node,
  family: 4 | 6 | undefined,
): { readonly node: string; readonly address: string } | undefined {
  const internal = (status?.addresses ?? []).flatMap(({ type, address }) =>
    type === 'InternalIP' ? (parseIp(address) ?? []) : [],
  );
  const address = internal.find((each) => each.family === family) ?? internal[0];
  return address && { node: metadata.name, address: formatIp(address) };
}
