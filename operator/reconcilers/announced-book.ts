/** The roll-up of one term, fed by what happens in the cluster: says of which Services there may be something new. */

import { POOL_SET_NAME } from '../../crds/pool-set.ts';
import { announcedServiceOf, serviceKeyOf } from '../advertising/announced-service.ts';
import { type ClusterConfig, clusterConfigOf } from '../advertising/cluster-config.ts';
import { RollUp, type RollUpOutcome } from '../advertising/roll-up.ts';
import type { EndpointSlice, Lease } from '../cluster/objects.ts';
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
  #isConfigDirty = false;

  constructor(world: AnnouncedWorld, scope: Scope) {
    this.#world = world;
    this.#scope = scope;
    this.#rollUp = new RollUp(this.#config());
    for (const { metadata } of world.stores.services.list())
      this.serviceChanged(`${metadata.namespace}/${metadata.name}`);
    for (const { metadata } of world.stores.nodeAnnouncements.list()) this.reportChanged(metadata.name);
  }

  /** How many Services hold addresses. */
  get size(): number {
    return this.#rollUp.size;
  }

  outcomeOf(key: string): RollUpOutcome | undefined {
    return this.#rollUp.outcomeOf(key);
  }

  /** How many Services there are in each state, for the metrics. */
  states(): Readonly<Record<RollUpOutcome['state'], number>> {
    const counts = { Announced: 0, NotAnnounced: 0, Unknown: 0, Pending: 0 };
    for (const { state } of this.#said.values()) counts[state] += 1;
    return counts;
  }

  serviceChanged(key: string): void {
    const { services, endpointSlices } = this.#world.stores;
    const service = services.get(key);
    const slices = endpointSlices.by(BY_SERVICE, key);
    this.#rollUp.setService(key, service && announcedServiceOf(service, slices, this.#scope.lbClass));
  }

  slicesChanged(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    const keys = new Set([before, after].map((slice) => slice && serviceKeyOf(slice)));
    for (const key of keys) if (key && this.#world.stores.services.get(key)) this.serviceChanged(key);
  }

  /** A pool in force, an advertisement or a node changed. */
  configChanged(): void {
    this.#isConfigDirty = true;
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
    if (this.#isConfigDirty) this.#rollUp.setConfig(this.#config());
    this.#isConfigDirty = false;
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

  #heard(node: string): void {
    this.#heardAt.set(node, this.#world.clock());
    this.#rollUp.setFresh(node, true);
  }

  #config(): ClusterConfig {
    const { poolSets, l2Advertisements, nodes } = this.#world.stores;
    const { ownNamespace, configNamespaces } = this.#scope;
    return clusterConfigOf({
      ownNamespace,
      configNamespaces,
      inForce: poolSets.get(`${ownNamespace}/${POOL_SET_NAME}`)?.pools ?? [],
      l2Advertisements: l2Advertisements.list(),
      nodes: nodes.list(),
    });
  }
}
