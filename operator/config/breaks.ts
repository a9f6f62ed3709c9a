/** What Services would lose by a decision about pools, and how that is said to whoever made the change. */

import { configAnnotations } from '../../crds/annotations.ts';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import { type Applicant, allowsNamespace, holds, type LabelledObject, type Pool, permits, poolOf } from './pool.ts';
import { disruptionHash } from './pool-content.ts';
import type { HeldAddress } from './stored-state.ts';
import type { Refusal } from './verdict.ts';

/**
 * What becomes of a change that takes addresses from Services: `refuse` leaves in force what was there, unless the
 * pool's annotation allows this very spec; `reassign` takes it, as MetalLB does.
 */
export type BreakingChanges = 'refuse' | 'reassign';

/** One Service and what it holds. */
export interface Holder extends Applicant {
  /** 'namespace/name' */
  readonly service: string;
  /** The pool that its addresses came from. */
  readonly pool?: string | undefined;
  /** The one pool that it wants addresses of. */
  readonly requestedPool?: string | undefined;
  readonly addresses: readonly IpAddress[];
  /** Those that an older Service of another namespace has too. */
  readonly joined: readonly IpAddress[];
}

/** Addresses that one Service would lose. */
export interface Loss {
  readonly service: string;
  readonly addresses: readonly IpAddress[];
}

/** How many Services a message names. */
const NAMED_SERVICES = 3;

/** What is held, by Service; one that asks for several pools is a holder in each. */
export function holdersOf(held: readonly HeldAddress[]): readonly Holder[] {
  const holders = new Map<string, Holder & { addresses: IpAddress[]; joined: IpAddress[] }>();
  const oldest = oldestHolders(held);
  for (const { address, createdAt: _, ...who } of held) {
    const key = `${who.service} ${who.requestedPool ?? ''}`;
    const holder = holders.get(key) ?? { ...who, addresses: [], joined: [] };
    holders.set(key, holder);
    holder.addresses.push(address);
    if (oldest.get(idOf(address))?.namespace !== who.namespace) holder.joined.push(address);
  }
  return [...holders.values()];
}

/** Of those who share an address, the one that keeps it where they may not share it any more. */
function oldestHolders(held: readonly HeldAddress[]): ReadonlyMap<string, HeldAddress> {
  const oldest = new Map<string, HeldAddress>();
  for (const one of held) {
    const known = oldest.get(idOf(one.address));
    if (!known || isOlder(one, known)) oldest.set(idOf(one.address), one);
  }
  return oldest;
}

const idOf = ({ family, value }: IpAddress): string => `${family} ${value}`;

function isOlder(one: HeldAddress, other: HeldAddress): boolean {
  const [born, otherBorn] = [one.createdAt ?? '', other.createdAt ?? ''];
  return born === otherBorn ? one.service < other.service : born < otherBorn;
}

/** The addresses that `pool` lets the holder keep: it has addresses of one pool. */
export function keptBy(pool: Pool | undefined, holder: Holder): readonly IpAddress[] {
  const { requestedPool, addresses, joined } = holder;
  if (!pool || (requestedPool !== undefined && requestedPool !== pool.name) || !permits(pool, holder)) return [];
  return addresses.filter(
    (address) => holds(pool, address) && (pool.sharesAcrossNamespaces || !joined.includes(address)),
  );
}

/**
 * The entry with the namespaces that its selectors chose when Services got what they hold: the labels of a namespace
 * may have changed since, and that takes no address away either.
 */
export function withKeptNamespaces(
  entry: PoolSetEntry,
  holders: readonly Holder[],
  namespaces: readonly LabelledObject[],
): PoolSetEntry {
  if (!entry.serviceAllocation?.namespaceSelectors?.length) return entry;
  const { keptNamespaces: _, ...bare } = entry;
  const pool = poolOf(bare, namespaces);
  const isKept = (holder: Holder): boolean =>
    (holder.pool === entry.name || entry.keptNamespaces?.includes(holder.namespace) === true) &&
    !allowsNamespace(pool, holder) &&
    holder.addresses.some((address) => holds(pool, address));
  const kept = new Set(holders.filter(isKept).map(({ namespace }) => namespace));
  return kept.size === 0 ? bare : { ...bare, keptNamespaces: [...kept].sort() };
}

/** Whether the pool's annotation allows exactly this spec to take addresses away. */
export const allowsDisruption = ({ metadata, spec }: IpAddressPool): boolean => {
  const allowed = metadata.annotations?.[configAnnotations.allowDisruption];
  return allowed !== undefined && allowed.trim() === disruptionHash({ spec });
};

/** @param keptNamespaces namespaces that are not selected any more, where that alone takes addresses away */
export function breakRefusal(
  losses: readonly Loss[],
  object: IpAddressPool | undefined,
  keptNamespaces: readonly string[] = [],
): Refusal {
  const named = losses
    .flatMap(({ service, addresses }) => addresses.map((address) => `${formatIp(address)} of ${service}`))
    .sort();
  const list = named.slice(0, NAMED_SERVICES).join(', ');
  const more = named.length > NAMED_SERVICES ? ` and ${named.length - NAMED_SERVICES} more` : '';
  const what =
    keptNamespaces.length > 0
      ? `Its selectors do not choose namespace ${keptNamespaces.join(', ')} any more, which`
      : 'The change';
  return {
    reason: 'WouldBreakServices',
    message: `${what} would take away ${list}${more}.${object ? ` ${remedyOf(object)}` : ''}`,
  };
}

/** Quoted, because YAML takes some hashes for numbers. */
function remedyOf({ metadata, spec }: IpAddressPool): string {
  const name = configAnnotations.allowDisruption;
  const hash = disruptionHash({ spec });
  const given = metadata.annotations?.[name];
  return given === undefined
    ? `To have it all the same, annotate the pool with ${name}: "${hash}".`
    : `The annotation ${name} is "${given}", which does not allow this spec; "${hash}" does.`;
}
