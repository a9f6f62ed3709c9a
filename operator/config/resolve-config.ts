/** One pure pass over all configuration: what is in force, what must be stored before acting, and what each object is told. */

import type { BgpAdvertisement } from '../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../crds/bgp-peer.ts';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { L2Advertisement as L2AdvertisementObject } from '../../crds/l2-advertisement.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { reasons } from '../../crds/reasons.ts';
import {
  bgpAdvertisementVerdict,
  bgpPeerVerdict,
  coverage,
  type L2Advertisement,
  l2AdvertisementOf,
  l2Verdict,
} from './advertisements.ts';
import { decideInForce } from './decide-in-force.ts';
import { type LabelledObject, type Pool, poolsOf } from './pool.ts';
import { inScope, type Scope } from './scope.ts';
import type { HeldAddress } from './stored-state.ts';
import { accepted, condition, type ObjectRef, objectRef, type Refusal, refused, type Verdict } from './verdict.ts';

/** Everything that configuration is decided from. */
export interface ConfigObjects extends Scope {
  readonly pools: readonly IpAddressPool[];
  /** What was in force so far (`entriesInForce`); it stays where a change is refused. */
  readonly inForce: readonly PoolSetEntry[];
  readonly heldAddresses: readonly HeldAddress[];
  readonly l2Advertisements: readonly L2AdvertisementObject[];
  readonly bgpAdvertisements: readonly BgpAdvertisement[];
  readonly bgpPeers: readonly BgpPeer[];
  readonly namespaces: readonly LabelledObject[];
}

export interface ResolvedConfig {
  /** What the PoolSet must say before anybody acts on `pools`. */
  readonly inForce: readonly PoolSetEntry[];
  /** The pools in force, remnants last. */
  readonly pools: readonly Pool[];
  readonly l2Advertisements: readonly L2Advertisement[];
  /** What an L2Advertisement covers, for its status. */
  readonly coverage: ReadonlyMap<ObjectRef, string>;
  readonly verdicts: ReadonlyMap<ObjectRef, Verdict>;
}

export function resolveConfig(objects: ConfigObjects): ResolvedConfig {
  const verdicts = new Map<ObjectRef, Verdict>();
  const scoped = inScope('IPAddressPool', objects.pools, objects, verdicts);
  const decision = decideInForce({
    pools: scoped,
    before: objects.inForce,
    held: objects.heldAddresses,
    namespaces: objects.namespaces,
  });
  for (const { metadata } of scoped) {
    const refusal = decision.refusals.get(`${metadata.namespace ?? ''}/${metadata.name}`);
    const entry = decision.entries.find((one) => one.namespace === metadata.namespace && one.name === metadata.name);
    verdicts.set(objectRef('IPAddressPool', metadata), poolVerdict(refusal, entry));
  }
  const pools = poolsOf(decision.entries, objects.namespaces);
  const l2 = resolveL2(objects, pools, verdicts);
  judgeBgp(objects, pools, verdicts);
  return { inForce: decision.entries, pools, ...l2, verdicts };
}

/** The pools and advertisements that the stored state says, without deciding anything: what a speaker acts on. */
export function configInForce(
  objects: Pick<ConfigObjects, 'ownNamespace' | 'configNamespaces' | 'inForce' | 'l2Advertisements' | 'namespaces'>,
): Pick<ResolvedConfig, 'pools' | 'l2Advertisements'> {
  const pools = poolsOf(objects.inForce, objects.namespaces);
  return { pools, l2Advertisements: resolveL2(objects, pools, new Map()).l2Advertisements };
}

function poolVerdict(refusal: Refusal | undefined, entry: PoolSetEntry | undefined): Verdict {
  if (!refusal) return { conditions: [condition('Ready', 'True', 'Serving', reasons.Ready.Serving), accepted()] };
  const inForce = entry ? ` Still in force: ${entry.addresses.join(', ')}.` : '';
  return refused({ reason: refusal.reason, message: `${refusal.message}${inForce}` });
}

function resolveL2(
  objects: Scope & Pick<ConfigObjects, 'l2Advertisements'>,
  pools: readonly Pool[],
  verdicts: Map<ObjectRef, Verdict>,
): Pick<ResolvedConfig, 'l2Advertisements' | 'coverage'> {
  const l2Advertisements: L2Advertisement[] = [];
  const covered = new Map<ObjectRef, string>();
  for (const object of inScope('L2Advertisement', objects.l2Advertisements, objects, verdicts)) {
    const ref = objectRef('L2Advertisement', object.metadata);
    const typed = l2AdvertisementOf(object);
    if ('reason' in typed) {
      verdicts.set(ref, refused(typed));
      continue;
    }
    l2Advertisements.push(typed);
    verdicts.set(ref, l2Verdict(object, pools));
    covered.set(ref, coverage(object, pools));
  }
  return { l2Advertisements, coverage: covered };
}

function judgeBgp(objects: ConfigObjects, pools: readonly Pool[], verdicts: Map<ObjectRef, Verdict>): void {
  const peers = inScope('BGPPeer', objects.bgpPeers, objects, verdicts);
  for (const peer of peers) verdicts.set(objectRef('BGPPeer', peer.metadata), bgpPeerVerdict(peer));
  for (const object of inScope('BGPAdvertisement', objects.bgpAdvertisements, objects, verdicts))
    verdicts.set(objectRef('BGPAdvertisement', object.metadata), bgpAdvertisementVerdict(object, pools, peers));
}
