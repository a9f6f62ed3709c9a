/** Rolls up what speakers report, during one term of leadership: the book, the controller, and who wakes it. */

import type { ProbeResult } from '../../crds/node-announcement.ts';
import type { Prospect } from '../advertising/prospect.ts';
import { Controller } from '../cluster/controller.ts';
import { type EndpointSlice, keyOf, type Lease, type Service } from '../cluster/objects.ts';
import { resources } from '../cluster/resource.ts';
import { WorkQueue } from '../cluster/work-queue.ts';
import { AnnouncedBook } from './announced-book.ts';
import type { AnnouncedWorld } from './announced-world.ts';
import { AnnouncementKeeper, type AnnouncementKeeperOptions } from './announcement-keeper.ts';
import type { LeaderWorkOptions } from './leader-work.ts';
import type { ReportListener } from './report-informers.ts';
import { ServiceAnnouncedReconciler } from './service-announced.ts';
import type { Scope } from './world.ts';

/** Few, so that addresses, which are written by 32, are not held up by what is said about them. */
const WORKERS = 4;
/** More Services than so many are told of in two rounds: first their objects, then their conditions. */
const CROWD = 50;
/** Changes of this long are looked at together. */
const GATHER_MS = 20;
/** So many Services are looked at before whatever else waits on this thread has its turn. */
const SLICE = 200;
const CHECK_LEASES_MS = 5_000;
/** Until it is asked again whether addresses are still being written. */
const BUSY_MS = 200;
/** What announcing looks at: pools only as they are in force. */
const DECISIVE: ReadonlySet<string> = new Set(
  [resources.poolSets, resources.l2Advertisements, resources.nodes].map(({ plural }) => plural),
);

export interface AnnouncedWorkOptions extends LeaderWorkOptions {
  readonly mode: AnnouncementKeeperOptions['mode'];
  /** Whether the API server is busy with addresses: what is said about them waits. */
  readonly isBusy: () => boolean;
  /** The answers to AddressProbes in a report that has some. */
  readonly onProbed?: (results: readonly ProbeResult[]) => void;
}

export class AnnouncedWork implements ReportListener {
  readonly #world: AnnouncedWorld;
  readonly #book: AnnouncedBook;
  readonly #keeper: AnnouncementKeeper;
  readonly #queue: WorkQueue;
  readonly #controller: Controller;
  readonly #ownNamespace: string;
  readonly #onProbed: (results: readonly ProbeResult[]) => void;
  readonly #isBusy: () => boolean;
  /** Services that came, changed or went since the last flush. */
  readonly #changed = new Set<string>();
  #isPlanned = false;
  #flushing: Promise<void> = Promise.resolve();
  #hasEnded = false;

  /** The stores are complete. */
  constructor(
    world: AnnouncedWorld,
    scope: Scope,
    { mode, isBusy, log, metrics, onProbed = () => {} }: AnnouncedWorkOptions,
  ) {
    this.#world = world;
    this.#ownNamespace = scope.ownNamespace;
    this.#onProbed = onProbed;
    this.#isBusy = isBusy;
    this.#book = new AnnouncedBook(world, scope);
    this.#keeper = new AnnouncementKeeper(world, {
      mode,
      services: () => this.#book.size,
      addressesOf: (key) => this.#book.addressesOf(key),
    });
    const isCrowded = (): boolean => this.#queue.length > CROWD;
    const reconciler = new ServiceAnnouncedReconciler(world, this.#book, this.#keeper, { ...scope, isBusy, isCrowded });
    this.#queue = new WorkQueue(metrics ? { metrics: metrics.queue(reconciler.name) } : {});
    metrics?.watchQueue(reconciler.name, this.#queue);
    const options = { workers: WORKERS, log, queue: this.#queue, ...(metrics && { metrics }) };
    this.#controller = new Controller(reconciler, options);
  }

  /** Works until `signal` aborts; resolves when nothing is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    const running = this.#controller.run(signal);
    const timer = setInterval(() => this.#checkLeases(), CHECK_LEASES_MS);
    signal.addEventListener('abort', () => this.#end(timer), { once: true });
    this.#plan();
    // Of Services that went while nobody led, or are of another class now.
    for (const announcement of this.#world.stores.serviceAnnouncements.list()) this.#queue.add(keyOf(announcement));
    await running;
  }

  /** How many Services there are in each state. */
  states(): ReturnType<AnnouncedBook['states']> {
    return this.#book.states();
  }

  /** The node that would own an address of `service`, which is as it would be with the address. */
  prospectOf(service: Service, address: string): Prospect {
    return this.#book.prospectOf(service, address);
  }

  /** A Service came, changed or went. */
  serviceChanged(key: string): void {
    this.#changed.add(key);
    this.#plan();
  }

  /** An object of the configuration, or a node, changed. */
  configChanged(plural: string): void {
    if (!DECISIVE.has(plural)) return;
    if (plural === resources.poolSets.plural) this.#book.poolSetChanged();
    else this.#book.configChanged();
    this.#plan();
  }

  reportChanged(node: string): void {
    this.#book.reportChanged(node);
    const report = this.#world.stores.nodeAnnouncements.get(`${this.#ownNamespace}/${node}`);
    if (report?.probes) this.#onProbed(report.probes);
    this.#plan();
  }

  renewed(lease: Lease): void {
    this.#book.renewed(lease);
    this.#plan();
  }

  slicesChanged(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    this.#book.slicesChanged(before, after);
    this.#plan();
  }

  announcementChanged(key: string): void {
    this.#keeper.seen(key);
    this.#queue.add(key);
  }

  #checkLeases(): void {
    this.#book.checkLeases();
    this.#plan();
  }

  #end(timer: NodeJS.Timeout): void {
    this.#hasEnded = true;
    clearInterval(timer);
  }

  #plan(delayMs = GATHER_MS): void {
    if (this.#isPlanned || this.#hasEnded) return;
    this.#isPlanned = true;
    setTimeout(() => {
      this.#isPlanned = false;
      // Each address that is written is a change, and what is said of it would hold up the next.
      if (this.#isBusy()) this.#plan(BUSY_MS);
      else this.#flushing = this.#flushing.then(() => this.#flush());
    }, delayMs).unref();
  }

  /** In slices: on this thread also addresses are decided and the Lease is renewed. */
  async #flush(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const [at, key] of changed.entries()) {
      this.#book.serviceChanged(key);
      // Also when nothing of it counts here: somebody may have changed its status.
      this.#queue.add(key);
      if (at % SLICE === SLICE - 1) await new Promise(setImmediate);
    }
    while (this.#book.settle(SLICE)) await new Promise(setImmediate);
    let looked = 0;
    for (const key of this.#book.changes()) {
      this.#queue.add(key);
      looked += 1;
      if (looked % SLICE === 0) await new Promise(setImmediate);
    }
  }
}
