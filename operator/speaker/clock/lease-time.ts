/** For how long a node may answer for addresses after its clock thread has last worked. */

import type { Membership } from '../../protocols/heartbeat/membership-state.ts';
import { canOwn } from '../../protocols/heartbeat/peer.ts';

/** Where nobody could take over, silence would help nobody: a speaker that restarts is back within that time. */
const LONE_LEASE_MS = 30_000;

/** The detection time, after which the others answer; longer while there is no other that could. */
export const leaseMsOf = ({ config, peers }: Pick<Membership, 'config' | 'peers'>): number =>
  [...peers.values()].some(canOwn) ? config.missed * config.intervalMs : LONE_LEASE_MS;
