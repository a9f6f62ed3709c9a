/** The cluster at a glance as data: what is wrong first, then pools, who announces, advertisements and sessions. */

import type { ReportResponder } from '../../../crds/node-announcement.ts';
import type { Reason } from '../../../crds/reasons.ts';

export interface Problem {
  /** `pool lab`, `service shop/api`, `node node-c`. */
  readonly subject: string;
  /** One word of crds/reasons.ts, or of Kubernetes. */
  readonly reason: Reason | string;
  readonly message: string;
}

/** Replicas of one of our workloads. */
export interface Replicas {
  readonly ready: number;
  readonly wanted: number;
}

/** How full a pool is in one family; larger counts than 2^53 are rounded. */
export interface Use {
  readonly family: 'IPv4' | 'IPv6';
  readonly used: number;
  readonly free: number;
}

export interface PoolReport {
  readonly name: string;
  readonly isReady: boolean;
  readonly reason: string;
  /** A family that the pool has no addresses of is missing. */
  readonly use: readonly Use[];
  /** The pool was deleted, and Services still hold addresses of it. */
  readonly isRemnant: boolean;
}

export interface NodeReport {
  readonly name: string;
  readonly hasSpeaker: boolean;
  /** Who answers ARP and Neighbor Solicitations, and why; missing where the speaker has not said it. */
  readonly responder?: ReportResponder;
  /** `203.0.113.10 shop/web`, by address. */
  readonly announces: readonly { readonly address: string; readonly service: string; readonly protocol: string }[];
}

export interface AdvertisementReport {
  readonly name: string;
  readonly kind: string;
  readonly isReady: boolean;
  readonly reason: string;
  readonly pools: string;
}

/** A peer, and the sessions of nodes with it as far as any is known. */
export interface PeerReport {
  readonly name: string;
  readonly address: string;
  readonly isReady: boolean;
  readonly reason: string;
  readonly sessions: readonly { readonly node: string; readonly state: string }[];
}

/** What is kept for somebody. */
export interface ReservationReport {
  readonly name: string;
  readonly isReady: boolean;
  readonly reason: string;
  /** `203.0.113.7, 2 IPv4 of pool public` */
  readonly keeps: string;
  /** `shop/web`, `namespace shop`, `by labels`. */
  readonly whose: string;
  readonly held: number;
  readonly heldByOthers: number;
}

/** One limit of a quota, for one namespace or all together. */
export interface LimitReport {
  readonly family: 'IPv4' | 'IPv6';
  readonly used: number;
  readonly limit: number;
  readonly namespace?: string;
  readonly pool?: string;
}

export interface QuotaReport {
  readonly name: string;
  readonly isReady: boolean;
  readonly reason: string;
  /** The fullest first, as far as the operator wrote them. */
  readonly limits: readonly LimitReport[];
}

export interface StatusReport {
  readonly namespace: string;
  readonly isInstalled: boolean;
  /** The holder of the Lease; missing where nobody leads. */
  readonly leader?: string;
  readonly operators: Replicas;
  readonly speakers: Replicas;
  readonly services: { readonly served: number; readonly withAddress: number; readonly announced: number };
  readonly problems: readonly Problem[];
  readonly pools: readonly PoolReport[];
  readonly reservations: readonly ReservationReport[];
  readonly quotas: readonly QuotaReport[];
  readonly nodes: readonly NodeReport[];
  readonly advertisements: readonly AdvertisementReport[];
  readonly peers: readonly PeerReport[];
}
