/**
 * Decides which content of each pool is in force: the wanted one, unless it overlaps another pool or takes away an
 * address that a Service holds; then what was in force before still is.
 */

import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { formatIp } from '../net/address.ts';
import { formatRange } from '../net/range.ts';
import { holds, type LabelledObject, type Pool, permits, poolOf } from './pool.ts';
import { specProblem, wantedEntry } from './pool-content.ts';
import { byAge } from './scope.ts';
import type { HeldAddress } from './stored-state.ts';
import type { Refusal } from './verdict.ts';

/** What decides: the pools that count, what was in force before, and what is in use. */
export interface InForceInput {
  readonly pools: readonly IpAddressPool[];
  readonly before: readonly PoolSetEntry[];
  readonly held: readonly HeldAddress[];
  readonly namespaces: readonly LabelledObject[];
}

export interface InForceDecision {
  /** By namespace, then name; remnants are marked `deleted`. */
  readonly entries: readonly PoolSetEntry[];
  /** Why the content of a pool is not in force, by `namespace/name`. */
  readonly refusals: ReadonlyMap<string, Refusal>;
}

/**
 * What of a pool counts, in the order in which it falls back: the spec, what was in force before, nothing, and, where
 * Services would lose an address by that, a remnant that gives nothing new.
 */
type Standing = 'Wanted' | 'Before' | 'Out' | 'Remnant';

/** One pool, live or gone, while it is being decided. */
interface Candidate {
  readonly key: string;
  readonly object?: IpAddressPool;
  readonly before?: Content;
  readonly wanted?: Content;
  standing: Standing;
  refusal?: Refusal;
}
interface Content {
  readonly entry: PoolSetEntry;
  readonly pool: Pool;
}

/** How many Services a message names. */
const NAMED_SERVICES = 3;

export function decideInForce({ pools, before, held, namespaces }: InForceInput): InForceDecision {
  const candidates = candidatesOf(pools, before, namespaces);
  // A change that falls back brings its old content back, which may overlap another change: so until nothing moves.
  let isSettled = false;
  while (!isSettled) {
    const hasOverlap = refuseOverlaps(candidates);
    const hasBreak = refuseBreaks(candidates, held);
    isSettled = !hasOverlap && !hasBreak;
  }
  return {
    entries: candidates.flatMap(entryOf).sort(byNamespaceAndName),
    refusals: new Map(candidates.flatMap(({ key, object, refusal }) => (object && refusal ? [[key, refusal]] : []))),
  };
}

function candidatesOf(
  pools: readonly IpAddressPool[],
  before: readonly PoolSetEntry[],
  namespaces: readonly LabelledObject[],
): Candidate[] {
  const contentOf = (entry: PoolSetEntry): Content => ({ entry, pool: poolOf(entry, namespaces) });
  const stored = new Map(before.map((entry) => [keyOfEntry(entry), contentOf(entry)]));
  const live = pools.toSorted(byAge).map((object): Candidate => {
    const entry = wantedEntry(object);
    const key = keyOfEntry(entry);
    const previous = stored.get(key);
    stored.delete(key);
    const refusal = specProblem(object);
    if (refusal)
      return { key, object, refusal, standing: standingBefore(previous), ...(previous && { before: previous }) };
    return { key, object, wanted: contentOf(entry), standing: 'Wanted', ...(previous && { before: previous }) };
  });
  const gone = [...stored].map(([key, previous]): Candidate => ({ key, before: previous, standing: 'Out' }));
  return [...live, ...gone];
}

/** Where a pool falls back to when its spec does not count; a remnant does not come back to life by that. */
const standingBefore = (before: Content | undefined): Standing => (before && !before.pool.isRemnant ? 'Before' : 'Out');

function contentOf({ standing, wanted, before }: Candidate): Content | undefined {
  if (standing === 'Wanted') return wanted;
  return standing === 'Out' ? undefined : before;
}

/** Content that was in force already goes before content that is new; among equals the older pool. */
function refuseOverlaps(candidates: readonly Candidate[]): boolean {
  let hasChanged = false;
  const live = candidates.filter(({ standing }) => standing === 'Wanted' || standing === 'Before');
  const taken: Content[] = [];
  for (const candidate of [...live.filter(isUnchanged), ...live.filter((one) => !isUnchanged(one))]) {
    const content = contentOf(candidate);
    if (!content) continue;
    const refusal = overlapRefusal(content, taken);
    if (refusal) {
      hasChanged = true;
      candidate.standing = candidate.standing === 'Wanted' ? standingBefore(candidate.before) : 'Out';
      candidate.refusal ??= refusal;
    } else taken.push(content);
  }
  return hasChanged;
}

function isUnchanged(candidate: Candidate): boolean {
  const { before } = candidate;
  return before !== undefined && !before.pool.isRemnant && contentOf(candidate)?.entry.hash === before.entry.hash;
}

function overlapRefusal({ pool }: Content, taken: readonly Content[]): Refusal | undefined {
  for (const other of taken) {
    const overlap = other.pool.addresses.overlapWith(pool.addresses);
    if (!overlap) continue;
    const [theirs, ours] = overlap;
    const message = `${formatRange(ours)} overlaps ${formatRange(theirs)} of pool ${other.pool.name}.`;
    return { reason: 'OverlapsPool', message };
  }
  return undefined;
}

/** An address that was permitted before must be permitted by some pool still. */
function refuseBreaks(candidates: readonly Candidate[], held: readonly HeldAddress[]): boolean {
  const isIn = (content: Content | undefined, one: HeldAddress): boolean =>
    content !== undefined && holds(content.pool, one.address) && permits(content.pool, one);
  const broken = new Map<Candidate, HeldAddress[]>();
  for (const one of held) {
    if (candidates.some((candidate) => isIn(contentOf(candidate), one))) continue;
    const culprit = candidates.find(({ before }) => isIn(before, one));
    if (culprit) broken.set(culprit, [...(broken.get(culprit) ?? []), one]);
  }
  for (const [culprit, services] of broken) {
    const isChange = culprit.standing === 'Wanted' && standingBefore(culprit.before) === 'Before';
    culprit.standing = isChange ? 'Before' : 'Remnant';
    culprit.refusal ??= breakRefusal(services);
  }
  return broken.size > 0;
}

function breakRefusal(broken: readonly HeldAddress[]): Refusal {
  const named = broken
    .map(({ address, service }) => `${formatIp(address)} of ${service}`)
    .sort()
    .slice(0, NAMED_SERVICES)
    .join(', ');
  const more = broken.length > NAMED_SERVICES ? ` and ${broken.length - NAMED_SERVICES} more` : '';
  return { reason: 'WouldBreakServices', message: `The change would take away ${named}${more}.` };
}

function entryOf(candidate: Candidate): readonly PoolSetEntry[] {
  const { object, standing } = candidate;
  const content = contentOf(candidate);
  if (!content) return [];
  if (!object || standing === 'Remnant') return [{ ...content.entry, deleted: true }];
  // Labels and uid are the object's: they are in force whatever becomes of the spec.
  const { deleted: _, labels: __, uid: ___, ...entry } = content.entry;
  const { labels, uid } = wantedEntry(object);
  return [{ ...entry, ...(labels && { labels }), ...(uid !== undefined && { uid }) }];
}

const keyOfEntry = ({ namespace, name }: PoolSetEntry): string => `${namespace}/${name}`;

function byNamespaceAndName(a: PoolSetEntry, b: PoolSetEntry): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
