/** Which speakers are alive, as one of them sees it: a state machine without sockets and clocks. README.md draws it. */

import { claimsDiffer } from './claims.ts';
import type { RelayedPeer } from './extension.ts';
import type { Heartbeat } from './heartbeat.ts';
import {
  agreesOnSticky,
  alivePeers,
  availableOf,
  deadlinesOf,
  detectionMs,
  isIsolated,
  isSlow,
  knowsAllClaims,
  lastProofEndsAt,
  lostAt,
  type Membership,
  nextWakeup,
} from './membership-state.ts';
import {
  afterHeartbeat,
  afterSilence,
  afterWordOf,
  type DisbeliefReason,
  disbeliefOf,
  isAlive,
  isOverdue,
  type Peer,
  type Self,
  stranger,
  wordsOf,
} from './peer.ts';
import { withSending, withTaken } from './sending.ts';

/** Whatever may happen; `now` is monotonic milliseconds. */
export type MembershipEvent =
  /** The other nodes of the cluster. */
  | { readonly kind: 'Peers'; readonly now: number; readonly nodes: readonly string[] }
  /** An authentic heartbeat. */
  | { readonly kind: 'Heartbeat'; readonly now: number; readonly heartbeat: Heartbeat }
  /** The time `nextWakeup` has come, and all input that waited was read before. */
  | { readonly kind: 'Tick'; readonly now: number }
  | { readonly kind: 'Ready'; readonly now: number; readonly ready: boolean }
  /** This node has begun to answer for these addresses (`addressIdOf`), which another may still answer for. */
  | { readonly kind: 'Took'; readonly now: number; readonly addresses: readonly number[] }
  /** The whole set of addresses (`addressIdOf`) that this node goes on answering for although another is first by the order. */
  | { readonly kind: 'Claims'; readonly now: number; readonly addresses: readonly number[] }
  | { readonly kind: 'Leave'; readonly now: number };

export type MembershipEffect =
  /** To every peer, alive or not. */
  | { readonly do: 'SendHeartbeat'; readonly heartbeat: Heartbeat }
  | {
      readonly do: 'PublishAvailable';
      readonly nodes: readonly string[];
      readonly announceAgain: boolean;
      readonly isSticky: boolean;
    }
  /** The whole set of claims (`addressIdOf`) of a peer. */
  | { readonly do: 'PublishClaims'; readonly node: string; readonly addresses: readonly number[] }
  /** A peer answers for these addresses (`addressIdOf`) since a short time. */
  | { readonly do: 'PublishTaken'; readonly addresses: readonly number[] }
  | { readonly do: 'ReportPeers' }
  | { readonly do: 'LeaveAcknowledged'; readonly missing: readonly string[] }
  | { readonly do: 'CountDrop'; readonly reason: DisbeliefReason };

export type Step = readonly [next: Membership, effects: readonly MembershipEffect[]];

/** The next state and what must be done. Total: no event throws in any state. */
export function stepMembership(state: Membership, event: MembershipEvent): Step {
  switch (event.kind) {
    case 'Peers':
      return conclude(state, withPeers(state, event.nodes, event.now), event.now);
    case 'Heartbeat':
      return onHeartbeat(state, event.heartbeat, event.now);
    case 'Tick':
      return conclude(state, aged(state, event.now), event.now);
    case 'Ready':
      return conclude(state, { ...state, isReady: event.ready }, event.now);
    case 'Took':
      return conclude(state, withTaken(state, event.addresses, event.now), event.now);
    case 'Claims': {
      const claims = { revision: state.claims.revision + 1, addresses: event.addresses };
      return conclude(state, { ...state, claims }, event.now);
    }
    case 'Leave':
      return conclude(state, { ...state, leave: state.leave ?? { since: event.now, isOver: false } }, event.now);
  }
}

/** How long a starting speaker waits for claims that come page by page: 100 pages at 100 ms. */
const CLAIMS_WAIT_MS = 10_000;

const selfOf = ({ config, sequence }: Membership): Self => ({ ...config, sequence });

