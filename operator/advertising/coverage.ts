/** Which advertisements cover which addresses from which nodes: what can be computed once for all Services. */

import { labels } from '../../crds/annotations.ts';
import type { L2Advertisement } from '../config/advertisements.ts';
import { matches, matchesAny } from '../config/label-selector.ts';
import { rank } from '../election/rank.ts';
import { parseIp } from '../net/address.ts';
import type { AdvertisingConfig, AnnouncingNode, Labels, PoolInForce } from './snapshot.ts';

/** One advertisement and the nodes that it may be announced from. */
export interface CoveringAdvertisement {
  readonly advertisement: L2Advertisement;
  readonly nodes: ReadonlySet<string>;
}

/** Orders kept for addresses seen before; more than this many are forgotten all at once. */
const MAX_REMEMBERED_ORDERS = 20_000;

/** The configuration, indexed. Make a new one when any part of it changes. */
export class Coverage {
  readonly config: AdvertisingConfig;
  readonly #covering = new Map<PoolInForce, readonly CoveringAdvertisement[]>();
  readonly #nodes: ReadonlyMap<string, AnnouncingNode>;
  readonly #orders = new Map<string, readonly string[]>();

  constructor(config: AdvertisingConfig) {
    this.config = config;
    this.#nodes = new Map(config.nodes.map((node) => [node.name, node]));
    for (const pool of config.pools)
      this.#covering.set(
        pool,
        config.advertisements
          .filter((advertisement) => coversPool(advertisement, pool))
          .map((advertisement) => ({ advertisement, nodes: this.#nodesOf(advertisement) })),
      );
  }

  node(name: string): AnnouncingNode | undefined {
    return this.#nodes.get(name);
  }

  /** The pool that `address` lies in. */
  poolOf(address: string): PoolInForce | undefined {
    const parsed = parseIp(address);
    return parsed && this.config.pools.find(({ addresses }) => addresses.has(parsed));
  }

  /** The advertisements of `pool` that select a Service with these labels. */
  coveringOf(pool: PoolInForce, serviceLabels: Labels): readonly CoveringAdvertisement[] {
    const covering = this.#covering.get(pool) ?? [];
    return covering.filter(({ advertisement }) => matchesAny(advertisement.serviceSelectors, serviceLabels));
  }

  /** All nodes in the order of election for a Service whose first address this is. */
  orderFor(firstAddress: string): readonly string[] {
    const known = this.#orders.get(firstAddress);
    if (known) return known;
    if (this.#orders.size >= MAX_REMEMBERED_ORDERS) this.#orders.clear();
    const order = rank([...this.#nodes.keys()], firstAddress);
    this.#orders.set(firstAddress, order);
    return order;
  }

  /** Whether the label keeps this node out. */
  isExcluded(node: AnnouncingNode): boolean {
    return !this.config.ignoresExcludeLabel && labels.excludeFromExternalLoadBalancers in node.labels;
  }

  #nodesOf({ nodeSelectors }: L2Advertisement): ReadonlySet<string> {
    const able = this.config.nodes.filter((node) => !node.isNetworkUnavailable && !this.isExcluded(node));
    return new Set(able.filter((node) => matchesAny(nodeSelectors, node.labels)).map(({ name }) => name));
  }
}

/** None named and none selected is every pool; else the union (facts of MetalLB: unknown names are ignored). */
export function coversPool({ pools, poolSelectors }: L2Advertisement, pool: PoolInForce): boolean {
  if (pools.length === 0 && poolSelectors.length === 0) return true;
  return pools.includes(pool.name) || poolSelectors.some((selector) => matches(selector, pool.labels));
}
