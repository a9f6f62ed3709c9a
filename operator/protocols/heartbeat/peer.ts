/** What one speaker knows of another, and what each heartbeat, each word of a third and each silence makes of it. */

import { afterPage, type PeerClaims } from './claims.ts';
import type { RelayedPeer } from './extension.ts';
import { type HeardPeer, type Heartbeat, lowIncarnation, lowSequence } from './heartbeat.ts';
import { nodeIdOf } from './node-id.ts';

/**
 * `Unknown`: nothing known since our start. `Suspect`: a proof of its life is overdue, still counted as alive.
 * `Dead`: for a detection time nothing proved that it lives and is heard, or it was restarted.
 */
export type PeerHealth = 'Unknown' | 'Alive' | 'Suspect' | 'Dead';

/**
 * One of its heartbeats that said that it hears somebody whom we trust: us, or a living peer that told us of it. Only its own
 * sending makes the sequence ascend, so that what is handed on in a circle proves nothing.
 */
export interface Proof {
  /** Low 32 bits. */
  readonly incarnation: number;
  /** Low 16 bits. */
  readonly sequence: number;
}

/** Times are monotonic milliseconds; -Infinity is never. */
export interface Peer {
  readonly node: string;
  readonly nodeId: number;
  readonly health: PeerHealth;
  /** Of its last believed heartbeat; 0 before the first. */
  readonly incarnation: number;
  readonly sequence: number;
  readonly lastHeardAt: number;
  /** The newest; undefined before the first. */
  readonly proof: Proof | undefined;
  /** When the proof arrived. */
  readonly provedAt: number;
  /** The proof came over a third while it lived by words alone: nothing had arrived from it itself for a detection time. */
  readonly restsOnWords: boolean;
  readonly hearsUs: boolean;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly slow: boolean;
  readonly sawUsLeave: boolean;
  readonly readsExtensions: boolean;
  readonly algorithmVersion: number;
  readonly intervalMs: number;
  /** Undefined from one that is not set to sticky ownership. */
  readonly claims: PeerClaims | undefined;
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
  proof: undefined,
  provedAt: Number.NEGATIVE_INFINITY,
  restsOnWords: false,
  hearsUs: false,
  ready: false,
  leaving: false,
  slow: false,
  sawUsLeave: false,
  readsExtensions: false,
  algorithmVersion: 1,
  intervalMs: 0,
  claims: undefined,
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
  const { incarnation, sequence, ready, leaving, slow, readsExtensions, algorithmVersion, intervalMs } = heartbeat;
  const peer: Peer = {
    ...known,
    ...{ incarnation, sequence, ready, leaving, slow, readsExtensions, algorithmVersion, intervalMs },
    lastHeardAt: now,
    hearsUs: receipt !== undefined,
    sawUsLeave: receipt?.leavingSeen ?? false,
    claims: claimsAfter(isSameIncarnation ? known.claims : undefined, heartbeat),
    wasLost: isSameIncarnation && known.wasLost,
  };
  if (receipt)
    return { ...peer, health: 'Alive', proof: proofBy(peer), provedAt: now, restsOnWords: false, wasLost: false };
  if (!isAlive(known)) return peer;
  if (isSameIncarnation) return { ...peer, wasLost: true };
  // a third may have told of this incarnation before
  return known.proof?.incarnation === lowIncarnation(incarnation) ? peer : lost(peer, now);
}

const claimsAfter = (known: PeerClaims | undefined, { claims }: Heartbeat): PeerClaims | undefined =>
  claims && afterPage(known, claims);

/** The peer after a third, that hears us and that we hear, has told of it: alive if that proves more than was known. */
export function afterWordOf(known: Peer, word: RelayedPeer, now: number): Peer {
  if (known.proof && !isNewer(word, known.proof)) return known;
  const heard = known.incarnation > 0 ? proofBy(known) : undefined;
  // it was restarted since: the third has yet to hear of it
  if (heard && heard.incarnation !== word.incarnation && !isNewer(word, heard)) return known;
  const { incarnation, sequence, ready, leaving, algorithmVersion } = word;
  const proof: Proof = { incarnation, sequence };
  const wasLost = isAlive(known) && known.wasLost;
  const restsOnWords = isAlive(known) && !isHeard(known);
  const proved: Peer = { ...known, health: 'Alive', proof, provedAt: now, restsOnWords, wasLost };
  const knowsMore = heard !== undefined && !isNewer(word, heard);
  return knowsMore ? proved : { ...proved, ready, leaving, algorithmVersion };
}

