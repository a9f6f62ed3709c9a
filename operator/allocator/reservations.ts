/** Addresses that others than we answer for: nobody else may have them, but for what a Service of ours has already. */

import type { IpAddress } from '../net/address.ts';
import { type Holding, keepHeld } from './choose.ts';
import type { PoolTable } from './pool-table.ts';
import { byAgeThenKey } from './service-request.ts';
import type { Waiting } from './waiters.ts';

/** The Services that others answer for. */
export class Reservations<Entry extends Waiting> {
  readonly #entries = new Set<Entry>();
  /** Every address that one of them has shown: others do not concern it. */
  readonly #shown = { 4: new Set<bigint>(), 6: new Set<bigint>() };

  add(entry: Entry): void {
    this.#entries.add(entry);
    for (const { family, value } of entry.request.held) this.#shown[family].add(value);
  }

  delete(entry: Entry): void {
    this.#entries.delete(entry);
  }

  clear(): void {
    this.#entries.clear();
    for (const shown of [this.#shown[4], this.#shown[6]]) shown.clear();
  }

  /** Whether an event that changed `entries`, and who holds `addresses`, may change a reservation. */
  areConcerned(entries: Iterable<Waiting>, addresses: readonly IpAddress[]): boolean {
    if (this.#entries.size === 0) return false;
    return (
      [...entries].some(({ request }) => request.isForeign) ||
      addresses.some(({ family, value }) => this.#shown[family].has(value))
    );
  }

  /**
   * Those that should have something else reserved than they have; of two that show one address the older has it.
   *
   * @param ourHolderOf the Service of ours that has an address
   */
  changes(
    pools: PoolTable,
    ourHolderOf: (address: IpAddress) => string | undefined,
  ): readonly (readonly [Entry, Holding | undefined])[] {
    const taken = { 4: new Map<bigint, string>(), 6: new Map<bigint, string>() };
    const occupancy = {
      holderOf: (address: IpAddress) => ourHolderOf(address) ?? taken[address.family].get(address.value),
      firstFree: () => undefined,
    };
    return [...this.#entries]
      .sort((a, b) => byAgeThenKey(a.request, b.request))
      .map((entry) => {
        const next = keepHeld(entry.request, pools, occupancy);
        for (const { family, value } of next?.addresses ?? []) taken[family].set(value, entry.request.key);
        return [entry, next] as const;
      })
      .filter(([{ holding }, next]) => inWords(holding) !== inWords(next));
  }
}

const inWords = (holding: Holding | undefined): string =>
  holding ? [holding.pool.name, ...holding.addresses.map(({ family, value }) => `${family}/${value}`)].join(' ') : '';
