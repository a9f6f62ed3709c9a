/** One pure pass over all configuration: what is in force, what must be stored before acting, and what each object is told. */

import type { AddressQuota } from '../../crds/address-quota.ts';
import type { AddressReservation } from '../../crds/address-reservation.ts';
import type { BfdProfile } from '../../crds/bfd-profile.ts';
import type { BgpAdvertisement } from '../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../crds/bgp-peer.ts';
import type { Community } from '../../crds/community.ts';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { L2Advertisement as L2AdvertisementObject } from '../../crds/l2-advertisement.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { reasons } from '../../crds/reasons.ts';
import { type L2Advertisement, l2AdvertisementOf, l2Verdicts } from './advertisements.ts';
import { bfdProfileProblem, bfdProfileVerdict } from './bfd-profiles.ts';
import { judgeBgpAdvertisements } from './bgp-advertisements.ts';
import { judgePeers } from './bgp-peers.ts';
import type { BreakingChanges } from './breaks.ts';
import { ClusterRanges } from './cluster-ranges.ts';
import { judgeCommunities } from './communities.ts';
import { decideInForce } from './decide-in-force.ts';
import { type LabelledObject, type Pool, poolsOf } from './pool.ts';
import { coverage } from './pool-choice.ts';
import { idleExclusions } from './pool-extensions.ts';
import { judgeQuotas, type Quota } from './quota.ts';
import { judgeReservations, type Reservation } from './reservation.ts';
import { byAge, inScope, type Scope } from './scope.ts';
import type { HeldAddress } from './stored-state.ts';
import type { Surroundings } from './surroundings.ts';
import {
  accepted,
  asOne,
  condition,
  conflicting,
  type ObjectRef,
  objectRef,
  programmed,
  type Refusal,
  refused,
  refusedPool,
  type Verdict,
  type VerdictCondition,
} from './verdict.ts';

/** Everything that configuration is decided from. */
export interface ConfigObjects extends Scope {
  readonly pools: readonly IpAddressPool[];
  /** What was in force so far (`entriesInForce`); it stays where a change is refused. */
  readonly inForce: readonly PoolSetEntry[];
  readonly heldAddresses: readonly HeldAddress[];
  readonly l2Advertisements: readonly L2AdvertisementObject[];
  readonly bgpAdvertisements: readonly BgpAdvertisement[];
  readonly bgpPeers: readonly BgpPeer[];
  readonly bfdProfiles: readonly BfdProfile[];
  readonly communities: readonly Community[];
  readonly reservations: readonly AddressReservation[];
  readonly quotas: readonly AddressQuota[];
  readonly namespaces: readonly LabelledObject[];
  readonly surroundings: Surroundings;
  /** `refuse` when missing. */
  readonly breakingChanges?: BreakingChanges | undefined;
}

export interface ResolvedConfig {
  /** What the PoolSet must say before anybody acts on `pools`. */
  readonly inForce: readonly PoolSetEntry[];
  /** The pools in force, remnants last. */
  readonly pools: readonly Pool[];
  readonly l2Advertisements: readonly L2Advertisement[];
  readonly reservations: readonly Reservation[];
  readonly quotas: readonly Quota[];
  /** What an L2Advertisement covers, for its status. */
  readonly coverage: ReadonlyMap<ObjectRef, string>;
  readonly verdicts: ReadonlyMap<ObjectRef, Verdict>;
}

export function resolveConfig(objects: ConfigObjects): ResolvedConfig {
  const verdicts = new Map<ObjectRef, Verdict>();
  const { inForce, pools } = resolvePools(objects, verdicts);
  const l2 = resolveL2(objects, pools, verdicts);
  judgeBgp(objects, pools, verdicts);
  return { inForce, pools, ...l2, ...resolveAddressRules(objects, pools, verdicts), verdicts };
}

/** The pools and advertisements that the stored state says, without deciding anything: what a speaker acts on. */
export function configInForce(
  objects: Pick<ConfigObjects, 'ownNamespace' | 'configNamespaces' | 'inForce' | 'l2Advertisements' | 'namespaces'>,
): Pick<ResolvedConfig, 'pools' | 'l2Advertisements'> {
  const sound = soundL2(objects, new Map());
  return { pools: poolsOf(objects.inForce, objects.namespaces), l2Advertisements: [...sound.values()] };
}

function resolvePools(
  objects: ConfigObjects,
  verdicts: Map<ObjectRef, Verdict>,
): Pick<ResolvedConfig, 'inForce' | 'pools'> {
  const { namespaces } = objects;
  const cluster = new ClusterRanges(objects.surroundings);
  const scoped = inScope('IPAddressPool', objects.pools, objects, verdicts, refusedPool);
  const { entries, refusals } = decideInForce({
    pools: scoped,
    before: objects.inForce,
    held: objects.heldAddresses,
    namespaces,
    breakingChanges: objects.breakingChanges,
    clusterRefusal: (pool) => cluster.refusalOf(pool),
  });
  const pools = poolsOf(entries, namespaces);
  const entryOf = new Map(entries.map((entry) => [`${entry.namespace}/${entry.name}`, entry]));
  const poolOf = new Map(pools.map((pool) => [`${pool.namespace}/${pool.name}`, pool]));
  for (const { metadata } of scoped) {
    const key = `${metadata.namespace ?? ''}/${metadata.name}`;
    const pool = poolOf.get(key);
    const warnings = pool ? [cluster.warningOf(pool.addresses), exclusionWarning(entryOf.get(key))] : [];
    verdicts.set(objectRef('IPAddressPool', metadata), poolVerdict(refusals.get(key), entryOf.get(key), warnings));
  }
  return { inForce: entries, pools };
}

