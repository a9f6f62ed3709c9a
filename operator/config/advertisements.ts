/** Advertisements and peers: what is valid, what they name and does not exist, and what they cover. */

import type { BgpAdvertisement } from '../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../crds/bgp-peer.ts';
import type { L2Advertisement as L2AdvertisementObject, L2AdvertisementSpec } from '../../crds/l2-advertisement.ts';
import type { LabelSelector } from '../../crds/object-meta.ts';
import { reasons } from '../../crds/reasons.ts';
import { firstSelectorProblem, matches } from './label-selector.ts';
import type { Pool } from './pool.ts';
import { accepted, condition, type Refusal, refused, type Verdict, type VerdictCondition } from './verdict.ts';

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

type PoolChoice = Pick<L2AdvertisementSpec, 'ipAddressPools' | 'ipAddressPoolSelectors'>;

/** Neither names nor selectors: every pool; else the union of both. */
function choosesPool(
  { ipAddressPools = [], ipAddressPoolSelectors = [] }: PoolChoice,
  { name, labels }: Pick<Pool, 'name' | 'labels'>,
): boolean {
  if (ipAddressPools.length === 0 && ipAddressPoolSelectors.length === 0) return true;
  return ipAddressPools.includes(name) || ipAddressPoolSelectors.some((selector) => matches(selector, labels));
}

/** The advertisement in typed form, or why it cannot be used. */
export function l2AdvertisementOf(object: L2AdvertisementObject): L2Advertisement | Refusal {
  const spec: L2AdvertisementSpec = object.spec ?? {};
  const preferred = spec.preferredNodeSelectors ?? [];
  const problem = firstSelectorProblem(
    spec.ipAddressPoolSelectors,
    spec.nodeSelectors,
    spec.serviceSelectors,
    preferred.map(({ preference }) => preference),
  );
  if (problem !== undefined) return { reason: 'InvalidSelector', message: `In spec: ${problem}.` };
  return {
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    pools: spec.ipAddressPools ?? [],
    poolSelectors: spec.ipAddressPoolSelectors ?? [],
    nodeSelectors: spec.nodeSelectors ?? [],
    serviceSelectors: spec.serviceSelectors ?? [],
    interfaces: spec.interfaces ?? [],
    preferredNodeSelectors: preferred,
  };
}

/** The verdict of an L2Advertisement whose selectors are sound. */
export function l2Verdict(object: L2AdvertisementObject, pools: readonly Pool[]): Verdict {
  const refs = poolRefs(object.spec?.ipAddressPools, pools);
  if (refs.status === 'False') return unresolved(refs);
  return { conditions: [condition('Ready', 'True', 'Announcing', reasons.Ready.Announcing), accepted(), refs] };
}

/** The pools that the advertisement covers now, for its status: `all`, or names. */
export function coverage(object: L2AdvertisementObject, pools: readonly Pool[]): string {
  const { ipAddressPools = [], ipAddressPoolSelectors = [] } = object.spec ?? {};
  if (ipAddressPools.length === 0 && ipAddressPoolSelectors.length === 0) return 'all';
  const names = pools.filter((pool) => choosesPool(object.spec ?? {}, pool)).map(({ name }) => name);
  return [...new Set(names)].sort().join(',');
}

/** The verdict of a BGPAdvertisement: sound or not, it has no backend in this version. */
export function bgpAdvertisementVerdict(
  { spec = { aggregationLength: 32, aggregationLengthV6: 128 } }: Partial<Pick<BgpAdvertisement, 'spec'>>,
  pools: readonly Pool[],
  peers: readonly BgpPeer[],
): Verdict {
  const problem = selectorRefusal(spec.ipAddressPoolSelectors, spec.nodeSelectors, spec.serviceSelectors);
  if (problem) return refused(problem);
  const refs = poolRefs(spec.ipAddressPools, pools);
  return withoutBackend(refs.status === 'False' ? refs : peerRefs(spec.peers, peers));
}

/** The verdict of a BGPPeer: sound or not, it has no backend in this version. */
export function bgpPeerVerdict({ spec }: BgpPeer): Verdict {
  const problem = selectorRefusal(spec.nodeSelectors);
  return problem ? refused(problem) : withoutBackend();
}

function selectorRefusal(...lists: readonly (readonly LabelSelector[] | undefined)[]): Refusal | undefined {
  const problem = firstSelectorProblem(...lists);
  return problem === undefined ? undefined : { reason: 'InvalidSelector', message: `In spec: ${problem}.` };
}

function poolRefs(names: readonly string[] | undefined, pools: readonly Pool[]): VerdictCondition {
  const missing = (names ?? []).filter((name) => !pools.some((pool) => pool.name === name));
  return missing.length === 0 ? resolved() : unknown('PoolNotFound', 'pool', missing);
}

function peerRefs(names: readonly string[] | undefined, peers: readonly BgpPeer[]): VerdictCondition {
  const missing = (names ?? []).filter((name) => !peers.some((peer) => peer.metadata.name === name));
  return missing.length === 0 ? resolved() : unknown('PeerNotFound', 'peer', missing);
}

const resolved = (): VerdictCondition => condition('ResolvedRefs', 'True', 'Resolved', reasons.ResolvedRefs.Resolved);

const unknown = (reason: string, what: string, names: readonly string[]): VerdictCondition =>
  condition(
    'ResolvedRefs',
    'False',
    reason,
    names.length === 1
      ? `There is no ${what} ${names[0]} in force; the others go on.`
      : `There are no ${what}s ${names.join(', ')} in force; the others go on.`,
  );

/** What is missing may still appear, so this is work under way and not a dead end. */
const unresolved = (refs: VerdictCondition): Verdict => ({
  conditions: [
    condition('Ready', 'False', refs.reason, refs.message),
    accepted(),
    refs,
    condition('Reconciling', 'True', 'WaitingForRefs', reasons.Reconciling.WaitingForRefs),
  ],
});

const withoutBackend = (refs?: VerdictCondition): Verdict => ({
  conditions: [
    condition('Ready', 'False', 'BackendMissing', reasons.Ready.BackendMissing),
    accepted(),
    ...(refs ? [refs] : []),
    condition('Stalled', 'True', 'BackendMissing', reasons.Stalled.BackendMissing),
  ],
});