function withPeers(state: Membership, nodes: readonly string[], now: number): Membership {
  const others = nodes.filter((node) => node !== state.config.node);
  const peers = new Map(others.map((node) => [node, state.peers.get(node) ?? stranger(node, state.hasStarted)]));
  const startEndsAt = Math.min(state.startEndsAt, now + detectionMs(state) + state.config.startMarginMs);
  return { ...state, peers, startEndsAt };
}

function onHeartbeat(state: Membership, heartbeat: Heartbeat, now: number): Step {
  const known = state.peers.get(heartbeat.node);
  if (!known) {
    const reason = heartbeat.node === state.config.node ? 'OwnHeartbeat' : 'UnknownPeer';
    return [state, [{ do: 'CountDrop', reason }]];
  }
  const reason = disbeliefOf(known, heartbeat, selfOf(state));
  if (reason) return [state, [{ do: 'CountDrop', reason }]];
  const peer = afterHeartbeat(known, heartbeat, selfOf(state), now);
  const peers = new Map(state.peers).set(peer.node, peer);
  // Who does not hear us proves nothing: a recording of what it said to an earlier incarnation of ours would.
  const hasWords = peer.hearsUs && believe(peers, wordsOf(heartbeat), now);
  // somebody hears us: who is silent is so by itself
  const doubtUntil = peer.hearsUs ? Number.NEGATIVE_INFINITY : state.doubtUntil;
  const next = { ...state, doubtUntil, peers };
  const isNew = hasWords || isNews(known, peer) || claimsDiffer(known.claims, peer.claims);
  const [concluded, effects] = isNew ? conclude(state, next, now) : [next, []];
  if (!peer.hearsUs || heartbeat.taken.length === 0) return [concluded, effects];
  return [concluded, [...effects, { do: 'PublishTaken', addresses: heartbeat.taken }]];
}

/** Takes in what a third says of others. @returns whether that is news */
function believe(peers: Map<string, Peer>, words: readonly RelayedPeer[], now: number): boolean {
  if (words.length === 0) return false;
  const byId = new Map([...peers.values()].map((peer) => [peer.nodeId, peer]));
  let hasNews = false;
  for (const word of words) {
    const known = byId.get(word.nodeId);
    const peer = known && afterWordOf(known, word, now);
    if (!peer || peer === known) continue;
    peers.set(peer.node, peer);
    hasNews = isNews(known, peer) || hasNews;
  }
  return hasNews;
}

function aged(state: Membership, now: number): Membership {
  const lateness = Math.max(0, now - nextWakeup(state));
  // Doubt halves with every tick, and never delays a detection by more than another detection time.
  const stretchMs = Math.min(detectionMs(state), Math.max(Math.floor(lateness), Math.floor(state.stretchMs / 2)));
  const stretched = { ...state, stretchMs };
  const judged = { ...stretched, doubtUntil: doubtUntil(stretched, now) };
  const { intervalMs } = state.config;
  const peers = new Map<string, Peer>();
  for (const peer of state.peers.values())
    peers.set(peer.node, afterSilence(peer, deadlinesOf(judged, peer), intervalMs, now));
  return { ...judged, peers };
}

/** With no living peer heard in time, all of them are judged together, when the last one's detection time ends. */
function doubtUntil(state: Membership, now: number): number {
  const alive = alivePeers(state);
  const someoneIsHeard = alive.some((peer) => !isOverdue(peer, state.config.intervalMs, now));
  if (someoneIsHeard || alive.length < 2) return Number.NEGATIVE_INFINITY;
  return lastProofEndsAt(state, alive);
}

/** Draws all consequences of a change in one place, so that no event forgets one. */
function conclude(before: Membership, changed: Membership, now: number): Step {
  const started = withStart(changed, now);
  const judged = withIsolation(before, started, now);
  const settled = { ...judged, available: availableOf(judged) };
  const effects: MembershipEffect[] = [];
  const announceAgain = hasReturned(before, settled);
  effects.push(...claimsNews(before, settled));
  const isSticky = agreesOnSticky(settled);
  if (announceAgain || isSticky !== agreesOnSticky(before) || !sameNodes(before.available, settled.available))
    effects.push({ do: 'PublishAvailable', nodes: settled.available, announceAgain, isSticky });
  if (hasNews(before, settled)) effects.push({ do: 'ReportPeers' });
  const [sent, heartbeat] = withSending(before, settled, now);
  if (heartbeat) effects.push({ do: 'SendHeartbeat', heartbeat });
  const [left, leaveEffects] = withLeave(sent, now);
  return [left, [...effects, ...leaveEffects]];
}

