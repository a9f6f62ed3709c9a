/**
 * Decides which content of each pool is in force: the wanted one, unless it overlaps another pool or takes away an
 * address that a Service holds; then what was in force before still is.
 */

import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { formatRange } from '../net/range.ts';
import {
  allowsDisruption,
  type BreakingChanges,
  breakRefusal,
  type Holder,
  holdersOf,
  keptBy,
  type Loss,
  withKeptNamespaces,
} from './breaks.ts';
import { type LabelledObject, type Pool, poolOf } from './pool.ts';
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
  /** `refuse` when missing. */
  readonly breakingChanges?: BreakingChanges | undefined;
  /** Why the cluster does not allow what a pool asks for, or undefined. */
  readonly clusterRefusal: (pool: IpAddressPool) => Refusal | undefined;
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

export function decideInForce(input: InForceInput): InForceDecision {
  const holders = holdersOf(input.held);
  const candidates = candidatesOf(input, holders);
  // A change that falls back brings its old content back, which may overlap another change: so until nothing moves.
  let isSettled = false;
  while (!isSettled) {
    const hasOverlap = refuseOverlaps(candidates);
    const hasBreak = refuseBreaks(candidates, holders, input.breakingChanges ?? 'refuse');
    isSettled = !hasOverlap && !hasBreak;
  }
  return {
    entries: candidates.flatMap(entryOf).sort(byNamespaceAndName),
    refusals: new Map(candidates.flatMap(({ key, object, refusal }) => (object && refusal ? [[key, refusal]] : []))),
  };
}

function candidatesOf(
  { pools, before, namespaces, clusterRefusal }: InForceInput,
  holders: readonly Holder[],
): Candidate[] {
  const contentOf = (entry: PoolSetEntry): Content => ({ entry, pool: poolOf(entry, namespaces) });
  const stored = new Map(
    before.map((entry) => [keyOfEntry(entry), contentOf(withKeptNamespaces(entry, holders, namespaces))]),
  );
  const live = pools.toSorted(byAge).map((object): Candidate => {
    const entry = wantedEntry(object);
    const key = keyOfEntry(entry);
    const previous = stored.get(key);
    stored.delete(key);
    const refusal = specProblem(object) ?? clusterRefusal(object);
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

/** What a Service could keep by what was in force before, it must be able to keep still. */
function refuseBreaks(
  candidates: readonly Candidate[],
  holders: readonly Holder[],
  breakingChanges: BreakingChanges,
): boolean {
  if (breakingChanges === 'reassign') return false;
  const broken = new Map<Candidate, Loss[]>();
  for (const holder of holders) {
    const found = lossOf(holder, candidates);
    if (!found || isAllowed(found.culprit)) continue;
    const { culprit, addresses } = found;
    broken.set(culprit, [...(broken.get(culprit) ?? []), { service: holder.service, addresses }]);
  }
  for (const [culprit, losses] of broken) {
    const isChange = culprit.standing === 'Wanted' && standingBefore(culprit.before) === 'Before';
    culprit.standing = isChange ? 'Before' : 'Remnant';
    culprit.refusal ??= breakRefusal(losses, culprit.object, namespacesLost(culprit));
  }
  return broken.size > 0;
}

/** What the Service would lose, and by whose change; undefined when it loses nothing. */
function lossOf(
  holder: Holder,
  candidates: readonly Candidate[],
): { readonly culprit: Candidate; readonly addresses: Loss['addresses'] } | undefined {
  const keptNow = (candidate: Candidate): Loss['addresses'] => keptBy(contentOf(candidate)?.pool, holder);
  if (candidates.some((candidate) => keptNow(candidate).length === holder.addresses.length)) return undefined;
  const best = (of: (candidate: Candidate) => Loss['addresses']): Candidate | undefined =>
    candidates.reduce<Candidate | undefined>(
      (found, one) => (of(one).length > (found ? of(found).length : 0) ? one : found),
      undefined,
    );
  const culprit = best(({ before }) => keptBy(before?.pool, holder));
  if (!culprit) return undefined;
  const had = keptBy(culprit.before?.pool, holder);
  const keeper = best(keptNow);
  const left = keeper ? keptNow(keeper) : [];
  return left.length < had.length ? { culprit, addresses: had.filter((one) => !left.includes(one)) } : undefined;
}

/** Only a spec that would be in force can be allowed: what falls back for another reason takes nothing away. */
const isAllowed = ({ object, standing }: Candidate): boolean =>
  object !== undefined && standing === 'Wanted' && allowsDisruption(object);

/** The namespaces that a pool's selectors chose before, where its spec is the same. */
function namespacesLost({ before, wanted }: Candidate): readonly string[] {
  return before && wanted?.entry.hash === before.entry.hash ? (before.entry.keptNamespaces ?? []) : [];
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
