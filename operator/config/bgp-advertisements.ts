/** BGPAdvertisements: whether each makes sense by itself, for the pools it covers, and beside the older ones. */

import type { BgpAdvertisement, BgpAdvertisementSpec } from '../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../crds/bgp-peer.ts';
import { formatRange, prefixLengthOf } from '../net/range.ts';
import { canonical } from './canonical.ts';
import { communityProblem } from './communities.ts';
import { firstSelectorProblem, matchesAny } from './label-selector.ts';
import type { Pool } from './pool.ts';
import { chosenPools, missingPools } from './pool-choice.ts';
import { type MissingRef, missingAmong, resolvedRefs, withoutBackend } from './refs.ts';
import { repetitionProblem } from './repetition.ts';
import { byAge } from './scope.ts';
import type { NodeObject } from './surroundings.ts';
import { conflicting, type ObjectRef, objectRef, type Refusal, refused, type Verdict } from './verdict.ts';

/** What advertisements are judged beside. */
export interface AdvertisementContext {
  /** In force. */
  readonly pools: readonly Pool[];
  /** Not refused. */
  readonly peers: readonly BgpPeer[];
  /** The names that Community objects define. */
  readonly communities: ReadonlySet<string>;
  readonly nodes: readonly NodeObject[];
}

/** The spec with the lengths that the definition fills in. */
type Spec = Partial<BgpAdvertisementSpec>;
const lengthOf = ({ aggregationLength = 32, aggregationLengthV6 = 128 }: Spec, family: 4 | 6): number =>
  family === 4 ? aggregationLength : aggregationLengthV6;

/** A refused advertisement counts for nobody. */
export function judgeBgpAdvertisements(
  objects: readonly BgpAdvertisement[],
  context: AdvertisementContext,
): ReadonlyMap<ObjectRef, Verdict> {
  const older = new OlderAdvertisements(context);
  const verdicts = new Map<ObjectRef, Verdict>();
  for (const object of objects.toSorted(byAge)) {
    const { spec = {} }: { readonly spec?: Spec } = object;
    const covered = coveredPools(spec, context.pools);
    const refusal = specRefusal(spec) ?? communityRefusal(spec, context.communities) ?? covered.refusal;
    const contradiction = refusal ?? older.contradictionOf(spec, covered.fitting);
    const ref = objectRef('BGPAdvertisement', object.metadata);
    if (contradiction) {
      verdicts.set(ref, refused(contradiction));
      continue;
    }
    const twin = older.twinOf(spec);
    const warning = covered.warning ?? (twin && `${twin} says the same; one of the two can go.`);
    const reason = covered.warning ? 'AggregationTooShort' : 'DuplicateAdvertisement';
    const refs = resolvedRefs(missingRefs(spec, context));
    verdicts.set(ref, withoutBackend([refs, ...(warning ? [conflicting(reason, warning)] : [])]));
    older.add(object, spec, covered.fitting);
  }
  return verdicts;
}

function specRefusal(spec: Spec): Refusal | undefined {
  const { ipAddressPools, ipAddressPoolSelectors, nodeSelectors, serviceSelectors, communities, peers } = spec;
  const selector = firstSelectorProblem(ipAddressPoolSelectors, nodeSelectors, serviceSelectors);
  if (selector !== undefined) return { reason: 'InvalidSelector', message: `In spec: ${selector}.` };
  const problem =
    repetitionProblem({
      ipAddressPools,
      ipAddressPoolSelectors,
      nodeSelectors,
      serviceSelectors,
      communities,
      peers,
    }) ?? lengthProblem(spec);
  return problem === undefined ? undefined : { reason: 'InvalidSpec', message: problem };
}

function lengthProblem(spec: Spec): string | undefined {
  const [v4, v6] = [lengthOf(spec, 4), lengthOf(spec, 6)];
  if (v4 < 1 || v4 > 32) return `spec.aggregationLength is ${v4}: it must be 1 to 32.`;
  if (v6 < 1 || v6 > 128) return `spec.aggregationLengthV6 is ${v6}: it must be 1 to 128.`;
  if (!spec.serviceSelectors?.length || (v4 === 32 && v6 === 128)) return undefined;
  // A prefix of several addresses cannot be advertised for some of their Services.
  return 'spec.serviceSelectors need aggregationLength 32 and aggregationLengthV6 128.';
}

/** What has a colon and is no alias was meant as a value, so no Community object will mend it. */
function communityRefusal({ communities = [] }: Spec, known: ReadonlySet<string>): Refusal | undefined {
  for (const text of communities) {
    const problem = text.includes(':') && !known.has(text) ? communityProblem(text) : undefined;
    if (problem !== undefined) return { reason: 'InvalidSpec', message: `"${text}" in spec.communities ${problem}.` };
  }
  return undefined;
}

