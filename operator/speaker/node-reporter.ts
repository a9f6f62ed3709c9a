/**
 * Tells the cluster what this node announces: its NodeAnnouncement, and the Lease that says for how long that holds.
 *
 * It follows what the threads and the view say anyway, on the main thread and a moment later: no takeover waits for it.
 */

import {
  type NodeAnnouncement,
  type NodeReason,
  nodeLeaseName,
  type ProbeResult,
  SPEAKER_LABELS,
} from '../../crds/node-announcement.ts';
import type { ObjectMeta } from '../../crds/object-meta.ts';
import { nodeReasonsOf } from '../advertising/node-reasons.ts';
import { NodeReport, reportSignature } from '../advertising/node-report.ts';
import type { AdvertisingConfig } from '../advertising/snapshot.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { fieldManagers } from '../cluster/field-managers.ts';
import { Informer } from '../cluster/informer.ts';
import type { KubernetesObject, Lease, Node, Service } from '../cluster/objects.ts';
import { applyRequest } from '../cluster/requests.ts';
import { resources } from '../cluster/resource.ts';
import type { Logger } from '../observability/log.ts';
import type { ViewChange } from './cluster-view.ts';
import type { FromClock, FromWire } from './messages.ts';
import { ReportPace } from './report-pace.ts';
import type { Threads } from './threads.ts';
import type { Clock } from './wire/clock.ts';

/** What the reporter asks of the speaker's view of the cluster. */
export interface ReportedView {
  service(key: string): Service | undefined;
  ownNode(): Node | undefined;
  config(): AdvertisingConfig;
  onChange(listener: (change: ViewChange) => void): void;
}

export interface NodeReporterOptions {
  readonly connection: ApiConnection;
  readonly namespace: string;
  readonly node: string;
  readonly threads: Pick<Threads, 'onWire' | 'onClock'>;
  readonly view: ReportedView;
  readonly ignoresExcludeLabel: boolean;
  /** Whether the speaker could own addresses. */
  readonly readiness: () => { readonly ready: boolean; readonly why?: string; readonly warning?: NodeReason };
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  readonly metrics: ReportMetrics;
  readonly log: Logger;
}

export interface ReportMetrics {
  reported(result: 'Written' | 'Failed'): void;
}

/** How often the Lease is renewed, and how old it may be: later the report counts no more. */
const LEASE_EVERY_MS = 10_000;
const LEASE_SECONDS = 40;
const RETRY_MS = 2_000;

export class NodeReporter {
  readonly #options: NodeReporterOptions;
  readonly #report: NodeReport;
  readonly #pace = new ReportPace();
  readonly #faults = new Map<string, NodeReason>();
  /** The signature of what is stored; undefined: nobody knows. */
  #written: string | undefined;
  #alive: ReadonlySet<string> = new Set();
  #cancel: () => void = () => {};
  #dueAt = Number.POSITIVE_INFINITY;
  /** The wire thread has said what it owns. */
  #hasBegun = false;
  #isStopped = false;
  #isWriting = false;

  constructor(options: NodeReporterOptions) {
    this.#options = options;
    const { ignoresExcludeLabel } = options;
    this.#report = new NodeReport({ algorithmVersion: 1, alive: [], interfaces: [], ignoresExcludeLabel });
    options.threads.onWire((message) => this.#onWire(message));
    options.threads.onClock((message) => this.#onClock(message));
    options.view.onChange((change) => {
      if (change.kind === 'Service')
        this.#report.sawService(change.key, options.view.service(change.key)?.metadata.resourceVersion);
      else this.#plan();
    });
  }

  /** The answers to the AddressProbes that are there. `isNews`: somebody waits for one; else they are told with the next report. */
  setProbes(results: readonly ProbeResult[], isNews: boolean): void {
    this.#report.setProbes(results);
    if (isNews) this.#plan();
  }

  /** Works until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    await this.#ownReport().run(signal);
  }

  /** Notices when the report is gone, by hand or with its definition. */
  #ownReport(): Informer<NodeAnnouncement> {
    const { connection, namespace, node, log } = this.#options;
    const resource = {
      ...resources.nodeAnnouncements,
      namespace,
      fieldSelector: `metadata.name=${node}`,
      trim: ({ metadata }: NodeAnnouncement) => ({ metadata }) as NodeAnnouncement,
    };
    const informer = new Informer(connection, resource, { log });
    informer.onChange(({ after }) => {
      if (after) return;
      this.#written = undefined;
      this.#plan();
    });
    return informer;
  }

  #stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #onWire(message: FromWire): void {
    if (message.kind === 'Fault')
      this.#faults.set(message.reason, { reason: message.reason, message: message.message });
    if (message.kind === 'Responder') this.#report.setResponder(message.responder);
    if (message.kind !== 'Owned') return;
    this.#report.setOwned(message.services);
    const { keeps: _before, ...inputs } = this.#report.inputs;
    const keeps = message.keeps?.length ? { keeps: [...message.keeps] } : {};
    this.#report.setInputs({ ...inputs, interfaces: [...message.interfaces], ...keeps });
    this.#begin();
    this.#plan();
  }

