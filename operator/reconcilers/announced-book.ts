/** The roll-up of one term, fed by what happens in the cluster: says of which Services there may be something new. */

import { POOL_SET_NAME, type PoolSet } from '../../crds/pool-set.ts';
import { announcedServiceOf, serviceKeyOf } from '../advertising/announced-service.ts';
import { type ClusterConfig, clusterConfigOf } from '../advertising/cluster-config.ts';
import { grantsByService } from '../advertising/external-ips.ts';
import type { Prospect } from '../advertising/prospect.ts';
import { RollUp, type RollUpOutcome } from '../advertising/roll-up.ts';
import { type EndpointSlice, keyOf, type Lease, type Service } from '../cluster/objects.ts';
import { type AnnouncedWorld, BY_SERVICE } from './announced-world.ts';
import type { Scope } from './world.ts';

/** A report counts for so long after its node was heard of (design: node Lease of 10 s, older than 40 s unknown). */
const FRESH_MS = 40_000;

export class AnnouncedBook {
  readonly #world: AnnouncedWorld;
  readonly #scope: Scope;
  readonly #rollUp: RollUp;
  /** When each node was last heard of, by our own clock: theirs may be wrong. */
  readonly #heardAt = new Map<string, number>();
  /** What was last said of each Service. */
  readonly #said = new Map<string, { readonly state: RollUpOutcome['state']; readonly text: string }>();
  /** The external IPs that each Service may have announced. */
  #grants: ReadonlyMap<string, readonly string[]> = new Map();
  /** The pools in force that the roll-up has. */
  #pools = '';
  #isConfigDirty = false;

  constructor(world: AnnouncedWorld, scope: Scope) {
    this.#world = world;
    this.#scope = scope;
    this.#rollUp = new RollUp(this.#config());
    this.poolSetChanged();
    const { services, externalServices } = world.stores;
    for (const service of [...services.list(), ...externalServices.list()]) this.serviceChanged(keyOf(service));
    for (const { metadata } of world.stores.nodeAnnouncements.list()) this.reportChanged(metadata.name);
  }

  /** How many Services hold addresses. */
  get size(): number {
    return this.#rollUp.size;
  }

  outcomeOf(key: string): RollUpOutcome | undefined {
    return this.#rollUp.outcomeOf(key);
  }

  /** The node that would own an address of `service`, which is as it would be with the address. */
  prospectOf(service: Service, address: string): Prospect {
    this.#renewConfig();
    const slices = this.#world.stores.endpointSlices.by(BY_SERVICE, keyOf(service));
    const announced = announcedServiceOf(service, slices, this.#scope.lbClass);
    return announced
      ? this.#rollUp.prospectOf(announced, address)
      : { node: undefined, reason: 'NoAddress', message: 'nobody announces it' };
  }

  /** What a Service holds or may have announced, canonical texts. */
  addressesOf(key: string): readonly string[] {
    return this.#rollUp.addressesOf(key);
  }

  /** A load balancer, or a Service of another type that names external IPs. */
  serviceOf(key: string): Service | undefined {
    const { services, externalServices } = this.#world.stores;
    return services.get(key) ?? externalServices.get(key);
  }

  /** How many Services there are in each state, for the metrics. */
  states(): Readonly<Record<RollUpOutcome['state'], number>> {
    const counts = { Announced: 0, NotAnnounced: 0, Unknown: 0, Pending: 0 };
    for (const { state } of this.#said.values()) counts[state] += 1;
    return counts;
  }

  serviceChanged(key: string): void {
    const service = this.serviceOf(key);
    const slices = this.#world.stores.endpointSlices.by(BY_SERVICE, key);
    const { lbClass } = this.#scope;
    this.#rollUp.setService(key, service && announcedServiceOf(service, slices, lbClass, this.#grants.get(key)));
  }

  slicesChanged(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    const keys = new Set([before, after].map((slice) => slice && serviceKeyOf(slice)));
    for (const key of keys) if (key && this.serviceOf(key)) this.serviceChanged(key);
  }

  /** An advertisement or a node changed. */
  configChanged(): void {
    this.#isConfigDirty = true;
  }

  /** Only pools concern every Service; who may have external IPs concerns those alone. */
  poolSetChanged(): void {
    const { pools = [], externalIPs = [] } = this.#poolSet() ?? {};
    const before = this.#grants;
    this.#grants = grantsByService(externalIPs);
    for (const key of new Set([...before.keys(), ...this.#grants.keys()]))
      if (String(before.get(key)) !== String(this.#grants.get(key))) this.serviceChanged(key);
    const text = JSON.stringify(pools);
    this.#isConfigDirty ||= text !== this.#pools;
    this.#pools = text;
  }

  reportChanged(node: string): void {
    const report = this.#world.stores.nodeAnnouncements.get(`${this.#scope.ownNamespace}/${node}`);
    this.#rollUp.setReport(node, report);
    if (report) this.#heard(node);
    else this.#heardAt.delete(node);
  }

  /** The Lease of a node was renewed. */
  renewed({ spec }: Lease): void {
    if (spec?.holderIdentity) this.#heard(spec.holderIdentity);
  }

  /** Looks for nodes that were not heard of for too long. */
  checkLeases(): void {
    const limit = this.#world.clock() - FRESH_MS;
    for (const [node, at] of this.#heardAt) if (at < limit) this.#rollUp.setFresh(node, false);
  }

  /** Decides again about up to `limit` Services that changes concern. @returns whether there are more */
  settle(limit: number): boolean {
    this.#renewConfig();
    return this.#rollUp.settle(limit);
  }

  /** The settled Services about which there may be something new to say; those about which there is not are left out. */
  *changes(): Generator<string> {
    this.settle(Number.POSITIVE_INFINITY);
    for (const key of this.#rollUp.take()) {
      const outcome = this.#rollUp.outcomeOf(key);
      const text = JSON.stringify(outcome) ?? '';
      if (outcome && this.#said.get(key)?.text === text) continue;
      if (outcome) this.#said.set(key, { state: outcome.state, text });
      else this.#said.delete(key);
      yield key;
    }
  }

  #renewConfig(): void {
    if (this.#isConfigDirty) this.#rollUp.setConfig(this.#config());
    this.#isConfigDirty = false;
  }

  #heard(node: string): void {
    this.#heardAt.set(node, this.#world.clock());
    this.#rollUp.setFresh(node, true);
  }

  #poolSet(): PoolSet | undefined {
    return this.#world.stores.poolSets.get(`${this.#scope.ownNamespace}/${POOL_SET_NAME}`);
  }

  #config(): ClusterConfig {
    const { l2Advertisements, nodes } = this.#world.stores;
    const { ownNamespace, configNamespaces } = this.#scope;
    return clusterConfigOf({
      ownNamespace,
      configNamespaces,
      inForce: this.#poolSet()?.pools ?? [],
      l2Advertisements: l2Advertisements.list(),
      nodes: nodes.list(),
    });
  }
}
