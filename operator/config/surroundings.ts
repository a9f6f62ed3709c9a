/** What configuration meets in its cluster: nodes, the ranges that others own, living pods, and the Secrets that peers name. */

import type { ObjectMeta } from '../../crds/object-meta.ts';

/** `v1` Node, as far as configuration looks at it. */
export interface NodeObject {
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly podCIDRs?: readonly string[] };
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

/** `networking.k8s.io/v1` ServiceCIDR: ranges that cluster addresses of Services come from. */
export interface ServiceRangeObject {
  readonly metadata: ObjectMeta;
  readonly spec?: { readonly cidrs?: readonly string[] };
}

/** An address that a living pod has. */
export interface PodAddress {
  /** 'namespace/name' */
  readonly pod: string;
  readonly address: string;
}

/** What is known about a Secret that a peer names: never its content. */
export type SecretFact = 'Usable' | 'Missing' | 'Unreadable' | 'WrongType' | 'NoPassword' | 'PasswordTooLong';

export interface Surroundings {
  readonly nodes: readonly NodeObject[];
  readonly serviceRanges: readonly ServiceRangeObject[];
  /** Of all pods with an address of their own, or none where `meetsPodRange` says that nobody asks. */
  readonly podAddresses: readonly PodAddress[];
  /** By `namespace/name`, every one that `secretsNamedBy` tells; undefined: there is no cluster to ask. */
  readonly secrets?: ReadonlyMap<string, SecretFact>;
}

/** Configuration without a cluster, as a folder of manifests is. */
export const NO_SURROUNDINGS: Surroundings = { nodes: [], serviceRanges: [], podAddresses: [] };
