/** What one node is to announce, as data: the contract between deciding and the backends. */

import type { Reason } from '../../crds/reasons.ts';

/** One address of one Service that this node may have to answer for. */
export interface L2Announcement {
  /** 'namespace/name' */
  readonly service: string;
  /** Canonical text. */
  readonly address: string;
  /** Nodes that may own it, best first (MetalLB's hash order); who is alive is not considered here. */
  readonly candidates: readonly string[];
  readonly interfaces: readonly string[] | 'all';
}

/** Why an address, or a whole Service, is not announced from this cluster or this node. */
export interface Refusal {
  /** 'namespace/name' */
  readonly service: string;
  readonly reason: Reason;
  readonly message: string;
  /** The address, where other nodes may announce it: who announced it hands it over. */
  readonly elsewhere?: string;
}

/** The whole desired state of this node. */
export interface DesiredAnnouncements {
  readonly l2: readonly L2Announcement[];
  readonly refusals: readonly Refusal[];
}
