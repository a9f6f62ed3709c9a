/** The Kubernetes objects that Herald reads, as far as it reads them: what is not named here is trimmed on arrival. */

import type { Condition } from '../../crds/condition.ts';
import type { ObjectMeta } from '../../crds/object-meta.ts';

export type { Condition, ObjectMeta };

/** What every object has; items of a list come without `apiVersion` and `kind`, the informer fills them in. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export type IpFamily = 'IPv4' | 'IPv6';

export interface ServicePort {
  readonly name?: string;
  /** TCP when missing. */
  readonly protocol?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly nodePort?: number;
}

export interface ServiceSpec {
  readonly type?: string;
  readonly loadBalancerClass?: string;
  readonly loadBalancerIP?: string;
  /** `None` for a headless Service. */
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ipFamilies?: readonly IpFamily[];
  readonly ipFamilyPolicy?: string;
  readonly externalTrafficPolicy?: string;
  /** Addresses of any type of Service that kube-proxy forwards, wherever they come from. */
  readonly externalIPs?: readonly string[];
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly ServicePort[];
  readonly sessionAffinity?: string;
}

export interface LoadBalancerIngress {
  readonly ip?: string;
  readonly ipMode?: string;
  readonly hostname?: string;
}

export interface ServiceStatus {
  readonly loadBalancer?: { readonly ingress?: readonly LoadBalancerIngress[] };
  readonly conditions?: readonly Condition[];
}

export interface Service extends KubernetesObject {
  readonly spec: ServiceSpec;
  readonly status?: ServiceStatus;
  /** Who wrote the addresses in the status, where the operator did not: from managedFields, which are trimmed away. */
  readonly foreignWriters?: readonly StatusWriterEntry[];
}

/** One of those who wrote a part of a status. */
export interface StatusWriterEntry {
  readonly manager: string;
  /** RFC 3339, whole seconds. */
  readonly at: string;
}

/** A condition without its times, which change with every heartbeat of the kubelet. */
export interface NodeCondition {
  readonly type: string;
  readonly status: string;
}

export interface Node extends KubernetesObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly conditions?: readonly NodeCondition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
  };
}

/** `networking.k8s.io/v1`: ranges that the cluster gives to Services. */
export interface ServiceCidr extends KubernetesObject {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

export interface Endpoint {
  readonly nodeName?: string;
  readonly addresses?: readonly string[];
  /** A missing `ready` or `serving` means yes (discovery.k8s.io/v1). */
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN';
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
}

export interface Namespace extends KubernetesObject {
  readonly status?: { readonly phase?: string };
}

export interface LeaseSpec {
  /** Empty or missing: nobody holds it. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  /** RFC 3339 with microseconds. */
  readonly acquireTime?: string;
  /** RFC 3339 with microseconds. */
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubernetesObject {
  readonly spec?: LeaseSpec;
}

export interface Secret extends KubernetesObject {
  readonly type?: string;
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface Pod extends KubernetesObject {
  readonly spec?: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly NodeCondition[];
  };
}

export interface CustomResourceDefinition extends KubernetesObject {
  readonly spec?: object;
  readonly status?: { readonly conditions?: readonly NodeCondition[] };
}

/** The key of an object in stores and queues: `namespace/name`, or `name` where there is no namespace. */
export function keyOf({ metadata }: { readonly metadata: ObjectMeta }): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}

/** The two halves of a key. */
export function splitKey(key: string): { readonly namespace?: string; readonly name: string } {
  const at = key.indexOf('/');
  return at < 0 ? { name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) };
}
