/** What a speaker sees of the cluster: five informers, one more where external IPs are announced, and what counts of their objects. */

import type { L2Advertisement } from '../../crds/l2-advertisement.ts';
import { POOL_SET_NAME, type PoolSet } from '../../crds/pool-set.ts';
import { announcedServiceOf, announcingNodeOf, peerAddressOf, serviceKeyOf } from '../advertising/announced-service.ts';
import { clusterConfigOf } from '../advertising/cluster-config.ts';
import { grantsByService } from '../advertising/external-ips.ts';
import type { AdvertisingConfig, AnnouncedService } from '../advertising/snapshot.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { CrdGuard } from '../cluster/crd-guard.ts';
import { Informer, type InformerMetrics } from '../cluster/informer.ts';
import { InformerOnDemand } from '../cluster/informer-on-demand.ts';
import { type EndpointSlice, keyOf, type Node, type Service } from '../cluster/objects.ts';
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
  /** Services of other types that name external IPs, while any is announced. */
  readonly #externals: InformerOnDemand<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #nodes: Informer<Node>;
  readonly #advertisements: Informer<L2Advertisement>;
  readonly #poolSets: Informer<PoolSet>;
  readonly #listeners: ((change: ViewChange) => void)[] = [];
  /** The last PoolSet seen: one deleted by hand is written anew by the operator, and until then rules on. */
  #poolSet: PoolSet | undefined;
  /** The external IPs that each Service may have announced. */
  #grants: ReadonlyMap<string, readonly string[]> = new Map();
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
    this.#externals = new InformerOnDemand(connection, resources.externalServices, { log });
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
    const running = [...informers, this.#externals].map((informer) => informer.run(signal));
    const complete = Promise.all(informers.map((informer) => informer.synced(signal)));
    // Whether anybody wants those is known by then.
    await complete
      .then(() => this.#externals.synced(signal))
      .then(
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
    return [...this.#services.store.list(), ...this.#externals.store.list()].map(keyOf);
  }

  service(key: string): Service | undefined {
    return this.#services.store.get(key) ?? this.#externals.store.get(key);
  }

  ownNode(): Node | undefined {
    return this.#nodes.store.get(this.#settings.nodeName);
  }

  get detectsDuplicates(): boolean {
    return this.#poolSet?.pools.some(({ duplicateAddressDetection }) => duplicateAddressDetection) === true;
  }

  announcedService(key: string): AnnouncedService | undefined {
    const service = this.service(key);
    const slices = this.#slices.store.by(BY_SERVICE, key);
    return service && announcedServiceOf(service, slices, this.#settings.lbClass, this.#grants.get(key));
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
    for (const services of [this.#services, this.#externals])
      services.onChange(({ key }) => this.#tell({ kind: 'Service', key }));
    this.#slices.onChange(({ before, after }) => {
      const keys = new Set([before, after].map((slice) => slice && serviceKeyOf(slice)));
      for (const key of keys) if (key && this.service(key)) this.#tell({ kind: 'Service', key });
    });
    this.#nodes.onChange(({ before, after }) => {
      if (!before || !after || seen(before) !== seen(after)) this.#tell({ kind: 'Config' });
    });
    this.#advertisements.onChange(({ before, after }) => {
      if (!before || !after || JSON.stringify(before.spec) !== JSON.stringify(after.spec))
        this.#tell({ kind: 'Config' });
    });
    this.#poolSets.onChange(({ after }) => after && this.#takePoolSet(after));
  }

  /** Only pools concern every Service: what rests, and who may have external IPs, changes far more often. */
  #takePoolSet(poolSet: PoolSet): void {
    const before = this.#poolSet;
    const grantedBefore = this.#grants;
    this.#poolSet = poolSet;
    this.#grants = grantsByService(poolSet.externalIPs ?? []);
    this.#externals.want(this.#grants.size > 0);
    for (const key of new Set([...grantedBefore.keys(), ...this.#grants.keys()]))
      if (String(grantedBefore.get(key)) !== String(this.#grants.get(key))) this.#tell({ kind: 'Service', key });
    if (!before || JSON.stringify(before.pools) !== JSON.stringify(poolSet.pools)) this.#tell({ kind: 'Config' });
  }

  #tell(change: ViewChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** What counts of a Node: its status is written far more often than any of this changes. */
const seen = (node: Node): string => JSON.stringify([announcingNodeOf(node), node.status?.addresses]);
