/** What a leader does about external IPs: who decides, who tells the Services, and who wakes them. */

import { serviceConditions } from '../../crds/annotations.ts';
import { conditionOf } from '../cluster/conditions.ts';
import type { Controller, Reconciler } from '../cluster/controller.ts';
import { keyOf } from '../cluster/objects.ts';
import type { WorkQueue } from '../cluster/work-queue.ts';
import type { AddressBook } from './address-book.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { ExternalIps } from './external-ips.ts';
import { ServiceExternalIpsReconciler } from './service-external-ips.ts';
import type { Scope, World } from './world.ts';

/** All claims are decided together; changes of so long at once. */
const GATHER_MS = 20;
const WORKERS = 4;
/** What is done as a whole has a queue with a single key. */
const THE_ONE = 'herald';

/** A controller and its queue, so that keys can be added later too. */
export interface Line {
  readonly queue: WorkQueue;
  readonly controller: Controller;
}

export interface ExternalIpParts {
  readonly book: AddressBook;
  readonly keeper: ConfigKeeper;
  readonly scope: Scope;
  /** Whether addresses are being written, which go first. */
  readonly isBusy: () => boolean;
  readonly lineOf: (reconciler: Reconciler, workers: number) => Line;
}

export class ExternalIpWork {
  readonly lines: readonly Line[];
  readonly #world: World;
  readonly #ips: ExternalIps;
  readonly #decisions: Line;
  readonly #conditions: Line;
  #isPlanned = false;

  /** The stores are complete. */
  constructor(world: World, { book, keeper, scope, isBusy, lineOf }: ExternalIpParts) {
    this.#world = world;
    this.#ips = new ExternalIps(world, book, keeper, scope, (keys) => {
      for (const key of keys) this.#conditions.queue.add(key);
    });
    this.#decisions = lineOf(this.#ips, 1);
    this.#conditions = lineOf(new ServiceExternalIpsReconciler(world, this.#ips, scope, isBusy), WORKERS);
    this.lines = [this.#decisions, this.#conditions];
  }

  /** Says what was left unsaid, and takes back what no longer holds, of the time when nobody led. */
  begin(): void {
    const { services, externalServices } = this.#world.stores;
    for (const service of [...services.list(), ...externalServices.list()]) this.#tell(keyOf(service));
    this.changed();
  }

  serviceChanged(key: string): void {
    this.#ips.serviceChanged(key);
    this.#tell(key);
    this.changed();
  }

  /** A Service, what one holds, the configuration or a node changed. */
  changed(): void {
    if (this.#isPlanned || !this.#ips.isConcerned) return;
    this.#isPlanned = true;
    setTimeout(() => {
      this.#isPlanned = false;
      this.#decisions.queue.add(THE_ONE);
    }, GATHER_MS).unref();
  }

  #tell(key: string): void {
    const { services, externalServices } = this.#world.stores;
    const { conditions } = (services.get(key) ?? externalServices.get(key))?.status ?? {};
    const told = conditionOf(conditions, serviceConditions.externalIpsAccepted);
    if (told || this.#ips.verdictOf(key)) this.#conditions.queue.add(key);
  }
}
