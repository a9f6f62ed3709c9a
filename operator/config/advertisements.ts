/** L2Advertisements: what is valid, what they name and does not exist, what they cover, and where one undoes another. */

import type { L2Advertisement as L2AdvertisementObject, L2AdvertisementSpec } from '../../crds/l2-advertisement.ts';
import type { LabelSelector } from '../../crds/object-meta.ts';
import { reasons } from '../../crds/reasons.ts';
import { canonical } from './canonical.ts';
import { firstSelectorProblem } from './label-selector.ts';
import type { Pool } from './pool.ts';
import { chosenPools, missingPools } from './pool-choice.ts';
import { resolvedRefs, waiting } from './refs.ts';
import { repetitionProblem } from './repetition.ts';
import { accepted, condition, conflicting, type Refusal, type Verdict, type VerdictCondition } from './verdict.ts';

/** A valid L2Advertisement; empty lists mean "all". */
export interface L2Advertisement {
  readonly namespace: string;
  readonly name: string;
  readonly pools: readonly string[];
  readonly poolSelectors: readonly LabelSelector[];
  readonly nodeSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
  readonly interfaces: readonly string[];
  readonly preferredNodeSelectors: NonNullable<L2AdvertisementSpec['preferredNodeSelectors']>;
}

/** The advertisement in typed form, or why it cannot be used. */
export function l2AdvertisementOf(object: L2AdvertisementObject): L2Advertisement | Refusal {
  const spec: L2AdvertisementSpec = object.spec ?? {};
  const refusal = specRefusal(spec);
  if (refusal) return refusal;
  return {
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    pools: spec.ipAddressPools ?? [],
    poolSelectors: spec.ipAddressPoolSelectors ?? [],
    nodeSelectors: spec.nodeSelectors ?? [],
    serviceSelectors: spec.serviceSelectors ?? [],
    interfaces: spec.interfaces ?? [],
    preferredNodeSelectors: spec.preferredNodeSelectors ?? [],
  };
}

function specRefusal(spec: L2AdvertisementSpec): Refusal | undefined {
  const { ipAddressPools, ipAddressPoolSelectors, nodeSelectors, serviceSelectors, interfaces } = spec;
  const preferences = spec.preferredNodeSelectors?.map(({ preference }) => preference);
  const problem = firstSelectorProblem(ipAddressPoolSelectors, nodeSelectors, serviceSelectors, preferences);
  if (problem !== undefined) return { reason: 'InvalidSelector', message: `In spec: ${problem}.` };
  const repetition = repetitionProblem({
    ipAddressPools,
    ipAddressPoolSelectors,
    nodeSelectors,
    serviceSelectors,
    interfaces,
    preferredNodeSelectors: preferences,
  });
  return repetition === undefined ? undefined : { reason: 'InvalidSpec', message: repetition };
}

/** What the L2Advertisements with a sound spec are told. @param sound the oldest first */
export function l2Verdicts(
  sound: readonly L2AdvertisementObject[],
  pools: readonly Pool[],
): ReadonlyMap<L2AdvertisementObject, Verdict> {
  const conflicts = new Conflicts(sound, pools);
  return new Map(sound.map((object) => [object, verdictOf(object, pools, conflicts.of(object))]));
}

function verdictOf(
  { spec = {} }: L2AdvertisementObject,
  pools: readonly Pool[],
  conflict: VerdictCondition | undefined,
): Verdict {
  const refs = resolvedRefs(missingPools(spec, pools));
  const more = conflict ? [conflict] : [];
  if (refs.status === 'False') return waiting(refs, more);
  return {
    conditions: [condition('Ready', 'True', 'Announcing', reasons.Ready.Announcing), accepted(), refs, ...more],
  };
}

/** Advertisements add up, so one never disables another; but it may take away the point of it. */
class Conflicts {
  readonly #pools: readonly Pool[];
  /** By spec, the oldest that has it. */
  readonly #oldest = new Map<string, L2AdvertisementObject>();
  readonly #everywhere: readonly L2AdvertisementObject[];

  constructor(sound: readonly L2AdvertisementObject[], pools: readonly Pool[]) {
    this.#pools = pools;
    for (const object of sound) {
      const text = canonical(object.spec ?? {});
      if (!this.#oldest.has(text)) this.#oldest.set(text, object);
    }
    this.#everywhere = sound.filter(({ spec = {} }) =>
      [spec.interfaces, spec.nodeSelectors, spec.serviceSelectors].every((list) => !list?.length),
    );
  }

  of(object: L2AdvertisementObject): VerdictCondition | undefined {
    const { spec = {} } = object;
    const twin = this.#oldest.get(canonical(spec));
    if (twin && twin !== object)
      return conflicting('DuplicateAdvertisement', `${nameOf(twin)} says the same; one of the two can go.`);
    if (!spec.interfaces?.length) return undefined;
    const wider = this.#everywhere.find((other) => sharesPool(spec, other.spec ?? {}, this.#pools));
    return wider
      ? conflicting(
          'InterfacesWithoutEffect',
          `${nameOf(wider)} announces the same pools on every interface of every node, so spec.interfaces limits nothing.`,
        )
      : undefined;
  }
}

function sharesPool(a: L2AdvertisementSpec, b: L2AdvertisementSpec, pools: readonly Pool[]): boolean {
  const theirs = new Set(chosenPools(b, pools));
  return chosenPools(a, pools).some((pool) => theirs.has(pool));
}

const nameOf = ({ kind, metadata }: L2AdvertisementObject): string => `${kind} ${metadata.namespace}/${metadata.name}`;
