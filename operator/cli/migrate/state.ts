/** What MetalLB has left in a cluster, as far as a migration looks at it. */

import type { KubernetesObject } from '../../cluster/objects.ts';

/** A CustomResourceDefinition of metallb.io. */
export interface DefinitionState {
  /** `bgppeers.metallb.io`. */
  readonly name: string;
  readonly plural: string;
  readonly isOurs: boolean;
  readonly isTerminating: boolean;
  readonly conversion: 'None' | 'Webhook';
  /** The version that objects are written in from now on. */
  readonly storageVersion: string;
  /** The versions that objects may still be stored in. */
  readonly storedVersions: readonly string[];
}

/** A ValidatingWebhookConfiguration that asks about kinds of MetalLB or of its frr-k8s. */
export interface WebhookState {
  readonly name: string;
  readonly uid: string;
  /** Whether it asks about nothing else. */
  readonly isOnlyTheirs: boolean;
  /** The Services that it asks, as namespace/name, which have somebody to answer. */
  readonly answeredBy: readonly string[];
}

export type Role = 'controller' | 'speaker' | 'operator';

/** A workload or a pod of MetalLB that runs or is about to. */
export interface RunningPart {
  readonly role: Role;
  readonly kind: 'Deployment' | 'DaemonSet' | 'Pod';
  readonly namespace: string;
  readonly name: string;
  /** The class that it was told to serve, empty for none. */
  readonly lbClass: string;
}

/** An object of a kind that is read, without the status. */
export interface StoredObject extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** The objects of a kind as they are stored; undefined where a conversion webhook stands between, or is gone. */
export type Stored = readonly StoredObject[] | undefined;

/** A Service that MetalLB has given addresses. */
export interface ServiceState {
  /** `namespace/name`. */
  readonly key: string;
  readonly addresses: readonly string[];
}

export interface MigrationState {
  readonly definitions: readonly DefinitionState[];
  readonly webhooks: readonly WebhookState[];
  readonly running: readonly RunningPart[];
  readonly bgpPeers: Stored;
  /** The old kind that a pool and its advertisements were one object of. */
  readonly addressPools: Stored;
  readonly ipAddressPools: Stored;
  readonly l2Advertisements: Stored;
  readonly bgpAdvertisements: Stored;
  /** Services of type LoadBalancer with addresses, of every class. */
  readonly services: readonly ServiceState[];
  /** Whether the ConfigMap of MetalLB 0.12 and older is there. */
  readonly hasConfigMap: boolean;
}
