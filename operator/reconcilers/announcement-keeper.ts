/**
 * Keeps the ServiceAnnouncement of each Service: written at once when its truth changes, and at a calm pace when only
 * the names of the announcers do, so that a lost node causes no thousand writes in the bad minute.
 */

import { annotations, labels } from '../../crds/annotations.ts';
import type { ServiceAnnouncement, ServiceAnnouncer } from '../../crds/service-announcement.ts';
import type { AnnouncedVerdict } from '../advertising/announced-verdict.ts';
import { timestampOf, withCondition } from '../cluster/conditions.ts';
import { keyOf, type Service } from '../cluster/objects.ts';
import { apiVersionOf, resources } from '../cluster/resource.ts';
import type { AnnouncedWorld } from './announced-world.ts';

/** So many Services have one each in the mode `auto`. */
const AUTO_SERVICES = 2_000;
/** Names alone: 20 writes per second, the first one 10 s after the change. */
const NAMES_EVERY_MS = 50;
const NAMES_AFTER_MS = 10_000;
/** The garbage collector takes what belonged to a deleted Service; whatever is left then is taken here. */
const RELEASE_AFTER_MS = 5_000;

export interface AnnouncementKeeperOptions {
  /** Which Services get one; see --service-announcements. */
  readonly mode: 'auto' | 'all' | 'labelled' | 'none';
  /** How many Services hold addresses. */
  readonly services: () => number;
  /** What a Service holds or may have announced, canonical texts. */
  readonly addressesOf: (key: string) => readonly string[];
}

export class AnnouncementKeeper {
  readonly #world: AnnouncedWorld;
  readonly #options: AnnouncementKeeperOptions;
  /** When the names of each announcement may be written. */
  readonly #slots = new Map<string, number>();
  #lastSlot = Number.NEGATIVE_INFINITY;
  /** What was written and has not come back by the watch yet. */
  readonly #sent = new Map<string, ServiceAnnouncement>();
  /** Since when each Service is gone whose announcement is still there. */
  readonly #releasedAt = new Map<string, number>();

  constructor(world: AnnouncedWorld, options: AnnouncementKeeperOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** Brings the announcement to what `verdict` says. @returns milliseconds to wait before it is asked again, 0 for never */
  async keep(service: Service, verdict: AnnouncedVerdict): Promise<number> {
    const key = keyOf(service);
    this.#releasedAt.delete(key);
    const stored = this.#storedOf(service);
    if (!this.#isWanted(service, stored !== undefined)) return this.#remove(key);
    const next = announcementOf(service, this.#options.addressesOf(key), verdict, stored, this.#world.now());
    if (stored && isTruthSame(stored, next)) {
      const areNamesSame = JSON.stringify(namesOf(stored)) === JSON.stringify(namesOf(next));
      const waitMs = areNamesSame ? 0 : this.#waitForSlot(key);
      if (areNamesSame) this.#slots.delete(key);
      if (areNamesSame || waitMs > 0) return waitMs;
    }
    await this.#world.storeAnnouncement(next);
    this.#sent.set(key, next);
    this.#slots.delete(key);
    return 0;
  }

  /** The store knows what was written, or what somebody else did to it. */
  seen(key: string): void {
    this.#sent.delete(key);
  }

  /** A Service of ours that holds no address: an announcement that is there says so. */
  async withoutAddress(service: Service): Promise<number> {
    if (!this.#storedOf(service)) return 0;
    const message = 'the Service has no address';
    return this.keep(service, { status: 'False', reason: 'NoAddress', message, announcers: [], settleMs: 0 });
  }

  /** The Service is gone or none of ours. @returns milliseconds to wait before it is asked again, 0 for never */
  async release(key: string): Promise<number> {
    this.#slots.delete(key);
    this.#sent.delete(key);
    if (!this.#world.stores.serviceAnnouncements.get(key)) {
      this.#releasedAt.delete(key);
      return 0;
    }
    const at = this.#releasedAt.get(key) ?? this.#world.clock();
    this.#releasedAt.set(key, at);
    const waitMs = Math.ceil(at + RELEASE_AFTER_MS - this.#world.clock());
    return waitMs > 0 ? waitMs : this.#remove(key);
  }

  async #remove(key: string): Promise<number> {
    const stored = this.#world.stores.serviceAnnouncements.get(key);
    if (stored) await this.#world.removeAnnouncement(stored);
    this.#sent.delete(key);
    this.#releasedAt.delete(key);
    return 0;
  }

  #isWanted({ metadata }: Service, isStored: boolean): boolean {
    const isLabelled = metadata.labels?.[labels.serviceAnnouncement] === 'true';
    switch (this.#options.mode) {
      case 'all':
        return true;
      case 'none':
        return false;
      case 'labelled':
        return isLabelled;
      case 'auto':
        // What is there stays: the 2,001st Service is no reason to delete 2,000 objects.
        return isLabelled || isStored || this.#options.services() <= AUTO_SERVICES;
    }
  }

  /** Undefined also for one that belonged to an earlier Service of the name. */
  #storedOf(service: Service): ServiceAnnouncement | undefined {
    const key = keyOf(service);
    const stored = this.#sent.get(key) ?? this.#world.stores.serviceAnnouncements.get(key);
    return stored?.metadata.ownerReferences?.some(({ uid }) => uid === service.metadata.uid) ? stored : undefined;
  }

  #waitForSlot(key: string): number {
    const now = this.#world.clock();
    const at = this.#slots.get(key) ?? Math.max(now + NAMES_AFTER_MS, this.#lastSlot + NAMES_EVERY_MS);
    if (!this.#slots.has(key)) this.#lastSlot = at;
    this.#slots.set(key, at);
    return Math.ceil(Math.max(0, at - now));
  }
}

function announcementOf(
  service: Service,
  addresses: readonly string[],
  { status, reason, message, announcers }: AnnouncedVerdict,
  stored: ServiceAnnouncement | undefined,
  now: Date,
): ServiceAnnouncement {
  const { name, namespace = '', uid = '' } = service.metadata;
  const pool = service.metadata.annotations?.[annotations.ipAllocatedFromPool];
  const ready = { type: 'Ready', status, reason, message };
  const named = announcers.map(({ node, address }) => announcerOf(node, address, stored, now));
  return {
    apiVersion: apiVersionOf(resources.serviceAnnouncements),
    kind: 'ServiceAnnouncement',
    metadata: { name, namespace, ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid }] },
    addresses,
    addressList: addresses.join(','),
    ...(pool !== undefined && { pool }),
    announcers: named,
    by: [...new Set(named.map(({ protocol, node }) => `${protocol}:${node}`))].join(','),
    status: { conditions: withCondition(stored?.status.conditions ?? [], ready, now) },
  };
}

/** Who announced already did so since then. */
function announcerOf(
  node: string,
  address: string,
  stored: ServiceAnnouncement | undefined,
  now: Date,
): ServiceAnnouncer {
  const before = stored?.announcers.find((each) => each.node === node && each.address === address);
  return before ?? { protocol: 'l2', node, address, since: timestampOf(now) };
}

/** Whether two say the same but for the announcers. */
function isTruthSame(a: ServiceAnnouncement, b: ServiceAnnouncement): boolean {
  return JSON.stringify(truthOf(a)) === JSON.stringify(truthOf(b));
}

/** A message alone is no reason for a write. */
const truthOf = ({ addresses, pool, status }: ServiceAnnouncement) => [
  addresses,
  pool,
  status.conditions.map(({ status: truth, reason }) => [truth, reason]),
];

const namesOf = ({ announcers }: ServiceAnnouncement) => announcers.map(({ node, address }) => [node, address]);
