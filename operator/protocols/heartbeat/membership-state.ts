/** What one speaker knows of all others, and what follows from it at any moment. */

import type { OwnClaims } from './claims.ts';
import { hasNewRegisters, type Mesh, type Register } from './dissemination.ts';
import { canOwn, type Deadlines, isAlive, isHeard, type Peer } from './peer.ts';

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
  /** A returning node ranks behind the present owner, where every living speaker is set to that. */
  readonly isSticky?: boolean;
}

/** What comes within that time is handed on together. */
const HAND_ON_MS = 10;

export interface Membership {
  readonly config: MembershipConfig;
  readonly peers: ReadonlyMap<string, Peer>;
  /** Of the peers, by `nodeIdOf`. */
  readonly names: ReadonlyMap<number, string>;
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
  readonly lastSentAt: number;
  /** Added to every detection time while our own timers run late, so that our own stall looks like nobody's death. */
  readonly stretchMs: number;
  /** Nobody is buried before: while no peer at all is heard in time, the fault may be ours. */
  readonly doubtUntil: number;
  /** What this node has begun to answer for, until it was said often enough. */
  readonly taken: readonly TakenAddress[];
  /** What this node goes on answering for although another is first by the order. */
  readonly claims: OwnClaims;
  /** Undefined where everybody hears everybody. */
  readonly mesh: Mesh | undefined;
  /** Of a mesh: those who are connected with this node. */
  readonly connected: readonly Register[];
  /** The registers that `connected` was computed from. */
  readonly connectedBy: Mesh['registers'] | undefined;
  /** Sorted names of those who may own addresses. */
  readonly available: readonly string[];
}

/** An address of which the next heartbeats say that this node answers for it. */
export interface TakenAddress {
  /** `addressIdOf` the address. */
  readonly id: number;
  readonly timesLeft: number;
  readonly until: number;
}

/** The state of a speaker that has heard of nobody yet. */
export function initialMembership(config: MembershipConfig, now: number): Membership {
  return {
    config,
    peers: new Map(),
    names: new Map(),
    sequence: 1,
    startEndsAt: Number.POSITIVE_INFINITY,
    hasStarted: false,
    isReady: false,
    leave: undefined,
    isolation: undefined,
    nextSendAt: now,
    lastSentAt: Number.NEGATIVE_INFINITY,
    stretchMs: 0,
    doubtUntil: Number.NEGATIVE_INFINITY,
    taken: [],
    claims: { revision: 0, addresses: [] },
    mesh: undefined,
    connected: [],
    connectedBy: undefined,
    available: [],
  };
}

/** The next moment at which something is to be done without any input. */
export function nextWakeup(state: Membership): number {
  let wakeup = Math.min(state.nextSendAt, newsAt(state));
  for (const peer of state.peers.values()) wakeup = Math.min(wakeup, nextDeadline(state, peer));
  return wakeup;
}

/** When a new register is handed on; Infinity when there is none. */
export const newsAt = ({ mesh, lastSentAt }: Membership): number =>
  mesh && hasNewRegisters(mesh) ? Math.max(lastSentAt + HAND_ON_MS, 0) : Number.POSITIVE_INFINITY;

/** Whether a Tick now would bury somebody: then the caller reads all waiting input first. */
export const wouldBuryAt = (state: Membership, now: number): boolean =>
  [...state.peers.values()].some((peer) => now >= nextDeadline(state, peer));

/** The version of the shared decisions that all living speakers can compute. */
export const agreedAlgorithmVersion = (state: Membership): number =>
  Math.min(
    state.config.algorithmVersion,
    ...alivePeers(state).map((peer) => peer.algorithmVersion),
    ...state.connected.map(({ algorithmVersion }) => algorithmVersion),
  );

/** Whether ownership is sticky: by the setting of all living speakers, because two rules would give an address two owners. Claims reach neighbours alone: not in a mesh. */
export const agreesOnSticky = (state: Membership): boolean =>
  state.config.isSticky === true && !state.mesh && alivePeers(state).every(({ claims }) => claims !== undefined);

/** Whether the claims of every living peer are known, as far as there are any. */
export const knowsAllClaims = (state: Membership): boolean =>
  !agreesOnSticky(state) || alivePeers(state).every(({ claims }) => claims?.isUpToDate === true);

/** Whether this node takes nothing over because it seems to be the one that is cut off. */
export const isIsolated = ({ isolation }: Membership): boolean => isolation !== undefined && !isolation.isOver;

/** Whether our own timers run so late that others could take us for dead: a late half interval, of three. */
export const isSlow = ({ config, stretchMs }: Pick<Membership, 'config' | 'stretchMs'>): boolean =>
  stretchMs >= config.intervalMs / 2;

export const alivePeers = (state: Membership): Peer[] => [...state.peers.values()].filter(isAlive);
export const detectionMs = ({ config }: Membership): number => config.missed * config.intervalMs;
/** Whether this node may own addresses, which is what the flag `ready` of its heartbeats says. */
export const mayOwn = (state: Membership): boolean => state.isReady && state.hasStarted;

/** When its detection times end: the slower of both intervals counts, as for BFD (RFC 5880 6.8.4), plus our own lateness. */
export function deadlinesOf(state: Membership, peer: Peer): Deadlines {
  const hearing = peer.lastHeardAt + detectionOf(state, peer);
  return {
    hearing: Math.max(hearing, state.doubtUntil),
    proof: Math.max(proofEndsAt(state, peer), state.doubtUntil),
  };
}

/** With no living peer heard in time, all of them are judged together, when the last one's detection time ends. */
export function lastProofEndsAt(state: Membership, alive: readonly Peer[]): number {
  return Math.max(...alive.map((peer) => proofEndsAt(state, peer)));
}

/** What thirds tell comes in steps of an interval: one lost or late heartbeat of theirs must not cost two of the peer's. */
const proofEndsAt = (state: Membership, peer: Peer): number =>
  peer.provedAt + detectionOf(state, peer) + (peer.restsOnWords ? state.config.intervalMs : 0);

const detectionOf = ({ config, stretchMs }: Membership, peer: Peer): number =>
  config.missed * Math.max(config.intervalMs, peer.intervalMs) + stretchMs;

/** Infinity for one of whom nothing is expected. */
function nextDeadline(state: Membership, peer: Peer): number {
  const { hearing, proof } = deadlinesOf(state, peer);
  return Math.min(isHeard(peer) ? hearing : Number.POSITIVE_INFINITY, isAlive(peer) ? proof : Number.POSITIVE_INFINITY);
}

/** Who was lost at that very moment: peers that fall silent together are judged together (`doubtUntil`). */
export const lostAt = (state: Membership, time: number): Peer[] =>
  [...state.peers.values()].filter((peer) => peer.lostAt === time);

export function availableOf(state: Membership): readonly string[] {
  const owners = [...state.peers.values()].filter(canOwn);
  // Cut off: those lost with the link go on owning what is theirs, and we keep what is ours.
  if (state.isolation && !state.isolation.isOver) owners.push(...lostAt(state, state.isolation.since));
  const names = new Set(owners.map(({ node }) => node));
  // In a mesh a neighbour that we have lost lives for us, too, while others have not.
  for (const { node, ready, leaving } of state.connected) if (ready && !leaving) names.add(node);
  if (mayOwn(state)) names.add(state.config.node);
  return [...names].toSorted();
}
