/** The role `herald operator`: decides about addresses and configuration while it leads, and keeps up while it stands by. */

import { kinds } from '../../crds/kinds.ts';
import type { Prospect } from '../advertising/prospect.ts';
import { connect, type HttpConnection } from '../cluster/api-connection.ts';
import { CrdGuard } from '../cluster/crd-guard.ts';
import { Definitions, inWords } from '../cluster/definitions.ts';
import { EventRecorder } from '../cluster/events.ts';
import { followApiServers } from '../cluster/follow-api-servers.ts';
import { LeaderElection } from '../cluster/leader-election.ts';
import type { LeaderTerm } from '../cluster/leader-term.ts';
import { createClusterMetrics, createDefinitionMetrics } from '../cluster/metrics.ts';
import type { Service } from '../cluster/objects.ts';
import { HeraldOperator } from '../cluster/operator.ts';
import type { ResourceAddress } from '../cluster/resource.ts';
import { StatusWriter } from '../cluster/status-writer.ts';
import { type RunningServer, startHealthServer, startMetricsServer } from '../observability/http.ts';
import { createLogger, type Logger } from '../observability/log.ts';
import { createRegistry } from '../observability/registry.ts';
import { AnnouncedWork } from '../reconcilers/announced-work.ts';
import { announcedWorld } from '../reconcilers/announced-world.ts';
import { ClusterWorld } from '../reconcilers/cluster-world.ts';
import { Informers } from '../reconcilers/informers.ts';
import { LeaderWork } from '../reconcilers/leader-work.ts';
import {
  createAllocatorMetrics,
  createAnnouncedMetrics,
  createDetectionMetrics,
  createSourceStateMetrics,
} from '../reconcilers/metrics.ts';
import { probeWorld } from '../reconcilers/probe-world.ts';
import { ReportInformers } from '../reconcilers/report-informers.ts';
import type { Scope } from '../reconcilers/world.ts';
import type { OperatorSettings } from '../settings/operator.ts';
import { createSourceMetrics } from '../sources/metrics.ts';

const LEASE = 'herald-operator';
/**
 * A process that has to stand by when it starts lists so much later, and at once when it is to lead: beside it somebody
 * leads who may just have started too, with thousands of Services to serve.
 */
const STANDBY_LISTS_AFTER_MS = 4_000;
/** How long events may still be written when the process ends. */
const FLUSH_MS = 500;

/** Runs until SIGTERM or SIGINT; then gives the Lease back, so that a standby takes over at once. Returns 0. */
export async function runOperator(settings: OperatorSettings): Promise<number> {
  const log = createLogger({ level: settings.logLevel }).child({ pod: settings.podName });
  const operator = new OperatorProcess(settings, log);
  const ending = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => resolve(signal));
  });
  await operator.start();
  log.info('stopping', { signal: await ending });
  await operator.stop();
  return 0;
}

/** While the reports of nodes are not known nobody can be asked. */
const NO_PROSPECT: Prospect = { node: undefined, reason: 'NoReport', message: 'no node reports what it announces yet' };

