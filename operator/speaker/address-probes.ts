/**
 * Answers the operator's AddressProbes for this node: has the wire thread ask the network, and gives what it heard to
 * the report of the node. Nothing is watched while no pool in force asks for duplicate address detection.
 */

import type { AddressProbe } from '../../crds/address-probe.ts';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import { interfacesOf } from '../advertising/announcements.ts';
import { Coverage } from '../advertising/coverage.ts';
import type { AdvertisingConfig } from '../advertising/snapshot.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { CrdGuard } from '../cluster/crd-guard.ts';
import { InformerOnDemand } from '../cluster/informer-on-demand.ts';
import type { Service } from '../cluster/objects.ts';
import { resources } from '../cluster/resource.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import type { Logger } from '../observability/log.ts';
import type { ViewChange } from './cluster-view.ts';
import type { ProbeRequest } from './messages.ts';
import type { Threads } from './threads.ts';

/** What is asked of the speaker's view of the cluster. */
export interface ProbedView {
  /** Whether some pool in force asks for duplicate address detection. */
  readonly detectsDuplicates: boolean;
  service(key: string): Service | undefined;
  config(): AdvertisingConfig;
  onChange(listener: (change: ViewChange) => void): void;
}

/** Where AddressProbes come from; the tests pass one of their own. */
export interface ProbeSource {
  readonly store: ReadonlyStore<AddressProbe>;
  onChange(listener: () => void): void;
  want(isWanted: boolean): void;
}

export interface AddressProbesOptions {
  readonly source: ProbeSource;
  readonly node: string;
  readonly excludeInterfaces: string;
  readonly view: ProbedView;
  readonly threads: Pick<Threads, 'toWire' | 'onWire'>;
  /** The answers to all probes that are there; `isNews` when one was added. */
  readonly onResults: (results: readonly ProbeResult[], isNews: boolean) => void;
  readonly log: Logger;
}

/** The AddressProbes of the cluster, while they are wanted. */
export const addressProbeSource = (
  connection: ApiConnection,
  namespace: string,
  log: Logger,
): InformerOnDemand<AddressProbe> => {
  const resource = { ...resources.addressProbes, namespace };
  return new InformerOnDemand(connection, resource, { log, crd: new CrdGuard(connection, resource) });
};

export class AddressProbes {
  readonly #options: AddressProbesOptions;
  /** By uid, in the order in which they came. */
  readonly #asked = new Map<string, ProbeRequest>();
  #results: readonly ProbeResult[] = [];

  constructor(options: AddressProbesOptions) {
    this.#options = options;
    const { source, view, threads } = options;
    source.onChange(() => this.#take());
    view.onChange(({ kind }) => {
      if (kind === 'Config') source.want(view.detectsDuplicates);
    });
    threads.onWire((message) => {
      if (message.kind === 'Probed') this.#tell(message.results);
    });
  }

  /** Brings what the wire thread does in line with the probes that are there. */
  #take(): void {
    const { source, node, excludeInterfaces, threads } = this.#options;
    const mine = new Map(
      source.store.list().flatMap((probe) => (probe.node === node ? [[probe.metadata.uid ?? '', probe]] : [])),
    );
    const added = [...mine].filter(([uid]) => !this.#asked.has(uid));
    const gone = [...this.#asked.keys()].filter((uid) => !mine.has(uid));
    if (added.length === 0 && gone.length === 0) return;
    for (const uid of gone) this.#asked.delete(uid);
    if (added.length > 0) this.#ask(added.map(([, probe]) => probe));
    threads.toWire({ kind: 'Probe', probes: [...this.#asked.values()], excludeInterfaces });
    this.#tell(this.#results);
  }

  #ask(probes: readonly AddressProbe[]): void {
    const { view, log } = this.#options;
    const coverage = new Coverage(view.config());
    for (const { metadata, address, service } of probes) {
      const interfaces = this.#interfacesFor(address, service, coverage);
      this.#asked.set(metadata.uid ?? '', { uid: metadata.uid ?? '', address, interfaces });
      log.info('asking the network for an address', { address, service, interfaces });
    }
  }

  /** Those on which this node would announce the address; all of them where it would not (yet). */
  #interfacesFor(address: string, service: string, coverage: Coverage): ProbeRequest['interfaces'] {
    const { view, node } = this.#options;
    const pool = coverage.poolOf(address);
    const covering = pool ? coverage.coveringOf(pool, view.service(service)?.metadata.labels ?? {}) : [];
    return interfacesOf({ covering }, node);
  }

  /** What is no longer asked for is answered no more. */
  #tell(results: readonly ProbeResult[]): void {
    const known = new Set(this.#results.map(({ uid }) => uid));
    const wanted = results.filter(({ uid }) => this.#asked.has(uid));
    const news = wanted.filter(({ uid }) => !known.has(uid));
    if (news.length === 0 && wanted.length === this.#results.length) return;
    this.#results = wanted;
    for (const { uid: _uid, ...answer } of news) this.#options.log.info('the network was asked for an address', answer);
    this.#options.onResults(wanted, news.length > 0);
  }
}