/**
 * A starting speaker owns nothing until it knows who else is there: it would seize what others answer for. One whose own timers
 * run late does not know it by then.
 */
function withStart(state: Membership, now: number): Membership {
  if (state.hasStarted || state.startEndsAt === Number.POSITIVE_INFINITY) return state;
  const knowsAll = [...state.peers.values()].every(isAlive) && (state.peers.size === 0 || !isSlow(state));
  if (now < state.startEndsAt && !knowsAll) return state;
  if (now < state.startEndsAt + CLAIMS_WAIT_MS && !knowsAllClaims(state)) return state;
  const peers = new Map(state.peers);
  for (const peer of state.peers.values())
    if (peer.health === 'Unknown') peers.set(peer.node, { ...peer, health: 'Dead' });
  return { ...state, peers, hasStarted: true };
}

/**
 * Whether this node is the one that is cut off: the last of its peers vanished, two or more at the same moment.
 * A single peer that vanishes is taken over: in a cluster of two nobody else can.
 */
function withIsolation(before: Membership, state: Membership, now: number): Membership {
  if (alivePeers(state).length > 0) return { ...state, isolation: undefined };
  if (state.isolation) {
    const isOver = now >= state.isolation.since + state.config.isolationHoldMs;
    return { ...state, isolation: { ...state.isolation, isOver } };
  }
  const justLostTheLast = alivePeers(before).length > 0;
  const isCutOff = justLostTheLast && lostAt(state, now).length >= 2;
  return isCutOff ? { ...state, isolation: { since: now, isOver: false } } : state;
}

/** Before who is available: who comes with claims ranks by them at once. */
const claimsNews = (before: Membership, after: Membership): MembershipEffect[] =>
  [...after.peers.values()].flatMap(({ node, claims }) =>
    claims?.complete && claimsDiffer(before.peers.get(node)?.claims, claims)
      ? [{ do: 'PublishClaims', node, addresses: claims.complete }]
      : [],
  );

/** A peer that hears us again in the same incarnation was not restarted but cut off, and may have answered for what is ours. */
const hasReturned = (before: Membership, after: Membership): boolean =>
  [...after.peers.values()].some((peer) => {
    const earlier = before.peers.get(peer.node);
    return isAlive(peer) && !peer.wasLost && earlier?.wasLost === true && earlier.incarnation === peer.incarnation;
  });

const sameNodes = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((node, at) => node === b[at]);

const SHOWN = ['health', 'hearsUs', 'ready', 'leaving', 'slow', 'sawUsLeave', 'algorithmVersion'] as const;
const isNews = (was: Peer, is: Peer): boolean => SHOWN.some((field) => was[field] !== is[field]);

function hasNews(before: Membership, after: Membership): boolean {
  if (before.peers.size !== after.peers.size || isIsolated(before) !== isIsolated(after)) return true;
  if (isSlow(before) !== isSlow(after)) return true;
  return [...after.peers.values()].some((peer) => {
    const was = before.peers.get(peer.node);
    return was !== peer && (!was || isNews(was, peer));
  });
}

/** The leave is over when every living peer said that it saw it, or when the time for that is up. */
function withLeave(state: Membership, now: number): Step {
  const { leave, config } = state;
  if (!leave || leave.isOver) return [state, []];
  const missing = alivePeers(state).filter((peer) => !peer.sawUsLeave && !peer.leaving);
  if (missing.length > 0 && now < leave.since + config.leaveTimeoutMs) return [state, []];
  const effect: MembershipEffect = { do: 'LeaveAcknowledged', missing: missing.map(({ node }) => node) };
  return [{ ...state, leave: { ...leave, isOver: true } }, [effect]];
}