class OperatorProcess {
  readonly #settings: OperatorSettings;
  readonly #log: Logger;
  /** Whole seconds, as the API server tells who wrote when. */
  readonly #startedAt = `${new Date().toISOString().slice(0, 19)}Z`;
  readonly #registry = createRegistry();
  readonly #metrics = createClusterMetrics(this.#registry);
  readonly #connection: HttpConnection;
  readonly #recorder: EventRecorder;
  readonly #informers: Informers;
  readonly #reports: ReportInformers;
  readonly #operator: HeraldOperator;
  readonly #definitions: Definitions;
  readonly #sourceObserver: ReturnType<typeof createSourceMetrics>;
  readonly #probed = createDetectionMetrics(this.#registry);
  #mayList: () => void = () => undefined;
  #servers: readonly RunningServer[] = [];
  /** What runs while we lead. */
  #work: LeaderWork | undefined;
  #announced: AnnouncedWork | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(settings: OperatorSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    const metrics = this.#metrics;
    this.#connection = connect(settings, { metrics });
    this.#recorder = new EventRecorder(this.#connection, {
      component: 'herald-operator',
      instance: settings.podName,
      log,
      metrics,
      holdWhile: () => this.#work?.isBusy === true,
    });
    const options = { log, metrics, guardOf: (resource: ResourceAddress) => new CrdGuard(this.#connection, resource) };
    this.#informers = new Informers(this.#connection, options, settings.namespace);
    this.#reports = new ReportInformers(this.#connection, options, settings.namespace, () => this.#announced);
    this.#informers.onService((key) => {
      this.#work?.serviceChanged(key);
      this.#announced?.serviceChanged(key);
    });
    this.#informers.onConfig((plural) => {
      this.#work?.configChanged();
      this.#announced?.configChanged(plural);
    });
    this.#definitions = new Definitions(this.#connection, kinds);
    createDefinitionMetrics(this.#registry, () =>
      this.#definitions.foreign.map(({ definition }) => definition.metadata.name),
    );
    createAllocatorMetrics(this.#registry, () => this.#work?.report());
    createSourceStateMetrics(this.#registry, () => this.#work?.report());
    this.#sourceObserver = createSourceMetrics(this.#registry);
    createAnnouncedMetrics(this.#registry, () => this.#announced?.states());
    const informers = [...this.#informers.all, ...this.#reports.all];
    const mayList = new Promise<void>((resolve) => {
      this.#mayList = resolve;
    });
    this.#operator = new HeraldOperator({ log, informers, mayList, work: (signal) => this.#elect(signal) });
  }

  async start(): Promise<void> {
    const { healthProbePort, metricsPort, metricsBindAddress } = this.#settings;
    const health = await startHealthServer({ port: healthProbePort, isReady: () => this.#readiness() });
    this.#servers = [health];
    if (metricsPort !== 0)
      this.#servers = [
        health,
        await startMetricsServer({
          port: metricsPort,
          host: metricsBindAddress,
          registry: this.#registry,
          connection: this.#connection,
          log: this.#log,
        }),
      ];
    await this.#operator.start();
  }

  #readiness(): ReturnType<Informers['readiness']> {
    const readiness = this.#informers.readiness();
    const foreign = inWords(this.#definitions.foreign);
    return readiness.ready && foreign !== '' ? { ready: true, why: `CRDsNotOurs: ${foreign}` } : readiness;
  }

  async stop(): Promise<void> {
    this.#operator.stop();
    await this.#operator.stopped();
    await Promise.race([this.#recorder.flush(), new Promise((resolve) => setTimeout(resolve, FLUSH_MS).unref())]);
    this.#recorder.close();
    await Promise.all(this.#servers.map((server) => server.close()));
    this.#connection.close();
  }

  async #elect(signal: AbortSignal): Promise<void> {
    if (!this.#settings.kubeconfig) void followApiServers({ connection: this.#connection, log: this.#log }, signal);
    void this.#informers.externalServices.run(signal);
    setTimeout(this.#mayList, STANDBY_LISTS_AFTER_MS).unref();
    void this.#watchDefinitions(signal);
    const { namespace, podName } = this.#settings;
    const election = new LeaderElection({
      connection: this.#connection,
      namespace,
      name: LEASE,
      identity: podName,
      log: this.#log,
      metrics: this.#metrics,
    });
    const callbacks = {
      onStartedLeading: (term: LeaderTerm) => {
        this.#working = this.#lead(term);
        return this.#working;
      },
      onStoppedLeading: () => this.#working.catch(() => undefined),
    };
    await election.run(callbacks, signal);
  }

  async #watchDefinitions(signal: AbortSignal): Promise<void> {
    await this.#informers.synced(signal).catch(() => undefined);
    await this.#definitions.watch(signal, () => {
      if (this.#work) this.#tellForeignDefinitions();
      this.#work?.configChanged();
    });
  }

  /** Definitions that are not ours are an error to people, and to us a reason to leave their statuses alone. */
  #tellForeignDefinitions(): void {
    for (const { definition, missing } of this.#definitions.foreign) {
      const message = `It has no status.${missing.join(', ')}: apply the definitions of Herald (cdk8s/dist/crds). Until then Herald reads the kind and writes no status.`;
      this.#log.error('CRDsNotOurs', { definition: definition.metadata.name, what: message });
      this.#recorder.event(definition, 'Warning', 'CRDsNotOurs', message);
    }
  }

  /** Nothing is decided before every store is complete, and as fresh as the API server can make it. */
  async #lead(term: LeaderTerm): Promise<void> {
    const since = performance.now();
    this.#mayList();
    await this.#informers.refreshed(since, term.signal);
    const { namespace, configNamespaces, lbClass, breakingChanges } = this.#settings;
    // Addresses do not wait for it; whoever waits for a status of ours meets the failure of a look.
    this.#definitions.known().then(
      () => this.#tellForeignDefinitions(),
      () => undefined,
    );
    const leavesOut = (plural: string): Promise<boolean> => this.#definitions.refuses(plural);
    const writer = new StatusWriter(this.#connection, {
      fieldManager: 'herald-operator',
      metrics: this.#metrics,
      leavesOut,
    });
    const world = new ClusterWorld({
      connection: this.#connection,
      writer,
      recorder: this.#recorder,
      stores: this.#informers.stores,
      namespace,
      term,
      log: this.#log,
      sourceObserver: this.#sourceObserver,
    });
    const scope = { ownNamespace: namespace, configNamespaces, lbClass, breakingChanges, startedAt: this.#startedAt };
    const probes = {
      world: probeWorld(this.#connection, namespace, term),
      prospectOf: (service: Service, address: string) => this.#announced?.prospectOf(service, address) ?? NO_PROSPECT,
      onOutcome: this.#probed,
    };
    const work = new LeaderWork(world, scope, { log: this.#log, metrics: this.#metrics, probes });
    this.#work = work;
    try {
      await Promise.all([work.run(term.signal), this.#rollUp(world, scope, term)]);
    } finally {
      this.#work = undefined;
    }
  }

  /** Says what is announced, as soon as the reports are known; addresses do not wait for that. */
  async #rollUp(world: ClusterWorld, scope: Scope, term: LeaderTerm): Promise<void> {
    const isComplete = await this.#reports.synced(term.signal).then(
      () => true,
      () => false, // aborted
    );
    if (!isComplete) return;
    const reports = announcedWorld(world, this.#reports.stores, this.#connection, term);
    this.#announced = new AnnouncedWork(reports, scope, {
      mode: this.#settings.serviceAnnouncements,
      isBusy: () => this.#work?.isBusy === true,
      onProbed: (results) => this.#work?.probed(results),
      log: this.#log,
      metrics: this.#metrics,
    });
    try {
      await this.#announced.run(term.signal);
    } finally {
      this.#announced = undefined;
    }
  }
}
