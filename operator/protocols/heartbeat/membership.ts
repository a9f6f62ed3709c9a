/** Which speakers are alive, as one of them sees it: a state machine without sockets and clocks. README.md draws it. */

import type { Heartbeat } from './heartbeat.ts';
import {
  afterHeartbeat,
  afterSilence,
  canOwn,
  type DisbeliefReason,
  disbeliefOf,
  isAlive,
  isHeard,
  isOverdue,
  type Peer,
  receiptFor,
  type Self,
  stranger,
} from './peer.ts';

/** Fixed for the life of a speaker. All times are milliseconds. */
export interface MembershipConfig {
  readonly node: string;
  readonly incarnation: number;
  readonly algorithmVersion: number;
  readonly intervalMs: number;
  /** So many intervals without a heartbeat are a dead peer. */
  readonly missed: number;
  /** On top of a detection time, how long a starting speaker listens before it may own anything, unless all peers are alive sooner. */
  readonly startMarginMs: number;
  /** How long a node that lost two or more peers at once believes that it is itself cut off, and takes nothing over. */
  readonly isolationHoldMs: number;
  /** How long a leaving node waits for its peers' receipts. */
  readonly leaveTimeoutMs: number;
}

export interface Membership {
  readonly config: MembershipConfig;
  readonly peers: ReadonlyMap<string, Peer>;
  /** Of our next heartbeat. */
  readonly sequence: number;
  /** Monotonic; when this node may own addresses at the latest. Infinity until the peers are known. */
  readonly startEndsAt: number;
  readonly hasStarted: boolean;
  /** Set by the process: the desired state is loaded and packets are answered. */
  readonly isReady: boolean;
  readonly leave: { readonly since: number; readonly isOver: boolean } | undefined;
  /** `isOver` once the hold was waited out and everything is taken over; undefined while a peer lives. */
  readonly isolation: { readonly since: number; readonly isOver: boolean } | undefined;
  readonly nextSendAt: number;
  /** Added to every detection time while our own timers run late, so that our own stall looks like nobody's death. */
  readonly stretchMs: number;
  /** Nobody is buried before: while no peer at all is heard in time, the fault may be ours. */
  readonly doubtUntil: number;
  /** Sorted names of those who may own addresses. */
  readonly available: readonly string[];
}

/** Whatever may happen; `now` is monotonic milliseconds. */
export type MembershipEvent =
  /** The other nodes of the cluster. */
  | { readonly kind: 'Peers'; readonly now: number; readonly nodes: readonly string[] }
  /** An authentic heartbeat. */
  | { readonly kind: 'Heartbeat'; readonly now: number; readonly heartbeat: Heartbeat }
  /** The time `nextWakeup` has come, and all input that waited was read before. */
  | { readonly kind: 'Tick'; readonly now: number }
  | { readonly kind: 'Ready'; readonly now: number; readonly ready: boolean }
  | { readonly kind: 'Leave'; readonly now: number };

export type MembershipEffect =
  /** To every peer, alive or not. */
  | { readonly do: 'SendHeartbeat'; readonly heartbeat: Heartbeat }
  | { readonly do: 'PublishAvailable'; readonly nodes: readonly string[]; readonly announceAgain: boolean }
  | { readonly do: 'ReportPeers' }
  | { readonly do: 'LeaveAcknowledged'; readonly missing: readonly string[] }
  | { readonly do: 'CountDrop'; readonly reason: DisbeliefReason };

export type Step = readonly [next: Membership, effects: readonly MembershipEffect[]];

/** The state of a speaker that has heard of nobody yet. */
export function initialMembership(config: MembershipConfig, now: number): Membership {
  return {
    config,
    peers: new Map(),
    sequence: 1,
    startEndsAt: Number.POSITIVE_INFINITY,
    hasStarted: false,
    isReady: false,
    leave: undefined,
    isolation: undefined,
    nextSendAt: now,
    stretchMs: 0,
    doubtUntil: Number.NEGATIVE_INFINITY,
    available: [],
  };
}

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
    case 'Leave':
      return conclude(state, { ...state, leave: state.leave ?? { since: event.now, isOver: false } }, event.now);
  }
}

/** When the next Tick is due: a heartbeat to send or a peer to bury. Everything else waits for the next heartbeat. */
export function nextWakeup(state: Membership): number {
  let wakeup = state.nextSendAt;
  for (const peer of state.peers.values()) if (isHeard(peer)) wakeup = Math.min(wakeup, deadlineOf(state, peer));
  return wakeup;
}

/** Whether a Tick now would bury somebody: then the caller reads all waiting input first. */
export const wouldBuryAt = (state: Membership, now: number): boolean =>
  [...state.peers.values()].some((peer) => isHeard(peer) && now >= deadlineOf(state, peer));

/** The version of the shared decisions that all living speakers can compute. */
export const agreedAlgorithmVersion = (state: Membership): number =>
  Math.min(state.config.algorithmVersion, ...alivePeers(state).map((peer) => peer.algorithmVersion));

/** Whether this node takes nothing over because it seems to be the one that is cut off. */
export const isIsolated = ({ isolation }: Membership): boolean => isolation !== undefined && !isolation.isOver;

/** End of the detection time of `peer`: the slower of both intervals counts, as for BFD (RFC 5880 6.8.4), plus our own lateness. */
const silenceEndsAt = ({ config, stretchMs }: Membership, peer: Peer): number =>
  (isAlive(peer) ? peer.lastReceiptAt : peer.lastHeardAt) +
  config.missed * Math.max(config.intervalMs, peer.intervalMs) +
  stretchMs;

const deadlineOf = (state: Membership, peer: Peer): number => Math.max(silenceEndsAt(state, peer), state.doubtUntil);

