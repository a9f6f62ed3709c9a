/** Everything that the leader does during one term: the controllers, and who wakes which. */

import type { ProbeResult } from '../../crds/node-announcement.ts';
import { Controller, type ControllerMetrics, type Outcome, type Reconciler } from '../cluster/controller.ts';
import { keyOf } from '../cluster/objects.ts';
import { WorkQueue, type WorkQueueMetrics, type WorkQueueOptions } from '../cluster/work-queue.ts';
import { capacityOf } from '../config/pool-capacity.ts';
import { isRefused } from '../config/verdict.ts';
import type { Logger } from '../observability/log.ts';
import { AddressBook } from './address-book.ts';
import { AddressPoolReconciler } from './address-pool.ts';
import { AddressSources, type AddressSourcesOptions } from './address-sources.ts';
import { ConditionsReconciler } from './conditions.ts';
import { ConfigKeeper } from './config-keeper.ts';
import { ConfigurationStateReconciler } from './configuration-state.ts';
import { DuplicateDetection, type DuplicateDetectionOptions } from './duplicate-detection.ts';
import { ExternalIpWork, type Line } from './external-ip-work.ts';
import { FormerServicesReconciler } from './former-services.ts';
import { type JudgedKind, otherKinds } from './judged-kinds.ts';
import { MemberKeyReconciler } from './member-key.ts';
import type { AllocatorReport } from './metrics.ts';
import { RefusedServicesReconciler } from './refused-services.ts';
import { GATHER_RESTS_MS, RestingAddresses } from './resting-addresses.ts';
import { ServiceAddressReconciler } from './service-address.ts';
import type { Scope, World } from './world.ts';

/**
 * Status writes that may be under way at once. More get hardly more out of an API server, and each of them waits longer:
 * at 300 writes per second, 16 are 50 ms for one that comes in the middle of thousands.
 */
const SERVICE_WORKERS = 16;
const CONFIG_WORKERS = 8;
/** Objects come in bursts; what is said of them together is said once for the burst. */
const GATHER_FAULTS_MS = 250;
/** Addresses come and go in bursts; what is counted of them is counted once for the burst. */
const GATHER_USE_MS = 100;
/** What is done as a whole has a queue with a single key. */
const THE_ONE = 'herald';

export interface LeaderWorkOptions {
  readonly log: Logger;
  readonly metrics?: ControllerMetrics & {
    queue(name: string): WorkQueueMetrics;
    watchQueue(name: string, queue: WorkQueue): void;
  };
  /** How soon and how often external sources are asked again. */
  readonly sources?: Pick<AddressSourcesOptions, 'backoff' | 'listEveryMs'>;
  /** By what nodes are asked for addresses; without it no address is asked for, whatever its pool says. */
  readonly probes?: Pick<DuplicateDetectionOptions, 'world' | 'prospectOf' | 'onOutcome'>;
}

export class LeaderWork {
  readonly #world: World;
  readonly #options: LeaderWorkOptions;
  readonly #book: AddressBook;
  readonly #sources: AddressSources;
  readonly #keeper: ConfigKeeper;
  readonly #resting: RestingAddresses;
  readonly #rests: Line;
  readonly #refused: Line;
  readonly #services: Line;
  readonly #pools: Line;
  readonly #poolSet: Line;
  readonly #memberKey: Line;
  readonly #former: Line;
  readonly #state: Line;
  readonly #externalIps: ExternalIpWork;
  readonly #detection: DuplicateDetection | undefined;
  readonly #ruleUse: Line;
  readonly #judged: readonly { readonly kind: JudgedKind; readonly line: Line }[];

