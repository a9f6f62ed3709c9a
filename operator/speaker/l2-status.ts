/**
 * Tells people which node announces a Service: a ServiceL2Status, as MetalLB's speakers write it, and the event nodeAssigned.
 *
 * The object's name is made from the Service's, not drawn by the API server: so one Service has one object, whoever
 * announces it, the next owner takes it over by one apply, and nobody has to find and delete leftovers. All of it
 * happens a second after a change at the earliest, so that no takeover waits for the API server or loads it.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { labels } from '../../crds/annotations.ts';
import type { ObjectMeta, OwnerReference } from '../../crds/object-meta.ts';
import type { ServiceL2Status } from '../../crds/service-l2-status.ts';
import type { L2Announcement } from '../advertising/announcement.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { fieldManagers } from '../cluster/field-managers.ts';
import { Informer } from '../cluster/informer.ts';
import { type KubernetesObject, splitKey } from '../cluster/objects.ts';
import { applyRequest, deleteObject, getObject, write } from '../cluster/requests.ts';
import { type Resource, resources } from '../cluster/resource.ts';
import type { Logger } from '../observability/log.ts';
import type { OwnedAddress } from './messages.ts';

/** One Service announced from this node. */
export interface AnnouncedHere {
  readonly addresses: readonly string[];
  /** Names; empty means all interfaces. */
  readonly interfaces: readonly string[];
  /** Addresses that are owned and answered on no interface, because none of the wanted ones exists. */
  readonly unanswered: readonly string[];
}

export interface L2StatusOptions {
  readonly connection: ApiConnection;
  readonly namespace: string;
  readonly node: string;
  readonly podName: string;
  readonly log: Logger;
  /** Called once for each Service that this node begins to announce, and again when that fails. */
  readonly onAnnounced: (service: string, announced: AnnouncedHere) => void;
  /** Whether there are few enough Services for reports about each (decision 18: 500). */
  readonly isWanted: () => boolean;
  readonly settleMs?: number;
  readonly releaseMs?: number;
  readonly pauseMs?: number;
  readonly retryMs?: number;
}

const SETTLE_MS = 1_000;
/** Two requests per Service: at most 20 requests per second and node. */
const PAUSE_MS = 100;
/** How long the former owner waits before it deletes what no successor took over. */
const RELEASE_MS = 4_000;
const RETRY_MS = 2_000;

/** What this node announces, by Service. */
export function announcedHere(
  owned: readonly OwnedAddress[],
  desired: readonly L2Announcement[],
): ReadonlyMap<string, AnnouncedHere> {
  const wanted = new Map(desired.map(({ service, address, interfaces }) => [`${service} ${address}`, interfaces]));
  const here = new Map<string, AnnouncedHere>();
  for (const { service, address, interfaces } of owned) {
    const before = here.get(service) ?? { addresses: [], interfaces: [], unanswered: [] };
    const isAll = wanted.get(`${service} ${address}`) === 'all';
    here.set(service, {
      addresses: [...before.addresses, address],
      interfaces: isAll ? before.interfaces : [...new Set([...before.interfaces, ...interfaces])].toSorted(),
      unanswered: interfaces.length === 0 ? [...before.unanswered, address] : before.unanswered,
    });
  }
  return here;
}

/** The name of the ServiceL2Status of one Service. */
export const l2StatusNameOf = (service: string): string =>
  `l2-${createHash('sha256').update(service).digest('hex').slice(0, 16)}`;

const serviceOf = ({ status }: ServiceL2Status): string => `${status?.serviceNamespace}/${status?.serviceName}`;

/** Stands for a text that this process did not write. */
const LEFTOVER = '';

export class L2StatusReporter {
  readonly #options: L2StatusOptions;
  readonly #resource: Resource<ServiceL2Status>;
  #here: ReadonlyMap<string, AnnouncedHere> = new Map();
  /** What was written last, by Service. */
  readonly #written = new Map<string, string>();
  /** Services whose object vanished after we wrote it. */
  readonly #gone = new Set<string>();
  /** The objects that bear our node's label. */
  readonly #objects: Informer<ServiceL2Status>;
  /** When each Service may be looked at. */
  readonly #due = new Map<string, number>();
  #owner: OwnerReference | undefined;
  #wake: () => void = () => {};

