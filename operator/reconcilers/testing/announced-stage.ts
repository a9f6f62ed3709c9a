/** A cluster in memory for the roll-up: stores, speakers that report what they own, and a record of every write. */

import type { Condition } from '../../../crds/condition.ts';
import type { L2Advertisement } from '../../../crds/l2-advertisement.ts';
import type { NodeAnnouncement } from '../../../crds/node-announcement.ts';
import type { PoolSet } from '../../../crds/pool-set.ts';
import type { ServiceAnnouncement } from '../../../crds/service-announcement.ts';
import { l2Object } from '../../../testing/config-objects.ts';
import { announcedServiceOf, serviceKeyOf } from '../../advertising/announced-service.ts';
import { desiredAnnouncements } from '../../advertising/announcements.ts';
import { clusterConfigOf } from '../../advertising/cluster-config.ts';
import { grantsByService } from '../../advertising/external-ips.ts';
import { NodeReport } from '../../advertising/node-report.ts';
import { type EndpointSlice, keyOf, type Lease, type Node, type Service } from '../../cluster/objects.ts';
import { Store } from '../../cluster/store.ts';
import { ownerOf } from '../../election/rank.ts';
import { AnnouncedBook } from '../announced-book.ts';
import { type AnnouncedWorld, BY_SERVICE } from '../announced-world.ts';
import { AnnouncementKeeper, type AnnouncementKeeperOptions } from '../announcement-keeper.ts';
import { ServiceAnnouncedReconciler } from '../service-announced.ts';

const NS = 'herald-system';
const BORN = '2026-01-01T00:00:00Z';
const SCOPE = { ownNamespace: NS, configNamespaces: [NS], lbClass: '' };

export class AnnouncedStage {
  readonly stores = {
    services: new Store<Service>(),
    externalServices: new Store<Service>(),
    nodes: new Store<Node>(),
    l2Advertisements: new Store<L2Advertisement>(),
    poolSets: new Store<PoolSet>(),
    nodeAnnouncements: new Store<NodeAnnouncement>(),
    leases: new Store<Lease>(),
    endpointSlices: new Store<EndpointSlice>({ [BY_SERVICE]: (slice) => [serviceKeyOf(slice) ?? ''] }),
    serviceAnnouncements: new Store<ServiceAnnouncement>(),
  };
  /** 'status shop/web', 'store shop/web', 'remove shop/web'. */
  readonly writes: string[] = [];
  /** Milliseconds. */
  time = 0;
  alive: readonly string[] = ['node-a', 'node-b'];
  refusesAnnouncements = false;
  /** Addresses are being written. */
  isBusy = false;
  /** Many Services wait for what is to be said of them. */
  isCrowded = false;
  /** What is written does not come to the stores. */
  isWatchBehind = false;
  readonly book: AnnouncedBook;
  readonly #reconciler: ServiceAnnouncedReconciler;
  #revision = 100;

