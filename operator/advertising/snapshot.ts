/** What deciding about announcements looks at: the cluster, reduced to what counts. */

import type { L2Advertisement } from '../config/advertisements.ts';
import type { Pool } from '../config/pool.ts';
import type { SharingTerms } from '../config/sharing.ts';

/** Labels of any object. */
export type Labels = Readonly<Record<string, string>>;

/** Where a Service is served: endpoints that are ready, or that end but still serve (discovery.k8s.io/v1 `serving`). */
export interface ServingEndpoints {
  /** Some endpoint serves, on whatever node. */
  readonly anywhere: boolean;
  /** The nodes of those that serve. */
  readonly nodes: ReadonlySet<string>;
}

/** A Service of type LoadBalancer and of our class that holds addresses, or any that may have external IPs announced. */
export interface AnnouncedService extends SharingTerms {
  /** RFC 3339, whole seconds: as text it sorts by time. */
  readonly createdAt: string;
  readonly labels: Labels;
  /** Canonical texts: those of the status in its order, then external IPs. */
  readonly addresses: readonly string[];
  /** How many of `addresses` are of the status. */
  readonly held: number;
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  /** Without a selector somebody else keeps the endpoints, perhaps none at all. */
  readonly hasSelector: boolean;
  readonly endpoints: ServingEndpoints;
}

/** A node of the cluster, as far as it may announce. */
export interface AnnouncingNode {
  readonly name: string;
  readonly labels: Labels;
  /** The condition NetworkUnavailable is True. */
  readonly isNetworkUnavailable: boolean;
}

/** A pool in force, or the remnant of one, as far as announcing looks at it. */
export type PoolInForce = Pick<Pool, 'name' | 'labels' | 'addresses' | 'sharesAcrossNamespaces'>;

/** All that is alike for every Service. */
export interface AdvertisingConfig {
  /** The node whose part is decided. */
  readonly node: string;
  readonly nodes: readonly AnnouncingNode[];
  /** Live pools first, remnants last: where they overlap the first one counts. */
  readonly pools: readonly PoolInForce[];
  readonly advertisements: readonly L2Advertisement[];
  /** Announce from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers too. */
  readonly ignoresExcludeLabel: boolean;
}
