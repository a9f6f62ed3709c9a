/** The announcements of a node, kept up to date change by change: the same result as `desiredAnnouncements`, at the cost of the change. */

import type { DesiredAnnouncements } from './announcement.ts';
import { announcementsOf } from './announcements.ts';
import { Coverage } from './coverage.ts';
import type { AdvertisingConfig, AnnouncedService } from './snapshot.ts';

/** Decides again only about Services that a change concerns. */
export class IncrementalAnnouncements {
  readonly #services = new Map<string, AnnouncedService>();
  /** Keys of the Services that hold each address. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #parts = new Map<string, { readonly decided: DesiredAnnouncements; readonly text: string }>();
  readonly #dirty = new Set<string>();
  #coverage: Coverage;
  #hasChanged = false;

  constructor(config: AdvertisingConfig) {
    this.#coverage = new Coverage(config);
  }

  /** Replaces what is alike for all Services: everything is decided again by the next `take`. */
  setConfig(config: AdvertisingConfig): void {
    this.#coverage = new Coverage(config);
    for (const key of this.#services.keys()) this.#dirty.add(key);
  }

  /** Replaces one Service; undefined when it is gone, is not ours, or holds no address. */
  setService(key: string, service: AnnouncedService | undefined): void {
    for (const address of this.#services.get(key)?.addresses ?? []) this.#release(address, key);
    if (service) this.#services.set(key, service);
    else this.#services.delete(key);
    for (const address of service?.addresses ?? []) this.#hold(address, key);
    this.#dirty.add(key);
  }

  /** The whole desired state, or undefined when nothing has changed since the last call. */
  take(): DesiredAnnouncements | undefined {
    for (const key of this.#dirty) this.#decide(key);
    this.#dirty.clear();
    if (!this.#hasChanged) return undefined;
    this.#hasChanged = false;
    const parts = [...this.#parts.values()].map(({ decided }) => decided);
    return { l2: parts.flatMap(({ l2 }) => l2), refusals: parts.flatMap(({ refusals }) => refusals) };
  }

  #decide(key: string): void {
    const service = this.#services.get(key);
    const before = this.#parts.get(key);
    if (!service) {
      this.#hasChanged = this.#parts.delete(key) || this.#hasChanged;
      return;
    }
    const decided = announcementsOf(service, this.#coverage, (address) => this.#holdersOf(address));
    const text = JSON.stringify(decided);
    if (before?.text === text) return;
    this.#parts.set(key, { decided, text });
    this.#hasChanged = true;
  }

  #holdersOf(address: string): readonly AnnouncedService[] {
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
