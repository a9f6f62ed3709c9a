/** Every annotation, label and Service condition type that Herald reads or writes, by name. */

/** The annotations of MetalLB on Services; the prefix `metallb.universe.tf/` is the older one of the same words. */
export const annotations = {
  addressPool: 'metallb.io/address-pool',
  loadBalancerIPs: 'metallb.io/loadBalancerIPs',
  allowSharedIp: 'metallb.io/allow-shared-ip',
  /** The only annotation that Herald writes. */
  ipAllocatedFromPool: 'metallb.io/ip-allocated-from-pool',
} as const;

/** The older names. Where both are set the newer one counts, even if it is empty. */
export const legacyAnnotations = {
  addressPool: 'metallb.universe.tf/address-pool',
  loadBalancerIPs: 'metallb.universe.tf/loadBalancerIPs',
  allowSharedIp: 'metallb.universe.tf/allow-shared-ip',
  ipAllocatedFromPool: 'metallb.universe.tf/ip-allocated-from-pool',
} as const;

/** The annotations of Herald's own on objects that users write. */
export const configAnnotations = {
  /** On a pool, with the hash of its spec: this very spec may take addresses away from Services. */
  allowDisruption: 'heraldlb.io/allow-disruption',
} as const;

/** The annotations of Herald's own on Services. */
export const serviceAnnotations = {
  /** Names of pools, separated by commas: addresses of each of them, in this order. */
  addressPools: 'heraldlb.io/address-pools',
} as const;

/** Labels that Herald reads or writes. */
export const labels = {
  /** On a Node, by its presence alone: the node announces nothing. */
  excludeFromExternalLoadBalancers: 'node.kubernetes.io/exclude-from-external-load-balancers',
  /** On an EndpointSlice: the Service that it belongs to. */
  serviceName: 'kubernetes.io/service-name',
  /** On a ConfigurationState: which component it speaks of. */
  componentType: 'metallb.io/component-type',
  /** On a Service, as `true`: it gets a ServiceAnnouncement where not every Service does. */
  serviceAnnouncement: 'heraldlb.io/service-announcement',
  /** On a ServiceL2Status, as MetalLB sets them. */
  l2StatusNode: 'metallb.io/node',
  l2StatusServiceName: 'metallb.io/service-name',
  l2StatusServiceNamespace: 'metallb.io/service-namespace',
} as const;

/** Condition types that Herald sets on Services. */
export const serviceConditions = {
  addressAssigned: 'heraldlb.io/AddressAssigned',
  announced: 'heraldlb.io/Announced',
  externalIpsAccepted: 'heraldlb.io/ExternalIPsAccepted',
} as const;

export type ServiceAnnotation = keyof typeof annotations;

/** The value of an annotation by its newer name, else by its older one. */
export function annotationOf(
  values: Readonly<Record<string, string>> | undefined,
  name: ServiceAnnotation,
): string | undefined {
  return values?.[annotations[name]] ?? values?.[legacyAnnotations[name]];
}