  constructor(world: World, scope: Scope, options: LeaderWorkOptions) {
    this.#world = world;
    this.#options = options;
    this.#book = new AddressBook(world.stores.services, scope, {
      servicesConcerned: (keys) => this.#servicesConcerned(keys),
      poolsUsed: (keys) => this.#poolsUsed(keys),
      poolsInForce: (pools) => this.#sources.configure(pools),
      worded: (key, decision) => this.#sources.worded(key, decision),
      claimsChanged: (change) => this.#sources.told(change),
      rested: (addresses) => {
        this.#resting.rested(addresses);
        this.#rests.queue.addAfter(THE_ONE, GATHER_RESTS_MS);
      },
    });
    this.#sources = new AddressSources(world, this.#book, {
      log: options.log,
      concerned: (keys) => this.#servicesConcerned(keys),
      ...options.sources,
    });
    this.#resting = new RestingAddresses(world, (address) => this.#book.restore(address, 'CoolingDown'));
    this.#keeper = new ConfigKeeper(
      world,
      this.#book,
      scope,
      () => this.#tellEveryObject(),
      (stored) => this.#resume(stored),
    );
    this.#rests = this.#line(this.#resting, 1);
    this.#refused = this.#line(new RefusedServicesReconciler(this.#book), 1);
    this.#detection = this.#detectionBy(options);
    this.#services = this.#line(
      new ServiceAddressReconciler(world, this.#book, scope, this.#detection),
      SERVICE_WORKERS,
      // A Service that comes while thousands wait is not the last of them.
      'NewestFirst',
    );
    this.#pools = this.#line(new AddressPoolReconciler(world, this.#keeper, this.#book), CONFIG_WORKERS);
    this.#poolSet = this.#line(this.#keeper, 1);
    this.#memberKey = this.#line(new MemberKeyReconciler(world), 1);
    this.#former = this.#line(new FormerServicesReconciler(world, this.#book), 1);
    this.#state = this.#line(new ConfigurationStateReconciler(world, this.#keeper, scope), 1);
    this.#externalIps = new ExternalIpWork(world, {
      book: this.#book,
      keeper: this.#keeper,
      scope,
      isBusy: () => this.isBusy,
      lineOf: (reconciler, workers) => this.#line(reconciler, workers),
    });
    this.#ruleUse = this.#line({ name: 'address-rules', reconcile: async () => this.#countRules() }, 1);
    this.#judged = otherKinds(world.stores).map((kind) => ({
      kind,
      line: this.#line(new ConditionsReconciler(world, this.#keeper, this.#book, kind), CONFIG_WORKERS),
    }));
  }

  /** Works until `signal` aborts; resolves when nothing is under way any more. The stores are complete before. */
  async run(signal: AbortSignal): Promise<void> {
    const lines = [
      this.#services,
      this.#pools,
      this.#poolSet,
      this.#memberKey,
      this.#former,
      this.#state,
      ...this.#externalIps.lines,
      this.#ruleUse,
      this.#rests,
      this.#refused,
      ...this.#judged.map(({ line }) => line),
    ];
    const running = lines.map(({ controller }) => controller.run(signal));
    this.#poolSet.queue.add(THE_ONE);
    this.#memberKey.queue.add(THE_ONE);
    this.#former.queue.add(THE_ONE);
    this.#refused.queue.add(THE_ONE);
    this.#externalIps.begin();
    this.#detection?.start();
    await Promise.all([...running, this.#sources.run(signal)]);
  }

  #resume(stored: Parameters<RestingAddresses['resume']>[0]): ReturnType<RestingAddresses['resume']> {
    const withheld = this.#resting.resume(stored);
    this.#rests.queue.add(THE_ONE);
    return withheld;
  }

  /** Answers to AddressProbes, in the report of a node. */
  probed(results: readonly ProbeResult[]): void {
    this.#detection?.probed(results);
  }

  serviceChanged(key: string): void {
    this.#detection?.serviceChanged(key);
    this.#book.serviceChanged(key);
    this.#externalIps.serviceChanged(key);
  }

  /** A pool, advertisement, peer, namespace or the PoolSet came, changed or went. */
  configChanged(): void {
    this.#poolSet.queue.add(THE_ONE);
  }

  /** Whether more Services wait for their address to be written than are written at once. */
  get isBusy(): boolean {
    return this.#services.queue.length > SERVICE_WORKERS;
  }

  /** What the allocator's gauges show. */
  report(): AllocatorReport {
    const { pools, verdicts } = this.#keeper.config;
    return {
      isLoaded: this.#keeper.isLoaded,
      isStale: [...verdicts.values()].some(isRefused),
      foreign: this.#book.foreignCounts(),
      sources: this.#sources.report(),
      pools: pools.map((pool) => ({
        name: pool.name,
        capacity: pool.isRemnant ? { ipv4: 0n, ipv6: 0n } : capacityOf(pool),
        use: this.#book.useOf(`${pool.namespace}/${pool.name}`),
      })),
    };
  }

  #detectionBy({ probes, log }: LeaderWorkOptions): DuplicateDetection | undefined {
    if (!probes) return undefined;
    return new DuplicateDetection({
      ...probes,
      services: this.#world.stores.services,
      book: this.#book,
      pools: () => this.#keeper.config.pools,
      servicesConcerned: (keys) => this.#servicesConcerned(keys),
      event: (...what) => this.#world.event(...what),
      log,
    });
  }

  #line(reconciler: Reconciler, workers: number, order: NonNullable<WorkQueueOptions['order']> = 'OldestFirst'): Line {
    const { log, metrics } = this.#options;
    const queue = new WorkQueue({ order, ...(metrics && { metrics: metrics.queue(reconciler.name) }) });
    metrics?.watchQueue(reconciler.name, queue);
    return { queue, controller: new Controller(reconciler, { workers, log, queue, ...(metrics && { metrics }) }) };
  }

  #servicesConcerned(keys: Iterable<string>): void {
    addAll(this.#services, keys);
    this.#externalIps.changed();
  }

  #poolsUsed(keys: Iterable<string>): void {
    for (const key of keys) this.#pools.queue.addAfter(key, GATHER_USE_MS);
    this.#ruleUse.queue.addAfter(THE_ONE, GATHER_USE_MS);
    const delayMs = this.#keeper.decideAfterUse(keys);
    if (delayMs !== undefined) this.#poolSet.queue.addAfter(THE_ONE, delayMs);
  }

  /** Where pools are used, reservations and quotas are. */
  #countRules(): Outcome {
    for (const { kind, line } of this.#judged) if (kind.counting) addAll(line, kind.store.list().map(keyOf));
    return { next: 'WaitForChange' };
  }

  #tellEveryObject(): void {
    this.#state.queue.addAfter(THE_ONE, GATHER_FAULTS_MS);
    this.#externalIps.changed();
    addAll(this.#pools, this.#world.stores.pools.list().map(keyOf));
    for (const { kind, line } of this.#judged) addAll(line, kind.store.list().map(keyOf));
  }
}

function addAll({ queue }: Line, keys: Iterable<string>): void {
  for (const key of keys) queue.add(key);
}
