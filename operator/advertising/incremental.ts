/** The announcements of a node, kept up to date change by change: the same result as `desiredAnnouncements`, at the cost of the change. */

import type { DesiredAnnouncements } from './announcement.ts';
import { announcementsOf } from './announcements.ts';
import { Coverage } from './coverage.ts';
import { ServiceTable } from './service-table.ts';
import type { AdvertisingConfig, AnnouncedService } from './snapshot.ts';

/** Decides again only about Services that a change concerns. */
export class IncrementalAnnouncements {
  readonly #services = new ServiceTable();
  readonly #parts = new Map<string, { readonly decided: DesiredAnnouncements; readonly text: string }>();
  #coverage: Coverage;
  #hasChanged = false;

  constructor(config: AdvertisingConfig) {
    this.#coverage = new Coverage(config);
  }

  /** Replaces what is alike for all Services: everything is decided again by the next `take`. */
  setConfig(config: AdvertisingConfig): void {
    this.#coverage = new Coverage(config);
    this.#services.touchAll();
  }

  /** Replaces one Service; undefined when it is gone, is not ours, or holds no address. */
  setService(key: string, service: AnnouncedService | undefined): void {
    this.#services.set(key, service);
  }

  /** The whole desired state, or undefined when nothing has changed since the last call. */
  take(): DesiredAnnouncements | undefined {
    for (const key of this.#services.takeDirty()) this.#decide(key);
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
    const decided = announcementsOf(service, this.#coverage, (address) => this.#services.holdersOf(address));
    const text = JSON.stringify(decided);
    if (before?.text === text) return;
    this.#parts.set(key, { decided, text });
    this.#hasChanged = true;
  }
}
