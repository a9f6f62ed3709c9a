/** What a Service asks of the allocator, read from its spec, annotations and status. */

import { annotationOf, annotations, serviceAnnotations } from '../../crds/annotations.ts';
import type { ObjectMeta } from '../../crds/object-meta.ts';
import type { ReasonOf } from '../../crds/reasons.ts';
import type { NamedApplicant } from '../config/service-selection.ts';
import { backendOf, portsOf, type SharingSpec } from '../config/sharing.ts';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';

export type Family = IpAddress['family'];

/** A request that cannot be served whatever the pools are. */
export interface RequestProblem {
  readonly reason: ReasonOf<'heraldlb.io/AddressAssigned'>;
  readonly message: string;
}

/** One Service of type LoadBalancer that is ours. */
export interface ServiceRequest extends NamedApplicant {
  /** 'namespace/name' */
  readonly key: string;
  readonly uid?: string;
  /** RFC 3339, whole seconds: as text it sorts by time. */
  readonly createdAt: string;
  /** The families that the Service has cluster addresses of, the primary one first; never empty without a problem. */
  readonly families: readonly Family[];
  /** Whether one family is enough where both cannot be had. */
  readonly isOneFamilyEnough: boolean;
  readonly requestedPool?: string;
  /** Addresses of each of these pools, in this order; never beside `requestedPool` or `requestedAddresses`. */
  readonly requestedPools?: readonly string[];
  /** At most one per family, of exactly the families of the Service. */
  readonly requestedAddresses?: readonly IpAddress[];
  /** metallb.io/allow-shared-ip */
  readonly sharingKey?: string;
  /** What may not be the same among Services that share, as texts like `TCP/443`. */
  readonly ports?: readonly string[];
  /** What must be the same among Services that share. */
  readonly backend?: string;
  /** What the status holds now, in its order. */
  readonly held: readonly IpAddress[];
  readonly problem?: RequestProblem;
  /**
   * Somebody else answers for the addresses in the status: nobody else may have them, and nothing is given. `problem`
   * says why.
   */
  readonly isForeign?: boolean;
  /** The request has changed since the addresses were given: of two that cannot have one together it gives way. */
  readonly yields?: boolean;
}

