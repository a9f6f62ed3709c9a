/** For how long a node may answer for addresses after its clock thread has last worked. */

import { isSlow, type Membership } from '../../protocols/heartbeat/membership-state.ts';
import { canOwn } from '../../protocols/heartbeat/peer.ts';

/** Where nobody could take over, silence would help nobody: a speaker that restarts is back within that time. */
const LONE_LEASE_MS = 30_000;
/** A slow speaker promises its peers less (protocols/heartbeat/sending.ts), and they wait for it so much longer. */
const SLOW_STRETCH = 1.5;

/**
 * The detection time, after which the others take over, and one interval more, in which they begin to answer; longer
 * while there is no other that could.
 */
export function leaseMsOf(membership: Pick<Membership, 'config' | 'peers' | 'stretchMs'>): number {
  const { config, peers } = membership;
  if (![...peers.values()].some(canOwn)) return LONE_LEASE_MS;
  return (config.missed + 1) * config.intervalMs * (isSlow(membership) ? SLOW_STRETCH : 1);
}
