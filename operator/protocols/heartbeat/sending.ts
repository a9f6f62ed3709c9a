/** When a speaker sends, and what its heartbeat says. */

import { pageFor } from './claims.ts';
import { entriesOf } from './dissemination.ts';
import { MAX_TAKEN } from './extension.ts';
import type { Heartbeat } from './heartbeat.ts';
import { isSlow, type Membership, mayOwn, newsAt, type TakenAddress } from './membership-state.ts';
import { isHeard, receiptFor, wordOf } from './peer.ts';

/** Each taken address is said in so many heartbeats, for one may get lost. */
const SAY_TAKEN = 3;
/** Nobody waits longer for its being said. */
const TAKEN_FOR_MS = 1_000;

/** What this node begins to answer for is said from now on. */
export function withTaken(state: Membership, addresses: readonly number[], now: number): Membership {
  const until = now + TAKEN_FOR_MS;
  const added = addresses.map((id): TakenAddress => ({ id, timesLeft: SAY_TAKEN, until }));
  return { ...state, taken: [...state.taken, ...added] };
}

/** One heartbeat per interval, and one at once when a peer should not wait for what it says. */
export function withSending(
  before: Membership,
  state: Membership,
  now: number,
): readonly [Membership, Heartbeat | undefined] {
  const isDue = now >= state.nextSendAt;
  if (!isDue && now < newsAt(state) && !isUrgent(before, state)) return [state, undefined];
  const [mesh, registers] = state.mesh ? entriesOf(state.mesh) : [];
  const heartbeat = { ...heartbeatOf(state), ...(registers && { registers }) };
  // After a stall the missed heartbeats are not sent in a burst; an urgent one does not move the rhythm.
  const inRhythm = state.nextSendAt + state.config.intervalMs;
  const nextSendAt = isDue ? (inRhythm > now ? inRhythm : now + state.config.intervalMs) : state.nextSendAt;
  const taken = saidOnce(state.taken, now);
  return [{ ...state, sequence: state.sequence + 1, nextSendAt, lastSentAt: now, taken, mesh }, heartbeat];
}

function isUrgent(before: Membership, after: Membership): boolean {
  if ((before.leave === undefined) !== (after.leave === undefined)) return true;
  if (mayOwn(before) !== mayOwn(after)) return true;
  // more than that follows in the rhythm: an owner that hands over waits a second
  if (before.taken.length === 0 && after.taken.length > 0) return true;
  return [...after.peers.values()].some((peer) => peer.leaving && !before.peers.get(peer.node)?.leaving);
}

function heartbeatOf(state: Membership): Heartbeat {
  const { node, incarnation, algorithmVersion } = state.config;
  const peers = [...state.peers.values()];
  return {
    node,
    incarnation,
    sequence: state.sequence,
    algorithmVersion,
    intervalMs: promisedIntervalMs(state),
    ready: mayOwn(state),
    leaving: state.leave !== undefined,
    slow: isSlow(state),
    readsExtensions: true,
    heard: peers.filter(isHeard).map(receiptFor),
    relayed: peers.flatMap((peer) => wordOf(peer) ?? []),
    taken: state.taken.slice(0, MAX_TAKEN).map(({ id }) => id),
    ...(state.config.isSticky && !state.mesh && { claims: pageFor(state.claims, state.sequence) }),
  };
}

/** A slow speaker promises less: half an interval more at most, so that who dies while it is slow is not missed for long. */
function promisedIntervalMs(state: Membership): number {
  const { intervalMs } = state.config;
  return isSlow(state) ? Math.round(intervalMs * 1.5) : intervalMs;
}

/** What was said goes behind what was not, until it was said often enough. */
function saidOnce(taken: readonly TakenAddress[], now: number): readonly TakenAddress[] {
  if (taken.length === 0) return taken;
  const said = taken.slice(0, MAX_TAKEN).map((each) => ({ ...each, timesLeft: each.timesLeft - 1 }));
  return [...taken.slice(MAX_TAKEN), ...said].filter(({ timesLeft, until }) => timesLeft > 0 && now < until);
}
