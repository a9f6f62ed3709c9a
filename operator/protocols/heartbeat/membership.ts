/** Which speakers are alive, as one of them sees it: a state machine without sockets and clocks. README.md draws it. */

import { claimsDiffer } from './claims.ts';
import {
  connected,
  isListed,
  knowsAll as knowsAllRegisters,
  meshOf,
  neighboursOf,
  withEntries,
  withOwn,
} from './dissemination.ts';
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
  mayOwn,
  nextWakeup,
} from './membership-state.ts';
import { nodeIdOf } from './node-id.ts';
import {
  afterHeartbeat,
  afterSilence,
  afterWordOf,
  type DisbeliefReason,
  disbeliefOf,
  isAlive,
  isHeard,
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

/** And for what nodes say of themselves that it does not hear; some may have no speaker. */
const REGISTERS_WAIT_MS = 2_000;
/** Until those who are not heard know that a node leaves: a few hops. */
const MESH_LEAVE_MS = 250;

const selfOf = ({ config, sequence }: Membership): Self => ({ ...config, sequence });

function withPeers(state: Membership, nodes: readonly string[], now: number): Membership {
  const others = nodes.filter((node) => node !== state.config.node);
  const mesh = meshOf(state.config.node, others, state.mesh);
  const heard = mesh ? others.filter((node) => isFormer(state.peers.get(node))) : [];
  const near = mesh ? [...neighboursOf(mesh), ...heard] : others;
  const peers = new Map(near.map((node) => [node, state.peers.get(node) ?? stranger(node, state.hasStarted)]));
  const startEndsAt = Math.min(state.startEndsAt, now + detectionMs(state) + state.config.startMarginMs);
  return { ...state, peers, names: namesOf(peers), mesh, startEndsAt };
}

const namesOf = (peers: Membership['peers']): Membership['names'] =>
  new Map([...peers.values()].map(({ nodeId, node }) => [nodeId, node]));

/** One of a version that sends to everybody and expects everybody to send to it. */
const isFormer = (peer: Peer | undefined): boolean => peer !== undefined && isHeard(peer) && !peer.readsExtensions;

function onHeartbeat(state: Membership, heartbeat: Heartbeat, now: number): Step {
  const known = state.peers.get(heartbeat.node) ?? newcomer(state, heartbeat);
  const reason = known ? disbeliefOf(known, heartbeat, selfOf(state)) : strangenessOf(state, heartbeat);
  if (!known || reason) return [state, reason ? [{ do: 'CountDrop', reason }] : []];
  const peer = afterHeartbeat(known, heartbeat, selfOf(state), now);
  const isNew = isNews(known, peer) || claimsDiffer(known.claims, peer.claims);
  const peers = new Map(state.peers).set(peer.node, peer);
  const next = { ...state, peers, ...(peers.size > state.peers.size && { names: namesOf(peers) }) };
  // Who does not hear us proves nothing: a recording of what it said to an earlier incarnation of ours would.
  if (!peer.hearsUs) return isNew ? conclude(state, next, now) : [next, []];
  return onWords(state, next, heartbeat, { now, isNew });
}

/** What one says of others that hears us. */
function onWords(
  before: Membership,
  heard: Membership,
  heartbeat: Heartbeat,
  { now, isNew }: { readonly now: number; readonly isNew: boolean },
): Step {
  const [peers, hasWords] = believe(heard, wordsOf(heartbeat), now);
  const mesh = heard.mesh && withEntries(heard.mesh, heartbeat.registers ?? []);
  // somebody hears us: who is silent is so by itself
  const next = { ...heard, peers, mesh, doubtUntil: Number.NEGATIVE_INFINITY };
  const [concluded, effects] = isNew || hasWords ? conclude(before, next, now) : [next, []];
  if (heartbeat.taken.length === 0) return [concluded, effects];
  return [concluded, [...effects, { do: 'PublishTaken', addresses: heartbeat.taken }]];
}

const strangenessOf = ({ config }: Membership, { node }: Heartbeat): DisbeliefReason =>
  node === config.node ? 'OwnHeartbeat' : 'UnknownPeer';

/** Beyond the neighbours only those are listened to that know no neighbours. */
const newcomer = ({ mesh, hasStarted }: Membership, { node, readsExtensions }: Heartbeat): Peer | undefined =>
  mesh && !readsExtensions && isListed(mesh, node) && node !== mesh.nodes[mesh.self]
    ? stranger(node, hasStarted)
    : undefined;

/** What follows from the words of a third, and whether that is news. The peers are copied only for words that prove more than was known. */
function believe(
  state: Membership,
  words: readonly RelayedPeer[],
  now: number,
): readonly [Membership['peers'], boolean] {
  const changed: Peer[] = [];
  for (const word of words) {
    const known = state.peers.get(state.names.get(word.nodeId) ?? '');
    const peer = known && afterWordOf(known, word, now);
    if (peer && peer !== known) changed.push(peer);
  }
  if (changed.length === 0) return [state.peers, false];
  const hasNews = changed.some((peer) => isNews(state.peers.get(peer.node) ?? peer, peer));
  return [new Map([...state.peers, ...changed.map((peer) => [peer.node, peer] as const)]), hasNews];
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
  const told = withMesh(judged);
  const settled = { ...told, available: availableOf(told) };
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
  if (state.hasStarted || isListening(state, now)) return state;
  const peers = new Map(state.peers);
  for (const peer of state.peers.values())
    if (peer.health === 'Unknown') peers.set(peer.node, { ...peer, health: 'Dead' });
  return { ...state, peers, hasStarted: true };
}

/** Whether it has yet to hear who is there, what they claim, and what those say of themselves that it does not hear. */
function isListening(state: Membership, now: number): boolean {
  const { startEndsAt, mesh, peers } = state;
  if (startEndsAt === Number.POSITIVE_INFINITY) return true;
  // who lives by the words of thirds alone may be dead, and was heard by them longer ago than we count
  const isThere = (peer: Peer): boolean => isAlive(peer) && isHeard(peer);
  const hearsAll = [...peers.values()].every(isThere) && (peers.size === 0 || !isSlow(state));
  if (!hearsAll && now < startEndsAt) return true;
  if (!knowsAllClaims(state) && now < startEndsAt + CLAIMS_WAIT_MS) return true;
  return mesh !== undefined && !knowsAllRegisters(mesh) && now < startEndsAt + REGISTERS_WAIT_MS;
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

/** In a mesh: says whom of its neighbours this node has lost, and looks who is connected, if any register has changed. */
function withMesh(state: Membership): Membership {
  if (!state.mesh) return state.connectedBy ? { ...state, connected: [], connectedBy: undefined } : state;
  const { incarnation, algorithmVersion } = state.config;
  const lost = neighboursOf(state.mesh).filter((node) => !isAlive(state.peers.get(node) ?? stranger(node, true)));
  const own = { incarnation, ready: mayOwn(state), leaving: state.leave !== undefined, algorithmVersion };
  const mesh = withOwn(state.mesh, { ...own, lost: lost.map(nodeIdOf).toSorted((a, b) => a - b) });
  if (mesh.registers === state.connectedBy) return { ...state, mesh };
  return { ...state, mesh, connected: connected(mesh), connectedBy: mesh.registers };
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
  const isTelling = missing.length > 0 && now < leave.since + config.leaveTimeoutMs;
  if (isTelling || (state.mesh && now < leave.since + MESH_LEAVE_MS)) return [state, []];
  const effect: MembershipEffect = { do: 'LeaveAcknowledged', missing: missing.map(({ node }) => node) };
  return [{ ...state, leave: { ...leave, isOver: true } }, [effect]];
}
