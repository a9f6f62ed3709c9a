/** What a speaker sees of the cluster: five informers, and what counts of their objects. */

import type { L2Advertisement } from '../../crds/l2-advertisement.ts';
import { POOL_SET_NAME, type PoolSet } from '../../crds/pool-set.ts';
import { announcedServiceOf, announcingNodeOf, peerAddressOf, serviceKeyOf } from '../advertising/announced-service.ts';
import { clusterConfigOf } from '../advertising/cluster-config.ts';
import type { AdvertisingConfig, AnnouncedService } from '../advertising/snapshot.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { CrdGuard } from '../cluster/crd-guard.ts';
import { Informer, type InformerMetrics } from '../cluster/informer.ts';
import type { EndpointSlice, Node, Service } from '../cluster/objects.ts';
import { type ResourceAddress, resources } from '../cluster/resource.ts';
import { parseIp } from '../net/address.ts';
import type { Logger } from '../observability/log.ts';
import type { SpeakerSettings } from '../settings/speaker.ts';
import type { PeerAddress } from './messages.ts';

/** What changed: one Service (its object or its endpoints), or what is alike for all. */
export type ViewChange = { readonly kind: 'Service'; readonly key: string } | { readonly kind: 'Config' };

/** What the agent needs of it; the tests pass an object literal. */
export interface View {
  /** Whether everything was listed once. It stays true while the API server is away: the last state counts. */
  readonly hasSynced: boolean;
  /** Whether the operator has stored which pools are in force. */
  readonly knowsPools: boolean;
  announcedService(key: string): AnnouncedService | undefined;
  config(): AdvertisingConfig;
  /** The other nodes. */
  peers(): readonly PeerAddress[];
  onChange(listener: (change: ViewChange) => void): void;
}

const BY_SERVICE = 'service';

export interface ClusterViewOptions {
  readonly connection: ApiConnection;
  readonly settings: Pick<
    SpeakerSettings,
    'namespace' | 'configNamespaces' | 'nodeName' | 'lbClass' | 'ignoreExcludeLb' | 'heartbeat'
  >;
  readonly log: Logger;
  readonly metrics?: InformerMetrics;
}

export class ClusterView implements View {
  readonly #settings: ClusterViewOptions['settings'];
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #nodes: Informer<Node>;
  readonly #advertisements: Informer<L2Advertisement>;
  readonly #poolSets: Informer<PoolSet>;
  readonly #listeners: ((change: ViewChange) => void)[] = [];
  /** The last PoolSet seen: one deleted by hand is written anew by the operator, and until then rules on. */
  #poolSet: PoolSet | undefined;
  #hasSynced = false;

  constructor({ connection, settings, log, metrics }: ClusterViewOptions) {
    const options = { log, ...(metrics && { metrics }) };
    const poolSets = {
      ...resources.poolSets,
      namespace: settings.namespace,
      fieldSelector: `metadata.name=${POOL_SET_NAME}`,
    };
    const ofCrd = (resource: ResourceAddress) => ({ ...options, crd: new CrdGuard(connection, resource) });
    this.#settings = settings;
    this.#services = new Informer(connection, resources.services, options);
    this.#slices = new Informer(connection, resources.serviceEndpointSlices, {
      ...options,
      indexes: { [BY_SERVICE]: (slice) => [serviceKeyOf(slice) ?? ''] },
    });
    this.#nodes = new Informer(connection, resources.nodes, options);
    this.#advertisements = new Informer(connection, resources.l2Advertisements, ofCrd(resources.l2Advertisements));
    this.#poolSets = new Informer(connection, poolSets, ofCrd(poolSets));
    this.#listen();
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get knowsPools(): boolean {
    return this.#poolSet !== undefined;
  }

  /** Works until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#services, this.#slices, this.#nodes, this.#advertisements, this.#poolSets];
    const running = informers.map((informer) => informer.run(signal));
    await Promise.all(informers.map((informer) => informer.synced(signal))).then(
      () => {
        this.#hasSynced = true;
        this.#tell({ kind: 'Config' });
      },
      () => undefined, // aborted
    );
    await Promise.all(running);
  }

  /** Which informers have not listed yet, for people. */
  missing(): readonly string[] {
    const informers = [this.#services, this.#slices, this.#nodes, this.#advertisements, this.#poolSets];
    return informers.filter(({ hasSynced }) => !hasSynced).map(({ resource }) => resource.plural);
  }

  serviceKeys(): readonly string[] {
    return this.#services.store.list().map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  }

  service(key: string): Service | undefined {
    return this.#services.store.get(key);
  }

  ownNode(): Node | undefined {
    return this.#nodes.store.get(this.#settings.nodeName);
  }

  get detectsDuplicates(): boolean {
    return this.#poolSet?.pools.some(({ duplicateAddressDetection }) => duplicateAddressDetection) === true;
  }

  announcedService(key: string): AnnouncedService | undefined {
    const service = this.#services.store.get(key);
    return service && announcedServiceOf(service, this.#slices.store.by(BY_SERVICE, key), this.#settings.lbClass);
  }

  config(): AdvertisingConfig {
    const { namespace, configNamespaces, nodeName, ignoreExcludeLb } = this.#settings;
    const config = clusterConfigOf({
      ownNamespace: namespace,
      configNamespaces,
      inForce: this.#poolSet?.pools ?? [],
      l2Advertisements: this.#advertisements.store.list(),
      nodes: this.#nodes.store.list(),
    });
    return { ...config, node: nodeName, ignoresExcludeLabel: ignoreExcludeLb };
  }

  peers(): readonly PeerAddress[] {
    const { nodeName, heartbeat } = this.#settings;
    const own = this.#nodes.store.get(nodeName);
    const bound = heartbeat.bindAddress ?? (own && peerAddressOf(own, undefined)?.address) ?? '';
    const family = parseIp(bound)?.family;
    const others = this.#nodes.store.list().filter(({ metadata }) => metadata.name !== nodeName);
    return others.flatMap((node) => peerAddressOf(node, family) ?? []);
  }

  onChange(listener: (change: ViewChange) => void): void {
    this.#listeners.push(listener);
  }

  #listen(): void {
    this.#services.onChange(({ key }) => this.#tell({ kind: 'Service', key }));
    this.#slices.onChange(({ before, after }) => {
      const keys = new Set([before, after].map((slice) => slice && serviceKeyOf(slice)));
      for (const key of keys) if (key && this.#services.store.get(key)) this.#tell({ kind: 'Service', key });
    });
    this.#nodes.onChange(({ before, after }) => {
      if (!before || !after || seen(before) !== seen(after)) this.#tell({ kind: 'Config' });
    });
    this.#advertisements.onChange(({ before, after }) => {
      if (!before || !after || JSON.stringify(before.spec) !== JSON.stringify(after.spec))
        this.#tell({ kind: 'Config' });
    });
    this.#poolSets.onChange(({ after }) => {
      this.#poolSet = after ?? this.#poolSet;
      if (after) this.#tell({ kind: 'Config' });
    });
  }

  #tell(change: ViewChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** What counts of a Node: its status is written far more often than any of this changes. */
const seen = (node: Node): string => JSON.stringify([announcingNodeOf(node), node.status?.addresses]);