/** The parts of a Service that are read here. */
export interface ServiceObject {
  readonly metadata: ObjectMeta;
  readonly spec: SharingSpec & {
    readonly type?: string;
    readonly loadBalancerClass?: string;
    readonly loadBalancerIP?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly ipFamilyPolicy?: string;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/**
 * Whether the Service is ours to serve.
 *
 * @param lbClass empty: Services without a class; else those whose class is exactly this
 */
export const isOurs = ({ spec }: ServiceObject, lbClass: string): boolean =>
  spec.type === 'LoadBalancer' && (spec.loadBalancerClass ?? '') === lbClass;

/** The addresses in the status of a Service. */
export const heldAddresses = ({ status }: ServiceObject): readonly IpAddress[] =>
  (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? (parseIp(ip) ?? []) : []));

export function requestOf(service: ServiceObject): ServiceRequest {
  const { metadata, spec } = service;
  return {
    key: `${metadata.namespace ?? ''}/${metadata.name}`,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ...(metadata.uid !== undefined && { uid: metadata.uid }),
    ...(metadata.labels && { labels: metadata.labels }),
    createdAt: metadata.creationTimestamp ?? '',
    ...wishOf(service),
    isOneFamilyEnough: spec.ipFamilyPolicy === 'PreferDualStack',
    ...sharingOf(service),
    held: heldAddresses(service),
  };
}

type Wish = Pick<ServiceRequest, 'families' | 'requestedPool' | 'requestedPools' | 'requestedAddresses' | 'problem'>;

/** Which families, of which pools, or which very addresses. */
function wishOf(service: ServiceObject): Wish {
  const { metadata, spec } = service;
  const requestedPool = annotationOf(metadata.annotations, 'addressPool');
  const clusterFamilies = familiesOf(spec);
  const isSingleStack = (spec.ipFamilyPolicy ?? 'SingleStack') === 'SingleStack';
  const families = isSingleStack ? clusterFamilies.slice(0, 1) : clusterFamilies;
  const asked = readRequestedAddresses(service, families);
  const several = readRequestedPools(service);
  const problem = clusterProblem(spec, families) ?? problemIn(asked) ?? problemIn(several);
  const pool = requestedPool ? { requestedPool } : {};
  if (problem || 'reason' in asked || 'reason' in several) return { families, ...pool, ...(problem && { problem }) };
  const { addresses } = asked;
  return {
    ...pool,
    // Where one family is enough and one address is asked for, that is the family.
    families: addresses.length === 1 ? addresses.map(({ family }) => family) : families,
    ...(addresses.length > 0 && { requestedAddresses: addresses }),
    ...(several.pools.length > 0 && { requestedPools: several.pools }),
  };
}

const problemIn = (read: object | RequestProblem): RequestProblem | undefined => ('reason' in read ? read : undefined);

function sharingOf({ metadata, spec }: ServiceObject): Pick<ServiceRequest, 'sharingKey' | 'ports' | 'backend'> {
  const sharingKey = annotationOf(metadata.annotations, 'allowSharedIp');
  return { ...(sharingKey && { sharingKey }), ports: portsOf(spec), backend: backendOf(spec) };
}

function familiesOf({ clusterIP, clusterIPs }: ServiceObject['spec']): readonly Family[] {
  const texts = clusterIPs ?? (clusterIP ? [clusterIP] : []);
  return [...new Set(texts.flatMap((text) => parseIp(text)?.family ?? []))];
}

function clusterProblem(
  { ipFamilyPolicy }: ServiceObject['spec'],
  families: readonly Family[],
): RequestProblem | undefined {
  if (families.length === 0)
    return { reason: 'NoClusterIP', message: 'The Service has no cluster address, so nothing could forward to it.' };
  if (ipFamilyPolicy === 'RequireDualStack' && families.length < 2)
    return {
      reason: 'NoClusterIP',
      message: 'The Service requires dual stack and has a cluster address of one family.',
    };
  return undefined;
}

type AddressesRead = { readonly addresses: readonly IpAddress[] } | RequestProblem;

const invalid = (message: string): RequestProblem => ({ reason: 'InvalidRequest', message });

function readRequestedAddresses({ metadata, spec }: ServiceObject, families: readonly Family[]): AddressesRead {
  const annotation = annotationOf(metadata.annotations, 'loadBalancerIPs');
  if (annotation && spec.loadBalancerIP)
    return invalid(`The Service has both ${annotations.loadBalancerIPs} and spec.loadBalancerIP; give one of them.`);
  const text = annotation || spec.loadBalancerIP;
  if (!text) return { addresses: [] };
  const read = parseAddresses(text);
  if ('reason' in read) return read;
  const { addresses } = read;
  const isOneEnough = spec.ipFamilyPolicy === 'PreferDualStack' && addresses.length === 1;
  const isRight = isOneEnough || addresses.length === families.length;
  if (isRight && addresses.every(({ family }) => families.includes(family))) return read;
  return invalid(
    `${addresses.map(formatIp).join(', ')} does not match the families of the Service: ${familyNames(families)}.`,
  );
}

/** At most one address of each family, separated by commas. */
function parseAddresses(text: string): AddressesRead {
  const addresses: IpAddress[] = [];
  for (const part of text.split(',').map((part) => part.trim())) {
    const address = parseIp(part);
    if (!address) return invalid(`"${part}" is not an IP address.`);
    if (addresses.some(({ family }) => family === address.family))
      return invalid(`"${text}" asks for more than one IPv${address.family} address.`);
    addresses.push(address);
  }
  return { addresses };
}

/** Names of pools in the order in which they are written; a word that is no request at all counts for nothing. */
function readRequestedPools({ metadata, spec }: ServiceObject): { readonly pools: readonly string[] } | RequestProblem {
  const text = metadata.annotations?.[serviceAnnotations.addressPools];
  if (!text) return { pools: [] };
  const name = serviceAnnotations.addressPools;
  const others = [annotations.addressPool, annotations.loadBalancerIPs] as const;
  const beside = annotationOf(metadata.annotations, 'addressPool')
    ? others[0]
    : annotationOf(metadata.annotations, 'loadBalancerIPs')
      ? others[1]
      : spec.loadBalancerIP && 'spec.loadBalancerIP';
  if (beside) return invalid(`The Service has both ${name} and ${beside}; give one of them.`);
  const pools = text.split(',').map((part) => part.trim());
  if (pools.includes('')) return invalid(`${name} "${text}" has an empty name.`);
  const twice = pools.find((pool, at) => pools.indexOf(pool) !== at);
  return twice === undefined ? { pools } : invalid(`${name} names pool ${twice} twice.`);
}

/** "IPv4", "IPv4 and IPv6". */
export const familyNames = (families: readonly Family[]): string => families.map((f) => `IPv${f}`).join(' and ');

/** Older first, then by key: the order in which Services are served. */
export function byAgeThenKey(a: ServiceRequest, b: ServiceRequest): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
