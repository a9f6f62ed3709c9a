/** Addresses that others than we answer for: nobody else may have them, but for what a Service of ours has already. */

import type { IpAddress } from '../net/address.ts';
import type { Holder } from './holding.ts';
import { keepHeld } from './keep.ts';
import type { Ledger } from './ledger.ts';
import { byAgeThenKey } from './service-request.ts';

/** The Services that others answer for. */
export class ForeignServices<Entry extends Holder> {
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

  /** Whether an event that changed `entries`, and who holds `addresses`, may change what is kept for them. */
  areConcerned(entries: Iterable<Holder>, addresses: readonly IpAddress[]): boolean {
    if (this.#entries.size === 0) return false;
    return (
      [...entries].some(({ request }) => request.isForeign) ||
      addresses.some(({ family, value }) => this.#shown[family].has(value))
    );
  }

  /** Keeps for them, the oldest first, whatever they show and no Service of ours has. */
  settle(ledger: Ledger): void {
    const oldestFirst = [...this.#entries].sort((a, b) => byAgeThenKey(a.request, b.request));
    for (const entry of oldestFirst) ledger.hold(entry, undefined);
    for (const entry of oldestFirst) ledger.hold(entry, keepHeld(entry.request, ledger));
  }
}
