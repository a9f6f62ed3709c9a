/** What the allocator says about one Service. Conditions, events, metrics and `explain` all print these words. */

import type { ReasonOf } from '../../crds/reasons.ts';
import { formatIp, type IpAddress } from '../net/address.ts';

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
  /** The pools that the addresses are from; more than one only where the Service asks for several. */
  readonly pools: readonly string[];
  /** In the order in which they are held; fresh ones with the primary family first. */
  readonly addresses: readonly IpAddress[];
}
export interface Unassigned extends Summary {
  readonly outcome: 'Unassigned';
  readonly rejections: readonly Rejection[];
}
export type Decision = Assigned | Unassigned;

/** Whether two decisions say the same. */
export function isSameDecision(a: Decision, b: Decision): boolean {
  if (a === b) return true;
  if (a.outcome !== b.outcome || a.reason !== b.reason || a.message !== b.message) return false;
  return factsOf(a) === factsOf(b);
}

const factsOf = (decision: Decision): string =>
  decision.outcome === 'Assigned'
    ? `${decision.pools.join()} ${decision.addresses.map(formatIp).join(' ')}`
    : decision.rejections.map(({ pool, reason, message }) => `${pool} ${reason} ${message}`).join('\n');
