/** What one speaker knows of another, and what each heartbeat or silence makes of it. */

import { type HeardPeer, type Heartbeat, lowIncarnation, lowSequence, nodeIdOf } from './heartbeat.ts';

/**
 * `Unknown`: nothing heard since our start. `Suspect`: a heartbeat is overdue, still counted as alive.
 * `Dead`: for a detection time nothing was heard that says that it hears us, or it was restarted.
 */
export type PeerHealth = 'Unknown' | 'Alive' | 'Suspect' | 'Dead';

/** Times are monotonic milliseconds; -Infinity is never. */
export interface Peer {
  readonly node: string;
  readonly nodeId: number;
  readonly health: PeerHealth;
  /** Of its last believed heartbeat; 0 before the first. */
  readonly incarnation: number;
  readonly sequence: number;
  readonly lastHeardAt: number;
  /** When it last said that it hears us. */
  readonly lastReceiptAt: number;
  readonly hearsUs: boolean;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly sawUsLeave: boolean;
  readonly algorithmVersion: number;
  readonly intervalMs: number;
  /** When it was lost while it could own addresses. */
  readonly lostAt: number;
  /** In this incarnation it was lost, or it lost us: on its side of a cut it may have answered for what is ours. */
  readonly wasLost: boolean;
}

/** Who we are, in the words of a receipt. */
export interface Self {
  readonly node: string;
  readonly incarnation: number;
  /** Of our next heartbeat. */
  readonly sequence: number;
}

/** Why an authentic heartbeat was not believed. */
export type DisbeliefReason = 'OwnHeartbeat' | 'UnknownPeer' | 'OldIncarnation' | 'Replayed';

/** How far behind our sequence, in heartbeats, a receipt may be to prove that its carrier is no recording. */
const FRESH_RECEIPTS = 16;
/** In its own intervals: one heartbeat is overdue. */
const SUSPECT_AFTER = 1.5;

/** A peer of which nothing was heard. One that joins after our start counts only once it was heard: it may have no speaker yet. */
export const stranger = (node: string, joinsLate: boolean): Peer => ({
  node,
  nodeId: nodeIdOf(node),
  health: joinsLate ? 'Dead' : 'Unknown',
  incarnation: 0,
  sequence: 0,
  lastHeardAt: Number.NEGATIVE_INFINITY,
  lastReceiptAt: Number.NEGATIVE_INFINITY,
  hearsUs: false,
  ready: false,
  leaving: false,
  sawUsLeave: false,
  algorithmVersion: 1,
  intervalMs: 0,
  lostAt: Number.NEGATIVE_INFINITY,
  wasLost: false,
});

/** Whether something arrived from it within its detection time. */
export const isHeard = ({ lastHeardAt }: Peer): boolean => lastHeardAt !== Number.NEGATIVE_INFINITY;

/** Whether it counts as alive: a suspect does, until its detection time is over. */
export const isAlive = ({ health }: Peer): boolean => health === 'Alive' || health === 'Suspect';

/** Whether it may own addresses. */
export const canOwn = (peer: Peer): boolean => isAlive(peer) && peer.ready && !peer.leaving;

/** The replay guard: incarnation and sequence ascend; a clock set back is believed when a fresh receipt proves that the sender lives. */
export function disbeliefOf(known: Peer, heartbeat: Heartbeat, self: Self): DisbeliefReason | undefined {
  if (heartbeat.incarnation === known.incarnation) return heartbeat.sequence > known.sequence ? undefined : 'Replayed';
  if (heartbeat.incarnation > known.incarnation) return undefined;
  const receipt = receiptOf(heartbeat, self);
  const isFresh = receipt && (lowSequence(self.sequence) - receipt.sequence + 2 ** 16) % 2 ** 16 <= FRESH_RECEIPTS;
  return isFresh ? undefined : 'OldIncarnation';
}

/**
 * The peer after a believed heartbeat: alive if it hears this very incarnation of ours (three ways, as BFD's Init and Up).
 *
 * One that has ceased to hear us stays alive for a detection time: after our own stall it does so until we have spoken,
 * and what it owns it goes on answering for.
 */
export function afterHeartbeat(known: Peer, heartbeat: Heartbeat, self: Self, now: number): Peer {
  const receipt = receiptOf(heartbeat, self);
  const isSameIncarnation = heartbeat.incarnation === known.incarnation;
  const peer: Peer = {
    ...known,
    incarnation: heartbeat.incarnation,
    sequence: heartbeat.sequence,
    lastHeardAt: now,
    hearsUs: receipt !== undefined,
    ready: heartbeat.ready,
    leaving: heartbeat.leaving,
    sawUsLeave: receipt?.leavingSeen ?? false,
    algorithmVersion: heartbeat.algorithmVersion,
    intervalMs: heartbeat.intervalMs,
    wasLost: isSameIncarnation && known.wasLost,
  };
  if (receipt) return { ...peer, health: 'Alive', lastReceiptAt: now, wasLost: false };
  if (!isAlive(known)) return peer;
  return isSameIncarnation ? { ...peer, wasLost: true } : lost(peer, now);
}

/** The peer after more silence; `deadline` is the end of its detection time. */
export function afterSilence(peer: Peer, deadline: number, intervalMs: number, now: number): Peer {
  if (!isHeard(peer)) return peer;
  if (now >= deadline) {
    const silent = { ...peer, lastHeardAt: Number.NEGATIVE_INFINITY, hearsUs: false };
    return isAlive(peer) ? lost({ ...silent, wasLost: true }, now) : silent;
  }
  return peer.health === 'Alive' && isOverdue(peer, intervalMs, now) ? { ...peer, health: 'Suspect' } : peer;
}

/** Whether a heartbeat that says that it hears us should have come by now. */
export const isOverdue = (peer: Peer, intervalMs: number, now: number): boolean =>
  now - peer.lastReceiptAt > SUSPECT_AFTER * Math.max(intervalMs, peer.intervalMs);

const lost = (peer: Peer, now: number): Peer => ({
  ...peer,
  health: 'Dead',
  lostAt: canOwn(peer) ? now : peer.lostAt,
});

/** Our receipt for `peer`. */
export const receiptFor = (peer: Peer): HeardPeer => ({
  nodeId: peer.nodeId,
  incarnation: lowIncarnation(peer.incarnation),
  sequence: lowSequence(peer.sequence),
  leavingSeen: peer.leaving,
});

/** The sender's receipt for this very incarnation of ours. */
function receiptOf({ heard }: Heartbeat, self: Self): HeardPeer | undefined {
  const nodeId = nodeIdOf(self.node);
  const incarnation = lowIncarnation(self.incarnation);
  return heard.find((entry) => entry.nodeId === nodeId && entry.incarnation === incarnation);
}