/** By serial numbers (RFC 1982). A peer whose clock was set back is believed only by its own heartbeats. */
function isNewer(a: Proof, b: Proof): boolean {
  const incarnations = (a.incarnation - b.incarnation + 2 ** 32) % 2 ** 32;
  if (incarnations !== 0) return incarnations < 2 ** 31;
  const sequences = (a.sequence - b.sequence + 2 ** 16) % 2 ** 16;
  return sequences !== 0 && sequences < 2 ** 15;
}

/** The proof that the last heartbeat of `peer` is, when it says that it hears us. */
const proofBy = ({ incarnation, sequence }: Peer): Proof => ({
  incarnation: lowIncarnation(incarnation),
  sequence: lowSequence(sequence),
});

/** Ends of its detection times: of what we hear ourselves, and of what proves its life. */
export interface Deadlines {
  readonly hearing: number;
  readonly proof: number;
}

/** The peer after more silence. */
export function afterSilence(known: Peer, deadlines: Deadlines, intervalMs: number, now: number): Peer {
  const isDeaf = isHeard(known) && now >= deadlines.hearing;
  const peer = isDeaf ? { ...known, lastHeardAt: Number.NEGATIVE_INFINITY, hearsUs: false } : known;
  if (!isAlive(peer)) return peer;
  if (now >= deadlines.proof) return lost({ ...peer, hearsUs: false, wasLost: true }, now);
  return peer.health === 'Alive' && isOverdue(peer, intervalMs, now) ? { ...peer, health: 'Suspect' } : peer;
}

/** Whether a proof of its life should have come by now. */
export const isOverdue = (peer: Peer, intervalMs: number, now: number): boolean =>
  now - peer.provedAt > SUSPECT_AFTER * Math.max(intervalMs, peer.intervalMs);

const lost = (peer: Peer, now: number): Peer => ({
  ...peer,
  health: 'Dead',
  lostAt: canOwn(peer) ? now : peer.lostAt,
});

/** Our receipt for `peer`. */
export const receiptFor = (peer: Peer): HeardPeer => ({
  nodeId: peer.nodeId,
  ...proofBy(peer),
  leavingSeen: peer.leaving,
  alive: isAlive(peer) && isProvedByItself(peer),
  ready: peer.ready,
  algorithmVersion: peer.algorithmVersion,
});

/** What we hand on of `peer`, where our receipt does not say it; undefined when there is nothing. */
export const wordOf = (peer: Peer): RelayedPeer | undefined => {
  const { nodeId, proof, ready, leaving, algorithmVersion } = peer;
  if (!proof || !isAlive(peer) || (isHeard(peer) && isProvedByItself(peer))) return undefined;
  return { nodeId, ...proof, ready, leaving, algorithmVersion };
};

/** What the receipts of `heartbeat` and what it hands on say of others that live. */
export const wordsOf = ({ heard, relayed }: Heartbeat): readonly RelayedPeer[] => [
  ...heard.flatMap((entry) => (entry.alive ? [{ ...entry, leaving: entry.leavingSeen }] : [])),
  ...relayed,
];

const isProvedByItself = (peer: Peer): boolean => {
  const { incarnation, sequence } = proofBy(peer);
  return peer.proof?.incarnation === incarnation && peer.proof.sequence === sequence;
};

/** The sender's receipt for this very incarnation of ours. */
function receiptOf({ heard }: Heartbeat, self: Self): HeardPeer | undefined {
  const nodeId = nodeIdOf(self.node);
  const incarnation = lowIncarnation(self.incarnation);
  return heard.find((entry) => entry.nodeId === nodeId && entry.incarnation === incarnation);
}