function missingRefs(spec: Spec, { pools, peers, communities }: AdvertisementContext): readonly MissingRef[] {
  const aliases = (spec.communities ?? []).filter((text) => !text.includes(':'));
  return [
    ...missingPools(spec, pools),
    ...missingAmong(spec.peers, (wanted) => peers.some(({ metadata }) => metadata.name === wanted), {
      reason: 'PeerNotFound',
      what: 'peer',
    }),
    ...missingAmong(aliases, (name) => communities.has(name), { reason: 'CommunityNotFound', what: 'community' }),
  ];
}

interface CoveredPools {
  /** The pools whose addresses can be advertised so. */
  readonly fitting: readonly Pool[];
  /** Some do not fit. */
  readonly warning?: string;
  /** None fits. */
  readonly refusal?: Refusal;
}

/** A prefix must not reach beyond what the pool has: there it would draw the traffic of somebody else's addresses. */
function coveredPools(spec: Spec, pools: readonly Pool[]): CoveredPools {
  const covered = chosenPools(spec, pools).filter(({ isRemnant }) => !isRemnant);
  const problems = covered.map((pool) => aggregationProblem(spec, pool));
  const fitting = covered.filter((_, at) => problems[at] === undefined);
  const misfits = problems.filter((problem) => problem !== undefined).join(' ');
  if (misfits === '') return { fitting };
  if (fitting.length > 0) return { fitting, warning: `${misfits} It is left out, the other pools go on.` };
  return { fitting, refusal: { reason: 'AggregationTooShort', message: misfits } };
}

function aggregationProblem(spec: Spec, { name, declaredRanges }: Pool): string | undefined {
  for (const range of declaredRanges) {
    const { family } = range.first;
    const [length, shortest] = [lengthOf(spec, family), prefixLengthOf(range)];
    const field = family === 4 ? 'aggregationLength' : 'aggregationLengthV6';
    if (length < shortest)
      return `spec.${field} is ${length}, and ${formatRange(range)} of pool ${name} has no prefix shorter than /${shortest}.`;
  }
  return undefined;
}

interface Older {
  readonly name: string;
  readonly spec: Spec;
  readonly pools: readonly Pool[];
}

/** The advertisements that count already. */
class OlderAdvertisements {
  readonly #nodes: readonly NodeObject[];
  readonly #bySpec = new Map<string, string>();
  /** By LOCAL_PREF: only those of another one can contradict. */
  readonly #byLocalPref = new Map<number, Older[]>();

  constructor({ nodes }: AdvertisementContext) {
    this.#nodes = nodes;
  }

  add({ metadata }: BgpAdvertisement, spec: Spec, pools: readonly Pool[]): void {
    const name = `BGPAdvertisement ${metadata.namespace}/${metadata.name}`;
    const text = canonical(spec);
    if (!this.#bySpec.has(text)) this.#bySpec.set(text, name);
    // Which Services two selectors have in common is known only when they are announced.
    if (spec.serviceSelectors?.length) return;
    const localPref = spec.localPref ?? 0;
    const alike = this.#byLocalPref.get(localPref) ?? [];
    alike.push({ name, spec, pools });
    this.#byLocalPref.set(localPref, alike);
  }

  /** The name of an older one with the same spec. */
  twinOf(spec: Spec): string | undefined {
    return this.#bySpec.get(canonical(spec));
  }

  /** One prefix to one peer from one node has one LOCAL_PREF (RFC 4271 5.1.5). */
  contradictionOf(spec: Spec, pools: readonly Pool[]): Refusal | undefined {
    if (spec.serviceSelectors?.length) return undefined;
    const localPref = spec.localPref ?? 0;
    for (const [theirs, others] of this.#byLocalPref) {
      if (theirs === localPref) continue;
      const other = others.find((older) => this.#sharesRoute(spec, pools, older));
      if (other)
        return {
          reason: 'ContradictsAdvertisement',
          message: `spec.localPref is ${localPref}, and the older ${other.name} gives ${theirs} to the same prefixes for the same peers.`,
        };
    }
    return undefined;
  }

  #sharesRoute(spec: Spec, pools: readonly Pool[], older: Older): boolean {
    return (
      sharesPeer(spec.peers, older.spec.peers) &&
      pools.some((pool) => older.pools.includes(pool) && sharesPrefix(pool, spec, older.spec)) &&
      this.#shareNode(spec, older.spec)
    );
  }

  /** Where no node is known they are assumed to share one. */
  #shareNode(a: Spec, b: Spec): boolean {
    const isBoth = ({ metadata: { labels } }: NodeObject): boolean =>
      matchesAny(a.nodeSelectors, labels) && matchesAny(b.nodeSelectors, labels);
    return this.#nodes.length === 0 || this.#nodes.some(isBoth);
  }
}

const sharesPeer = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === 0 || b.length === 0 || a.some((peer) => b.includes(peer));

const sharesPrefix = ({ addresses }: Pool, a: Spec, b: Spec): boolean =>
  ([4, 6] as const).some((family) => addresses.hasFamily(family) && lengthOf(a, family) === lengthOf(b, family));
