/** Services and who holds which address, and about which of them must be decided again after a change. */

import type { AnnouncedService } from './snapshot.ts';

export class ServiceTable {
  readonly #services = new Map<string, AnnouncedService>();
  /** Keys of the Services that hold each address. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #dirty = new Set<string>();

  get(key: string): AnnouncedService | undefined {
    return this.#services.get(key);
  }

  get size(): number {
    return this.#services.size;
  }

  keys(): Iterable<string> {
    return this.#services.keys();
  }

  /** Replaces one Service; undefined when it is gone, is not ours, or holds no address. */
  set(key: string, service: AnnouncedService | undefined): void {
    for (const address of this.#services.get(key)?.addresses ?? []) this.#release(address, key);
    if (service) this.#services.set(key, service);
    else this.#services.delete(key);
    for (const address of service?.addresses ?? []) this.#hold(address, key);
    this.#dirty.add(key);
  }

  /** Something about an address has changed. */
  touchHoldersOf(address: string): void {
    for (const key of this.#holders.get(address) ?? []) this.#dirty.add(key);
  }

  /** What is alike for all has changed. */
  touchAll(): void {
    for (const key of this.#services.keys()) this.#dirty.add(key);
  }

  /** Up to `limit` keys to decide about again, those of Services that are gone included; each is given once. */
  takeDirty(limit = Number.POSITIVE_INFINITY): readonly string[] {
    const keys: string[] = [];
    for (const key of this.#dirty) {
      if (keys.length >= limit) break;
      keys.push(key);
      this.#dirty.delete(key);
    }
    return keys;
  }

  /** Whether there is something to decide about again. */
  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** The Services that hold an address. */
  holdersOf(address: string): readonly AnnouncedService[] {
    const keys = this.#holders.get(address) ?? [];
    return [...keys].flatMap((key) => this.#services.get(key) ?? []);
  }

  #hold(address: string, key: string): void {
    const holders = this.#holders.get(address) ?? new Set();
    this.#holders.set(address, holders.add(key));
    for (const other of holders) this.#dirty.add(other);
  }

  #release(address: string, key: string): void {
    const holders = this.#holders.get(address);
    holders?.delete(key);
    if (holders?.size === 0) this.#holders.delete(address);
    for (const other of holders ?? []) this.#dirty.add(other);
  }
}
