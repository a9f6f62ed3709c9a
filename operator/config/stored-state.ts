/**
 * What was in force when somebody last stored it: the PoolSet, or, where there is none, what can be rebuilt from the
 * pools' status and the addresses that Services hold.
 */

import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { PoolSet, PoolSetEntry } from '../../crds/pool-set.ts';
import { ADDRESS_BITS, formatIp, type IpAddress } from '../net/address.ts';
import { holds, poolOf } from './pool.ts';
import { hashOf, wantedEntry } from './pool-content.ts';
import { inScope, type Scope } from './scope.ts';

/** An address in the status of a Service that is ours. */
export interface HeldAddress {
  readonly address: IpAddress;
  /** 'namespace/name' */
  readonly service: string;
  readonly namespace: string;
  /** RFC 3339, whole seconds, of the Service. */
  readonly createdAt?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The annotation metallb.io/ip-allocated-from-pool. */
  readonly pool?: string | undefined;
  /** The pool that the Service wants addresses of, by annotation. */
  readonly requestedPool?: string | undefined;
}

/** Where pools are read from that are neither stored nor defined any more. */
export interface Rebuilding extends Scope {
  readonly pools: readonly IpAddressPool[];
  readonly held: readonly HeldAddress[];
}

/**
 * The entries that rule: those of the mirror if there is one, else rebuilt ones.
 *
 * Where the two disagree the mirror rules, because it was written last before anybody acted.
 */
export function entriesInForce(mirror: PoolSet | undefined, rebuilding: Rebuilding): readonly PoolSetEntry[] {
  return mirror ? mirror.pools : rebuiltEntries(rebuilding);
}

function rebuiltEntries({ pools, held, ...scope }: Rebuilding): readonly PoolSetEntry[] {
  const fromStatus = pools.flatMap((pool) => entryOfStatus(pool) ?? []);
  // A pool that does not count keeps no address: what Services hold of it is as lost as if it were gone.
  const counting = inScope('IPAddressPool', pools, scope, new Map()).map(wantedEntry);
  return [...fromStatus, ...lostPools(scope.ownNamespace, [...fromStatus, ...counting], held)];
}

function entryOfStatus(pool: IpAddressPool): PoolSetEntry | undefined {
  const inForce = pool.status?.inForce;
  if (!inForce) return undefined;
  const { exclude: _, ...wanted } = wantedEntry(pool);
  const { addresses, exclude, generation } = inForce;
  const entry = { ...wanted, addresses: [...addresses], ...(exclude && { exclude: [...exclude] }), generation };
  return { ...entry, hash: hashOf(entry) };
}

/** Remnants of pools of which nothing is left but the addresses that Services hold and the name beside them. */
function lostPools(
  ownNamespace: string,
  known: readonly PoolSetEntry[],
  held: readonly HeldAddress[],
): readonly PoolSetEntry[] {
  const knownPools = known.map((entry) => poolOf(entry, []));
  const lost = new Map<string, Set<string>>();
  for (const { address, pool } of held) {
    if (!pool || knownPools.some((known) => holds(known, address))) continue;
    const addresses = lost.get(pool) ?? new Set();
    lost.set(pool, addresses.add(`${formatIp(address)}/${ADDRESS_BITS[address.family]}`));
  }
  return [...lost].map(([name, addresses]) => {
    const content = { addresses: [...addresses].sort(), autoAssign: false, avoidBuggyIPs: false };
    return { namespace: ownNamespace, name, generation: 0, hash: hashOf(content), ...content, deleted: true };
  });
}