const alivePeers = (state: Membership): Peer[] => [...state.peers.values()].filter(isAlive);
const detectionMs = ({ config }: Membership): number => config.missed * config.intervalMs;
const selfOf = ({ config, sequence }: Membership): Self => ({ ...config, sequence });
/** Whether this node may own addresses, which is what the flag `ready` of its heartbeats says. */
const mayOwn = (state: Membership): boolean => state.isReady && state.hasStarted;

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
  // somebody hears us: who is silent is so by itself
  const doubtUntil = peer.hearsUs ? Number.NEGATIVE_INFINITY : state.doubtUntil;
  const next = { ...state, doubtUntil, peers: new Map(state.peers).set(peer.node, peer) };
  return isNews(known, peer) ? conclude(state, next, now) : [next, []];
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
    peers.set(peer.node, afterSilence(peer, deadlineOf(judged, peer), intervalMs, now));
  return { ...judged, peers };
}

/** With no living peer heard in time, all of them are judged together, when the last one's detection time ends. */
function doubtUntil(state: Membership, now: number): number {
  const alive = alivePeers(state);
  const someoneIsHeard = alive.some((peer) => !isOverdue(peer, state.config.intervalMs, now));
  if (someoneIsHeard || alive.length < 2) return Number.NEGATIVE_INFINITY;
  return Math.max(...alive.map((peer) => silenceEndsAt(state, peer)));
}

/** Draws all consequences of a change in one place, so that no event forgets one. */
function conclude(before: Membership, changed: Membership, now: number): Step {
  const started = withStart(changed, now);
  const judged = withIsolation(before, started, now);
  const settled = { ...judged, available: availableOf(judged) };
  const effects: MembershipEffect[] = [];
  const announceAgain = hasReturned(before, settled);
  if (announceAgain || !sameNodes(before.available, settled.available))
    effects.push({ do: 'PublishAvailable', nodes: settled.available, announceAgain });
  if (hasNews(before, settled)) effects.push({ do: 'ReportPeers' });
  const [sent, sendEffects] = withSending(before, settled, now);
  const [left, leaveEffects] = withLeave(sent, now);
  return [left, [...effects, ...sendEffects, ...leaveEffects]];
}

/** A starting speaker owns nothing until it knows who else is there: it would seize what others answer for. */
function withStart(state: Membership, now: number): Membership {
  if (state.hasStarted || state.startEndsAt === Number.POSITIVE_INFINITY) return state;
  if (now < state.startEndsAt && ![...state.peers.values()].every(isAlive)) return state;
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

/** Who was lost at that very moment: peers that fall silent together are judged together (`doubtUntil`). */
const lostAt = (state: Membership, time: number): Peer[] =>
  [...state.peers.values()].filter((peer) => peer.lostAt === time);

function availableOf(state: Membership): readonly string[] {
  const owners = [...state.peers.values()].filter(canOwn);
  // Cut off: those lost with the link go on owning what is theirs, and we keep what is ours.
  if (state.isolation && !state.isolation.isOver) owners.push(...lostAt(state, state.isolation.since));
  const names = owners.map(({ node }) => node);
  if (mayOwn(state)) names.push(state.config.node);
  return names.toSorted();
}

/** A peer that hears us again in the same incarnation was not restarted but cut off, and may have answered for what is ours. */
const hasReturned = (before: Membership, after: Membership): boolean =>
  [...after.peers.values()].some((peer) => {
    const earlier = before.peers.get(peer.node);
    return isAlive(peer) && !peer.wasLost && earlier?.wasLost === true && earlier.incarnation === peer.incarnation;
  });

const sameNodes = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((node, at) => node === b[at]);

const SHOWN = ['health', 'hearsUs', 'ready', 'leaving', 'sawUsLeave', 'algorithmVersion'] as const;
const isNews = (was: Peer, is: Peer): boolean => SHOWN.some((field) => was[field] !== is[field]);

function hasNews(before: Membership, after: Membership): boolean {
  if (before.peers.size !== after.peers.size || isIsolated(before) !== isIsolated(after)) return true;
  return [...after.peers.values()].some((peer) => {
    const was = before.peers.get(peer.node);
    return was !== peer && (!was || isNews(was, peer));
  });
}

/** One heartbeat per interval, and one at once when a peer should not wait for what it says. */
function withSending(before: Membership, state: Membership, now: number): Step {
  const isDue = now >= state.nextSendAt;
  if (!isDue && !isUrgent(before, state)) return [state, []];
  const heartbeat = heartbeatOf(state);
  // After a stall the missed heartbeats are not sent in a burst; an urgent one does not move the rhythm.
  const inRhythm = state.nextSendAt + state.config.intervalMs;
  const nextSendAt = isDue ? (inRhythm > now ? inRhythm : now + state.config.intervalMs) : state.nextSendAt;
  return [{ ...state, sequence: state.sequence + 1, nextSendAt }, [{ do: 'SendHeartbeat', heartbeat }]];
}

function isUrgent(before: Membership, after: Membership): boolean {
  if ((before.leave === undefined) !== (after.leave === undefined)) return true;
  if (mayOwn(before) !== mayOwn(after)) return true;
  return [...after.peers.values()].some((peer) => peer.leaving && !before.peers.get(peer.node)?.leaving);
}

function heartbeatOf(state: Membership): Heartbeat {
  const { node, incarnation, algorithmVersion, intervalMs } = state.config;
  return {
    node,
    incarnation,
    sequence: state.sequence,
    algorithmVersion,
    intervalMs,
    ready: mayOwn(state),
    leaving: state.leave !== undefined,
    heard: [...state.peers.values()].filter(isHeard).map(receiptFor),
  };
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