  #onClock(message: FromClock): void {
    if (message.kind === 'Available') this.#available(message.nodes);
    if (message.kind === 'Fault')
      this.#faults.set(message.reason, { reason: message.reason, message: message.message });
    if (message.kind !== 'Peers') return;
    this.#report.setInputs({ ...this.#report.inputs, algorithmVersion: message.algorithmVersion });
    this.#plan();
  }

  #available(nodes: readonly string[]): void {
    const isLoss = [...this.#alive].some((node) => !nodes.includes(node));
    this.#alive = new Set(nodes);
    this.#report.setInputs({ ...this.#report.inputs, alive: nodes.toSorted() });
    this.#plan(isLoss);
  }

  /** From now on the Lease is renewed: there is something that it holds for. */
  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    void this.#renew();
  }

  #plan(isLoss = false): void {
    if (!this.#hasBegun || this.#isStopped) return;
    const { clock } = this.#options;
    const dueAt = this.#pace.dueAt(clock.now(), isLoss);
    if (this.#dueAt <= dueAt) return;
    this.#cancel();
    this.#dueAt = dueAt;
    this.#cancel = clock.after(Math.max(0, dueAt - clock.now()), () => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    const { clock, metrics, log } = this.#options;
    if (this.#isStopped || this.#isWriting) return;
    this.#report.setReasons(this.#reasons());
    const content = this.#report.content();
    const signature = reportSignature(content);
    if (signature === this.#written) return;
    this.#isWriting = true;
    this.#pace.wrote(clock.now());
    this.#written = signature;
    try {
      await this.#apply(resources.nodeAnnouncements, this.#options.node, content, 'background');
      metrics.reported('Written');
    } catch (error) {
      this.#written = undefined;
      metrics.reported('Failed');
      log.debug('the report of this node was not written', { error });
    }
    this.#isWriting = false;
    // What changed meanwhile, or failed, is written in its turn.
    if (this.#written === undefined) clock.after(RETRY_MS, () => this.#plan());
    else this.#plan();
  }

  #reasons(): readonly NodeReason[] {
    const { readiness, node, view } = this.#options;
    const { ready, why = '', warning } = readiness();
    const notReady: NodeReason[] = ready ? [] : [{ reason: 'NotReady', message: why }];
    return [
      ...nodeReasonsOf(node, view.config()),
      ...notReady,
      ...(warning ? [warning] : []),
      ...this.#faults.values(),
    ];
  }

  /** Says that this node is there; rejects when the API server does not take it. @param timeoutMs as long as any request when missing */
  async renewLease(timeoutMs?: number): Promise<void> {
    const { wallClock, node } = this.#options;
    const renewTime = new Date(wallClock()).toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: node, leaseDurationSeconds: LEASE_SECONDS, renewTime };
    const content = { spec } satisfies Pick<Lease, 'spec'>;
    await this.#apply(resources.leases, nodeLeaseName(node), content, 'lease', timeoutMs);
  }

  /** Also looks at what changes without a word: readiness. */
  async #renew(): Promise<void> {
    const { clock, log } = this.#options;
    if (this.#isStopped) return;
    try {
      await this.renewLease();
      clock.after(LEASE_EVERY_MS, () => void this.#renew());
    } catch (error) {
      log.debug('the Lease of this node was not renewed', { error });
      clock.after(RETRY_MS, () => void this.#renew());
    }
    this.#plan();
  }

  async #apply(
    resource: typeof resources.nodeAnnouncements | typeof resources.leases,
    name: string,
    content: object,
    lane: 'background' | 'lease',
    timeoutMs?: number,
  ): Promise<void> {
    const { connection, namespace } = this.#options;
    const metadata: ObjectMeta = { name, namespace, labels: SPEAKER_LABELS, ...this.#ownedByNode() };
    const object: KubernetesObject = { metadata, ...content };
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    await connection.request({ ...applyRequest(resource, object, fieldManagers.speaker), lane, ...limit });
  }

  /** With the Node gone, the garbage collector deletes what it said. */
  #ownedByNode(): Pick<ObjectMeta, 'ownerReferences'> {
    const { name, uid } = this.#options.view.ownNode()?.metadata ?? {};
    if (name === undefined || uid === undefined) return {};
    return { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] };
  }
}