  constructor(mode: AnnouncementKeeperOptions['mode'] = 'all', services?: () => number) {
    for (const name of this.alive)
      this.stores.nodes.put(name, {
        metadata: { name },
        status: { addresses: [{ type: 'InternalIP', address: `192.0.2.${name.charCodeAt(5)}` }] },
      });
    const pool = { namespace: NS, name: 'public', generation: 1, hash: 'h', addresses: ['10.0.0.0/16'] };
    this.stores.poolSets.put(`${NS}/herald`, {
      apiVersion: 'heraldlb.io/v1alpha1',
      kind: 'PoolSet',
      metadata: { namespace: NS, name: 'herald' },
      pools: [{ ...pool, autoAssign: true, avoidBuggyIPs: false }],
    });
    this.advertise(true);
    const world = this.world();
    this.book = new AnnouncedBook(world, SCOPE);
    const keeper = new AnnouncementKeeper(world, {
      mode,
      services: services ?? (() => this.book.size),
      addressesOf: (key) => this.book.addressesOf(key),
    });
    this.#reconciler = new ServiceAnnouncedReconciler(world, this.book, keeper, {
      ...SCOPE,
      isBusy: () => this.isBusy,
      isCrowded: () => this.isCrowded,
    });
  }

  advertise(isAdvertised: boolean): void {
    this.stores.l2Advertisements.put(`${NS}/all`, isAdvertised ? l2Object('all') : undefined);
    this.book?.configChanged();
  }

  /** A Service with its address, as the operator left it. */
  service(name: string, address: string, labels: Readonly<Record<string, string>> = {}): void {
    this.put({
      metadata: {
        namespace: 'shop',
        name,
        uid: `uid-${name}`,
        creationTimestamp: BORN,
        labels,
        annotations: { 'metallb.io/ip-allocated-from-pool': 'public' },
      },
      spec: { type: 'LoadBalancer', selector: { app: 'web' } },
      status: {
        loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] },
        conditions: [assignedCondition],
      },
    });
    this.endpoints(name, 'node-a');
  }

  /** A Service of type ClusterIP that names external IPs, none of which the operator has granted yet. */
  external(name: string, ...externalIPs: readonly string[]): void {
    this.put({
      metadata: { namespace: 'shop', name, uid: `uid-${name}`, creationTimestamp: BORN },
      spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', externalIPs, selector: { app: 'web' } },
    });
    this.endpoints(name, 'node-a');
  }

  /** The external IPs that may be announced, all of one Service. */
  grant(service: string, ...addresses: readonly string[]): void {
    const poolSet = this.stores.poolSets.get(`${NS}/herald`) as PoolSet;
    const externalIPs = addresses.map((address) => ({ address, service }));
    this.stores.poolSets.put(`${NS}/herald`, { ...poolSet, externalIPs });
    this.book.poolSetChanged();
  }

  /** The nodes on which a Service has endpoints. */
  endpoints(name: string, ...nodes: readonly string[]): void {
    const slice: EndpointSlice = {
      metadata: { namespace: 'shop', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: nodes.map((nodeName) => ({ nodeName })),
    };
    const before = this.stores.endpointSlices.put(`shop/${name}-1`, slice);
    this.book.slicesChanged(before, slice);
  }

  put(service: Service): void {
    this.#revision += 1;
    const metadata = { ...service.metadata, resourceVersion: String(this.#revision) };
    const isBalancer = service.spec.type === 'LoadBalancer';
    this.stores[isBalancer ? 'services' : 'externalServices'].put(keyOf(service), { ...service, metadata });
    this.book.serviceChanged(keyOf(service));
  }

  remove(key: string): void {
    this.stores.services.put(key, undefined);
    this.book.serviceChanged(key);
  }

  /** Every living speaker reports what it owns now. */
  report(): void {
    for (const node of this.alive) {
      this.stores.nodeAnnouncements.put(`${NS}/${node}`, this.#reportOf(node));
      this.book.reportChanged(node);
    }
  }

  /** Reconciles all that there is something new to say about, and `keys`. @returns how long each asks to wait, milliseconds */
  async settle(...keys: readonly string[]): Promise<readonly number[]> {
    const waits: number[] = [];
    for (const key of new Set([...this.book.changes(), ...keys])) {
      const outcome = await this.#reconciler.reconcile(key);
      waits.push(outcome.next === 'RetryAfter' ? outcome.milliseconds : 0);
    }
    return waits;
  }

  /** 'True Announced' */
  conditionOf(key: string): string {
    const { conditions } = this.book.serviceOf(key)?.status ?? {};
    const { status, reason } = conditions?.find(({ type }) => type === 'heraldlb.io/Announced') ?? {};
    return status ? `${status} ${reason}` : 'none';
  }

  /** 'True Announced 10.0.0.1 l2:node-a' */
  announcementOf(key: string): string {
    const found = this.stores.serviceAnnouncements.get(key);
    const [ready] = found?.status.conditions ?? [];
    return found ? `${ready?.status} ${ready?.reason} ${found.addressList} ${found.by}`.trim() : 'none';
  }

  #reportOf(node: string): NodeAnnouncement {
    const config = { ...this.#config(), node, ignoresExcludeLabel: false };
    const grants = grantsByService(this.stores.poolSets.get(`${NS}/herald`)?.externalIPs ?? []);
    const all = [...this.stores.services.list(), ...this.stores.externalServices.list()];
    const services = all.flatMap((each) => {
      const slices = this.stores.endpointSlices.by(BY_SERVICE, keyOf(each));
      return announcedServiceOf(each, slices, '', grants.get(keyOf(each))) ?? [];
    });
    const report = new NodeReport({
      algorithmVersion: 1,
      alive: [...this.alive],
      interfaces: [{ name: 'eth0', carrier: true, subnets: [] }],
      ignoresExcludeLabel: false,
    });
    report.setOwned(
      desiredAnnouncements(config, services)
        .l2.filter(({ candidates }) => ownerOf(candidates, (name) => this.alive.includes(name)) === node)
        .map(({ service, address }) => ({ service, address, interfaces: ['eth0'] })),
    );
    this.#revision += 1;
    return { metadata: { namespace: NS, name: node, resourceVersion: String(this.#revision) }, ...report.content() };
  }

  #config() {
    const { poolSets, l2Advertisements, nodes } = this.stores;
    return clusterConfigOf({
      ...SCOPE,
      inForce: poolSets.get(`${NS}/herald`)?.pools ?? [],
      l2Advertisements: l2Advertisements.list(),
      nodes: nodes.list(),
    });
  }

  /** What reconcilers may see and do on this stage. */
  world(): AnnouncedWorld {
    return {
      stores: this.stores,
      now: () => new Date(Date.parse('2026-06-01T00:00:00Z') + this.time),
      clock: () => this.time,
      applyStatus: async (object, _resource, { status }) => {
        this.writes.push(`status ${keyOf(object)}`);
        if (!this.isWatchBehind) this.put({ ...(object as Service), status });
        return 'Written';
      },
      storeAnnouncement: async (announcement) => {
        if (this.refusesAnnouncements) throw new Error('refused');
        this.writes.push(`store ${keyOf(announcement)}`);
        if (!this.isWatchBehind) this.stores.serviceAnnouncements.put(keyOf(announcement), announcement);
      },
      removeAnnouncement: async (announcement) => {
        this.writes.push(`remove ${keyOf(announcement)}`);
        this.stores.serviceAnnouncements.put(keyOf(announcement), undefined);
      },
    };
  }
}

const assignedCondition: Condition = {
  type: 'heraldlb.io/AddressAssigned',
  status: 'True',
  reason: 'Assigned',
  message: 'It has one.',
  lastTransitionTime: BORN,
};
