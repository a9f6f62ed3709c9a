/** A pool that is in force, in the form in which the allocator and the speakers use it. */

import type { LabelSelector, ObjectMeta } from '../../crds/object-meta.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import type { IpAddress } from '../net/address.ts';
import type { AddressRange } from '../net/range.ts';
import { matches, matchesAny } from './label-selector.ts';
import { declaredRanges, type PoolExtensions, poolExtensionsOf, rangesInForce } from './pool-extensions.ts';
import { RangeSet } from './range-set.ts';

export interface Pool extends PoolExtensions {
  readonly namespace: string;
  /** Unique among the pools in force; a remnant may bear the name of a live pool. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Without what is excluded; in the order of the spec, which is the order in which they are filled. */
  readonly ranges: readonly AddressRange[];
  /** The same ranges, for looking addresses up. */
  readonly addresses: RangeSet;
  /** With what is excluded: prefixes are those of the whole, although no Service gets a part of it. */
  readonly declaredRanges: readonly AddressRange[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  /** Whether the pool has a serviceAllocation: such pools are tried before the others. */
  readonly isPinned: boolean;
  /** Lower is tried earlier; 0 comes last. */
  readonly priority: number;
  /** The namespaces whose Services may use the pool; undefined: all. Selectors are resolved already. */
  readonly namespaces?: ReadonlySet<string>;
  /** One must match the Service's labels; none: every Service. */
  readonly serviceSelectors: readonly LabelSelector[];
  /** The pool is gone; what it gave stays, it gives nothing new. */
  readonly isRemnant: boolean;
}

/** An object with labels, as far as namespaceSelectors look at it. */
export interface LabelledObject {
  readonly metadata: ObjectMeta;
}

/** The pool that an entry of the PoolSet describes; entries that cannot be read hold nothing. */
export function poolOf(entry: PoolSetEntry, namespaces: readonly LabelledObject[]): Pool {
  const { serviceAllocation, keptNamespaces } = entry;
  const allowed = namespacesOf(serviceAllocation, namespaces, keptNamespaces);
  const ranges = rangesInForce(entry);
  return {
    namespace: entry.namespace,
    name: entry.name,
    labels: entry.labels ?? {},
    ranges,
    addresses: new RangeSet(ranges),
    declaredRanges: declaredRanges(entry),
    autoAssign: entry.autoAssign,
    avoidBuggyIPs: entry.avoidBuggyIPs,
    isPinned: serviceAllocation !== undefined,
    priority: serviceAllocation?.priority ?? 0,
    ...(allowed && { namespaces: allowed }),
    serviceSelectors: serviceAllocation?.serviceSelectors ?? [],
    isRemnant: entry.deleted === true,
    ...poolExtensionsOf(entry),
  };
}

/** Selectors that match no namespace leave an empty set: nobody may use the pool, rather than everybody. */
function namespacesOf(
  allocation: PoolSetEntry['serviceAllocation'],
  namespaces: readonly LabelledObject[],
  kept: readonly string[] = [],
): ReadonlySet<string> | undefined {
  const named = allocation?.namespaces ?? [];
  const selectors = allocation?.namespaceSelectors ?? [];
  if (named.length === 0 && selectors.length === 0) return undefined;
  const selected = namespaces.filter(({ metadata }) =>
    selectors.some((selector) => matches(selector, metadata.labels)),
  );
  return new Set([...named, ...selected.map(({ metadata }) => metadata.name), ...kept]);
}

/** Whether the pool may give `address`: it lies in a range and avoidBuggyIPs does not leave it out. */
export const holds = (pool: Pick<Pool, 'addresses' | 'avoidBuggyIPs'>, address: IpAddress): boolean =>
  pool.addresses.has(address) && !(pool.avoidBuggyIPs && isBuggy(address));

/** IPv4 addresses that end in .0 or .255, whatever the prefix: some old equipment drops them. */
export function isBuggy({ family, value }: IpAddress): boolean {
  if (family !== 4) return false;
  const lastOctet = value & 0xffn;
  return lastOctet === 0n || lastOctet === 255n;
}

/** Who asks for an address, as far as a pool's serviceAllocation looks at it. */
export interface Applicant {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Whether the pool's serviceAllocation includes the namespace of the Service. */
export const allowsNamespace = (pool: Pool, { namespace }: Applicant): boolean =>
  pool.namespaces === undefined || pool.namespaces.has(namespace);

/** Whether the pool's serviceAllocation selects the labels of the Service. */
export const selectsService = (pool: Pool, { labels }: Applicant): boolean => matchesAny(pool.serviceSelectors, labels);

/** Whether the Service may have addresses of the pool at all. */
export const permits = (pool: Pool, applicant: Applicant): boolean =>
  allowsNamespace(pool, applicant) && selectsService(pool, applicant);

/** The pools of entries, remnants last: of two that hold an address the live one is found first. */
export function poolsOf(entries: readonly PoolSetEntry[], namespaces: readonly LabelledObject[]): readonly Pool[] {
  const pools = entries.map((entry) => poolOf(entry, namespaces));
  return [...pools.filter(({ isRemnant }) => !isRemnant), ...pools.filter(({ isRemnant }) => isRemnant)];
}
