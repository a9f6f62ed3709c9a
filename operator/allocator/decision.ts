/** What the allocator says about one Service. Conditions, events, metrics and `explain` all print these words. */

import type { ReasonOf } from '../../crds/reasons.ts';
import type { IpAddress } from '../net/address.ts';

/** Why one pool refused one Service. */
export interface Rejection {
  readonly pool: string;
  readonly reason: ReasonOf<'rejections'>;
  readonly message: string;
}

/** A summary in one word and one sentence. */
export interface Summary {
  readonly reason: ReasonOf<'heraldlb.io/AddressAssigned'>;
  readonly message: string;
}

export interface Assigned extends Summary {
  readonly outcome: 'Assigned';
  readonly pool: string;
  /** In the order in which they are held; fresh ones with the primary family first. */
  readonly addresses: readonly IpAddress[];
}
export interface Unassigned extends Summary {
  readonly outcome: 'Unassigned';
  readonly rejections: readonly Rejection[];
}
export type Decision = Assigned | Unassigned;