  constructor(options: L2StatusOptions) {
    this.#options = options;
    this.#resource = { ...resources.serviceL2Statuses, namespace: options.namespace };
    const mine = { ...this.#resource, labelSelector: `${labels.l2StatusNode}=${options.node}` };
    this.#objects = new Informer(options.connection, mine, { log: options.log });
    this.#objects.onChange(({ before, after }) => {
      if (before && !after) this.#onGone(serviceOf(before));
    });
  }

  /** Takes the whole set in, after each change. */
  announced(here: ReadonlyMap<string, AnnouncedHere>): void {
    this.#here = here;
    const now = performance.now();
    const settle = this.#options.settleMs ?? SETTLE_MS;
    for (const [service, announced] of here)
      if (this.#written.get(service) !== JSON.stringify(announced)) this.#plan(service, now + settle);
    for (const service of this.#written.keys()) if (!here.has(service)) this.#plan(service, now + this.#releaseMs);
    this.#wake();
  }

  /** Works until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    const following = this.#objects.run(signal);
    await this.#objects.synced(signal).then(
      () => this.#adoptLeftovers(),
      () => undefined, // aborted
    );
    while (!signal.aborted) await this.#turn(signal);
    await following;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const next = [...this.#due].find(([, at]) => at <= now)?.[0];
    if (next === undefined) return this.#nextDue(signal);
    this.#due.delete(next);
    try {
      await this.#report(next);
    } catch (error) {
      this.#options.log.debug('a ServiceL2Status was not written', { service: next, error });
      this.#plan(next, performance.now() + (this.#options.retryMs ?? RETRY_MS));
    }
    await sleep(this.#options.pauseMs ?? PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }

  get #releaseMs(): number {
    return this.#options.releaseMs ?? RELEASE_MS;
  }

  #plan(service: string, at: number): void {
    if (!this.#due.has(service)) this.#due.set(service, at);
  }

  #nextDue(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const earliest = Math.min(...this.#due.values());
      const timer = Number.isFinite(earliest)
        ? setTimeout(() => resolve(), Math.max(1, earliest - performance.now()))
        : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** What an earlier process on this node wrote counts as written by us, so that it is deleted if it no longer holds. */
  #adoptLeftovers(): void {
    for (const object of this.#objects.store.list()) {
      const service = serviceOf(object);
      if (this.#written.has(service)) continue;
      this.#written.set(service, LEFTOVER);
      if (!this.#here.has(service)) this.#plan(service, performance.now() + this.#releaseMs);
    }
  }

  /** An object of ours went, by hand, with its definition, or because a successor has taken it over. */
  #onGone(service: string): void {
    if (!this.#written.has(service)) return;
    this.#gone.add(service);
    this.#plan(service, performance.now() + (this.#options.settleMs ?? SETTLE_MS));
    this.#wake();
  }

  async #report(service: string): Promise<void> {
    const announced = this.#here.get(service);
    if (!announced) return this.#release(service);
    if (!this.#options.isWanted()) return;
    const text = JSON.stringify(announced);
    const before = this.#written.get(service);
    if (before === text && !(await this.#isMissing(service))) return;
    await this.#write(service, announced);
    this.#gone.delete(service);
    this.#written.set(service, text);
    const isNew = before === undefined || before === LEFTOVER;
    if (isNew || (before !== text && announced.unanswered.length > 0)) this.#options.onAnnounced(service, announced);
  }

  /** Of a Service whose families have two owners, who wrote last stays: they must not write in turns for ever. */
  async #isMissing(service: string): Promise<boolean> {
    if (!this.#gone.has(service)) return false;
    const { connection, namespace } = this.#options;
    const object = await getObject(connection, this.#resource, { namespace, name: l2StatusNameOf(service) });
    if (object) this.#gone.delete(service);
    return object === undefined;
  }

  /** Two requests: the status is a subresource. */
  async #write(service: string, { interfaces }: AnnouncedHere): Promise<void> {
    const { connection, namespace, node } = this.#options;
    const { namespace: serviceNamespace = '', name: serviceName } = splitKey(service);
    const metadata: ObjectMeta = { name: l2StatusNameOf(service), namespace };
    const named = {
      [labels.l2StatusNode]: node,
      [labels.l2StatusServiceName]: serviceName,
      [labels.l2StatusServiceNamespace]: serviceNamespace,
    };
    const ownerReferences = await this.#ownerReferences();
    const object: KubernetesObject = { metadata: { ...metadata, labels: named, ownerReferences } };
    await write(connection, applyRequest(this.#resource, object, fieldManagers.speaker));
    const status = { node, serviceName, serviceNamespace, interfaces: interfaces.map((each) => ({ name: each })) };
    const change: Pick<ServiceL2Status, 'metadata' | 'status'> = { metadata, status };
    await write(connection, applyRequest(this.#resource, change, fieldManagers.speaker, 'status'));
  }

  /** Deletes the object unless a successor has taken it over. */
  async #release(service: string): Promise<void> {
    this.#gone.delete(service);
    if (!this.#written.delete(service)) return;
    const { connection, namespace, node } = this.#options;
    const object = await getObject(connection, this.#resource, { namespace, name: l2StatusNameOf(service) });
    if (object?.metadata.labels?.[labels.l2StatusNode] !== node) return;
    await deleteObject(connection, this.#resource, object.metadata);
  }

  /** With the pod gone for good, the garbage collector deletes what nobody took over. */
  async #ownerReferences(): Promise<readonly OwnerReference[]> {
    if (!this.#owner) {
      const { connection, namespace, podName } = this.#options;
      const pod = await getObject(connection, resources.pods, { namespace, name: podName });
      const { uid } = pod?.metadata ?? {};
      if (uid !== undefined) this.#owner = { apiVersion: 'v1', kind: 'Pod', name: podName, uid };
    }
    return this.#owner ? [this.#owner] : [];
  }
}
