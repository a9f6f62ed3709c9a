/** Addresses that others than we answer for: nobody else may have them, but for what a Service of ours has already. */

import type { IpAddress } from '../net/address.ts';
import { type Holding, keepHeld } from './choose.ts';
import type { PoolTable } from './pool-table.ts';
import { byAgeThenKey } from './service-request.ts';
import type { Waiting } from './waiters.ts';

/**
 * What each of `foreign` should have reserved, of two that show one address the older.
 *
 * @param ourHolderOf the Service of ours that has an address
 */
export function reservationsOf<Entry extends Waiting>(
  foreign: Iterable<Entry>,
  pools: PoolTable,
  ourHolderOf: (address: IpAddress) => string | undefined,
): readonly (readonly [Entry, Holding | undefined])[] {
  const taken = { 4: new Map<bigint, string>(), 6: new Map<bigint, string>() };
  const occupancy = {
    holderOf: (address: IpAddress) => ourHolderOf(address) ?? taken[address.family].get(address.value),
    firstFree: () => undefined,
  };
  return [...foreign]
    .sort((a, b) => byAgeThenKey(a.request, b.request))
    .map((entry) => {
      const next = keepHeld(entry.request, pools, occupancy);
      for (const { family, value } of next?.addresses ?? []) taken[family].set(value, entry.request.key);
      return [entry, next] as const;
    });
}