function poolVerdict(
  refusal: Refusal | undefined,
  entry: PoolSetEntry | undefined,
  warnings: readonly (VerdictCondition | undefined)[],
): Verdict {
  if (!refusal) {
    const reason = entry?.drain ? 'Draining' : 'Serving';
    const ready = condition('Ready', 'True', reason, reasons.Ready[reason]);
    return { conditions: [ready, accepted(), programmed(), ...asOne(warnings)] };
  }
  const inForce = entry ? ` Still in force: ${entry.addresses.join(', ')}.` : '';
  return refusedPool({ reason: refusal.reason, message: `${refusal.message}${inForce}` });
}

function exclusionWarning(entry: PoolSetEntry | undefined): VerdictCondition | undefined {
  const message = entry && idleExclusions(entry);
  return message === undefined ? undefined : conflicting('ExcludesNothing', message);
}

/** The L2Advertisements whose spec is sound, by object, the oldest first; the others get their verdict. */
function soundL2(
  objects: Scope & Pick<ConfigObjects, 'l2Advertisements'>,
  verdicts: Map<ObjectRef, Verdict>,
): ReadonlyMap<L2AdvertisementObject, L2Advertisement> {
  const sound = new Map<L2AdvertisementObject, L2Advertisement>();
  for (const object of inScope('L2Advertisement', objects.l2Advertisements, objects, verdicts).toSorted(byAge)) {
    const typed = l2AdvertisementOf(object);
    if ('reason' in typed) verdicts.set(objectRef('L2Advertisement', object.metadata), refused(typed));
    else sound.set(object, typed);
  }
  return sound;
}

function resolveL2(
  objects: ConfigObjects,
  pools: readonly Pool[],
  verdicts: Map<ObjectRef, Verdict>,
): Pick<ResolvedConfig, 'l2Advertisements' | 'coverage'> {
  const sound = soundL2(objects, verdicts);
  const covered = new Map<ObjectRef, string>();
  for (const [object, verdict] of l2Verdicts([...sound.keys()], pools)) {
    const ref = objectRef('L2Advertisement', object.metadata);
    verdicts.set(ref, verdict);
    covered.set(ref, coverage(object.spec ?? {}, pools));
  }
  return { l2Advertisements: [...sound.values()], coverage: covered };
}

/** What limits and keeps addresses beside the pools. */
export function resolveAddressRules(
  objects: Scope & Pick<ConfigObjects, 'reservations' | 'quotas' | 'namespaces'>,
  pools: readonly Pool[],
  verdicts: Map<ObjectRef, Verdict> = new Map(),
): Pick<ResolvedConfig, 'reservations' | 'quotas'> {
  const context = { pools, namespaces: objects.namespaces };
  const reserved = judgeReservations(inScope('AddressReservation', objects.reservations, objects, verdicts), context);
  const limited = judgeQuotas(inScope('AddressQuota', objects.quotas, objects, verdicts), context);
  for (const [ref, verdict] of [...reserved.verdicts, ...limited.verdicts]) verdicts.set(ref, verdict);
  return { reservations: reserved.reservations, quotas: limited.quotas };
}

/** Profiles and names first, then the peers that use profiles, then the advertisements that use both. */
function judgeBgp(objects: ConfigObjects, pools: readonly Pool[], verdicts: Map<ObjectRef, Verdict>): void {
  const { surroundings, ownNamespace, configNamespaces } = objects;
  const tell = (judged: ReadonlyMap<ObjectRef, Verdict>): void => {
    for (const [ref, verdict] of judged) verdicts.set(ref, verdict);
  };
  const bfdProfiles = new Set<string>();
  for (const profile of inScope('BFDProfile', objects.bfdProfiles, objects, verdicts)) {
    const problem = bfdProfileProblem(profile);
    verdicts.set(objectRef('BFDProfile', profile.metadata), bfdProfileVerdict(problem));
    if (!problem) bfdProfiles.add(profile.metadata.name);
  }
  const communities = judgeCommunities(inScope('Community', objects.communities, objects, verdicts));
  tell(communities.verdicts);
  const context = { surroundings, bfdProfiles, ownNamespace, configNamespaces };
  const peers = judgePeers(inScope('BGPPeer', objects.bgpPeers, objects, verdicts), context);
  tell(peers.verdicts);
  const advertisements = inScope('BGPAdvertisement', objects.bgpAdvertisements, objects, verdicts);
  const { nodes } = surroundings;
  tell(judgeBgpAdvertisements(advertisements, { pools, peers: peers.accepted, communities: communities.names, nodes }));
}
