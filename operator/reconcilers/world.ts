/** All that the operator's reconcilers may see and do; the tests pass a world of their own. */

import type { AddressQuota } from '../../crds/address-quota.ts';
import type { AddressReservation } from '../../crds/address-reservation.ts';
import type { BfdProfile } from '../../crds/bfd-profile.ts';
import type { BgpAdvertisement } from '../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../crds/bgp-peer.ts';
import type { Community } from '../../crds/community.ts';
import type { ConfigurationState } from '../../crds/configuration-state.ts';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { L2Advertisement } from '../../crds/l2-advertisement.ts';
import type { PoolSet } from '../../crds/pool-set.ts';
import type { EventType } from '../cluster/events.ts';
import type { KubernetesObject, Namespace, Node, Service, ServiceCidr } from '../cluster/objects.ts';
import type { ResourceAddress } from '../cluster/resource.ts';
import type { StatusChange } from '../cluster/status-writer.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import type { BreakingChanges } from '../config/breaks.ts';
import type { SecretName } from '../config/password-secret.ts';
import type { PodAddress, SecretFact } from '../config/surroundings.ts';
import type { SourceDoor } from './source-door.ts';

/** What the informers know. */
export interface Stores {
  readonly services: ReadonlyStore<Service>;
  /** Of other types than LoadBalancer: those that name external IPs, where a pool announces some. */
  readonly externalServices: ReadonlyStore<Service>;
  readonly namespaces: ReadonlyStore<Namespace>;
  readonly pools: ReadonlyStore<IpAddressPool>;
  readonly l2Advertisements: ReadonlyStore<L2Advertisement>;
  readonly bgpAdvertisements: ReadonlyStore<BgpAdvertisement>;
  readonly bgpPeers: ReadonlyStore<BgpPeer>;
  readonly bfdProfiles: ReadonlyStore<BfdProfile>;
  readonly communities: ReadonlyStore<Community>;
  readonly reservations: ReadonlyStore<AddressReservation>;
  readonly quotas: ReadonlyStore<AddressQuota>;
  readonly nodes: ReadonlyStore<Node>;
  /** Empty before Kubernetes 1.33, which does not tell its Service ranges. */
  readonly serviceCidrs: ReadonlyStore<ServiceCidr>;
  readonly configurationStates: ReadonlyStore<ConfigurationState>;
  readonly poolSets: ReadonlyStore<PoolSet>;
}

/** Every write is one of a leader: it throws LeadershipLostError when the term does not allow it any more. */
export interface World {
  readonly stores: Stores;
  /** The external sources of pools. */
  readonly sources: SourceDoor;
  /** The time of day, for people who read conditions. */
  now(): Date;
  /** Milliseconds of a monotonic clock, for pacing. */
  clock(): number;
  /** @throws {ConflictError} when the object changed meanwhile: decide again */
  applyStatus<S extends object>(
    object: KubernetesObject,
    resource: ResourceAddress,
    change: StatusChange<S>,
  ): Promise<'Written' | 'Unchanged'>;
  /**
   * Puts `pools` in place of all that the PoolSet says, or creates it, and returns what is stored.
   *
   * @param before what was stored when the pools were decided @throws {ConflictError} when it is that no more
   */
  storePoolSet(before: PoolSet | undefined, pools: PoolSet['pools']): Promise<PoolSet>;
  /** Puts `externalIPs` in place of those that the PoolSet grants, and returns what is stored. */
  storeExternalIps(externalIPs: NonNullable<PoolSet['externalIPs']>): Promise<PoolSet>;
  /** Puts `resting` in place of the addresses that the PoolSet says rest, and returns what is stored. */
  storeResting(resting: NonNullable<PoolSet['resting']>): Promise<PoolSet>;
  /** The PoolSet and a Service as the API server has them now; undefined when there is none. */
  readPoolSet(): Promise<PoolSet | undefined>;
  readService(key: string): Promise<Service | undefined>;
  /** Services of another type that still bear our annotation. */
  readFormerServices(): Promise<readonly Service[]>;
  /** Creates the Secret of the speakers' heartbeats if it is missing; never overwrites one. */
  ensureMemberKey(): Promise<'Created' | 'Exists'>;
  /** The addresses of all living pods that have one of their own. Megabytes: asked for only where a decision needs it. */
  readPodAddresses(): Promise<readonly PodAddress[]>;
  /** What can be said of a Secret with a peer's password; its content goes no further. */
  readSecretFact(secret: SecretName): Promise<SecretFact>;
  /** Creates the operator's ConfigurationState, without a status. */
  createConfigurationState(): Promise<'Created' | 'Exists' | 'NotServed'>;
  event(object: KubernetesObject, type: EventType, reason: string, message: string): void;
}

/** What the reconcilers are told at start. */
export interface Scope {
  readonly ownNamespace: string;
  readonly configNamespaces: readonly string[];
  /** The class of the Services that are ours; empty means Services without a class. */
  readonly lbClass: string;
  /** When this process began, RFC 3339 in whole seconds: whoever writes a status later is alive. */
  readonly startedAt?: string;
  /** `refuse` when missing. */
  readonly breakingChanges?: BreakingChanges;
}
