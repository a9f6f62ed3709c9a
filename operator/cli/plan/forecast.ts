/** What becomes of a cluster: the operator's and the speakers' own decisions, taken on a snapshot until nothing moves any more. */

import { isDeepStrictEqual } from 'node:util';
import { labels, serviceConditions } from '../../../crds/annotations.ts';
import { POOL_SET_NAME } from '../../../crds/pool-set.ts';
import {
  announcedServiceOf,
  announcingNodeOf,
  peerAddressOf,
  serviceKeyOf,
} from '../../advertising/announced-service.ts';
import { claimOf } from '../../advertising/announcements.ts';
import { Coverage } from '../../advertising/coverage.ts';
import type { AnnouncedService } from '../../advertising/snapshot.ts';
import { adoptionProblem, foreignRequest, isOurWriting } from '../../allocator/adoption.ts';
import type { Decision } from '../../allocator/decision.ts';
import { heldByDecision, heldByStatus } from '../../allocator/held-addresses.ts';
import { IncrementalAllocator } from '../../allocator/incremental-allocator.ts';
import { isOurs, type RequestProblem, requestOf, type ServiceRequest } from '../../allocator/service-request.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { type EndpointSlice, keyOf, type Service, splitKey } from '../../cluster/objects.ts';
import { type ResolvedConfig, resolveConfig } from '../../config/resolve-config.ts';
import { entriesInForce, type HeldAddress } from '../../config/stored-state.ts';
import { ownerOf } from '../../election/rank.ts';
import { formatIp } from '../../net/address.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { withheldIn } from '../withheld.ts';

/** Who answers for an address on the local segment, or why nobody does. */
export type Owner = { readonly node: string } | { readonly reason: string; readonly message: string };

/** The cluster once everybody has acted. */
export interface Forecast {
  readonly config: ResolvedConfig;
  /** Of every Service of ours, by `namespace/name`. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** By `namespace/name`, then by address; for the Services that have addresses. */
  readonly owners: ReadonlyMap<string, ReadonlyMap<string, Owner>>;
}

/** A change takes a few rounds at most: what is refused waits for Services, which each let go only once. */
const MAX_ROUNDS = 100;
/** Later than any time: nobody has written since. */
const NEVER = '9';

/**
 * The operator's state in memory.
 *
 * A change is taken in at once, configuration before Services: objects that arrive one by one may end elsewhere where
 * Services wait for addresses meanwhile.
 */
export class OperatorModel {
  readonly #allocator = new IncrementalAllocator();
  #snapshot: ClusterSnapshot;
  /** Services that a change brought: nothing runs for them yet. */
  #created: ReadonlySet<string> = new Set();
  #config: ResolvedConfig;

  /** Starts as an operator does: from what is stored, and from the status of every Service. */
  constructor(snapshot: ClusterSnapshot) {
    const { installation, poolSets, pools } = snapshot;
    const { namespace: ownNamespace, configNamespaces } = installation;
    const held = oursOf(snapshot).filter(isOurWriting).flatMap(heldByStatus);
    const mirror = poolSets.find(({ metadata: m }) => m.namespace === ownNamespace && m.name === POOL_SET_NAME);
    const inForce = entriesInForce(mirror, { ownNamespace, configNamespaces, pools, held });
    this.#snapshot = snapshot;
    this.#config = configOf(snapshot, inForce, held);
    this.#allocator.load(
      this.#config.pools,
      oursOf(snapshot).map((service) => this.#requestOf(service)),
      { ...this.#config, withheld: withheldIn(snapshot) },
    );
    this.#settle();
  }

  /**
   * Takes in the cluster as it is after a change.
   *
   * @param order the Services that it touches, as they arrive: who comes first is served first
   */
  change(after: ClusterSnapshot, order: readonly string[]): void {
    const known = new Set(this.#snapshot.services.map(keyOf));
    this.#created = new Set(after.services.map(keyOf).filter((key) => !known.has(key)));
    this.#snapshot = after;
    this.#settle();
    const ours = new Map(oursOf(after).map((service) => [keyOf(service), service]));
    for (const key of order) {
      const service = ours.get(key);
      if (service) this.#allocator.upsert(this.#requestOf(service));
      else this.#allocator.remove(key);
    }
    this.#settle();
  }

  forecast(): Forecast {
    const keys = oursOf(this.#snapshot).map(keyOf);
    const decisions = new Map(
      keys.flatMap((key) => {
        const decision = this.#allocator.decisionOf(key);
        return decision ? [[key, decision] as const] : [];
      }),
    );
    return {
      config: this.#config,
      decisions,
      owners: ownersOf(served(this.#snapshot, this.#created), this.#config, decisions),
    };
  }

  /** A Service is judged when the operator becomes responsible for it; of one that is ours already the decision counts. */
  #requestOf(service: Service): ServiceRequest {
    const request = requestOf(service);
    const known = this.#allocator.requestOf(request.key);
    if (known && !known.isForeign) return request;
    const problem = contestOf(service) ?? adoptionProblem(service, { pools: this.#config.pools, startedAt: NEVER });
    return problem ? foreignRequest(request, problem, []) : request;
  }

  /** Decides about the configuration until that changes nothing any more, as the reconcilers of the operator do. */
  #settle(): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = this.#config;
      this.#config = configOf(this.#snapshot, before.inForce, heldByDecision(this.#allocator));
      const { pools, reservations, quotas } = this.#config;
      const { services } = this.#allocator.setConfig(pools, reservations, quotas);
      // What lay in no pool may lie in one now.
      for (const service of oursOf(this.#snapshot))
        if (this.#allocator.requestOf(keyOf(service))?.isForeign) this.#allocator.upsert(this.#requestOf(service));
      if (services.size === 0 && isDeepStrictEqual(before.inForce, this.#config.inForce)) return;
    }
  }
}

/** Who else writes only the operator has seen: where it says that somebody does, that is so. */
function contestOf({ status, foreignWriters }: Service): RequestProblem | undefined {
  const told = conditionOf(status?.conditions, serviceConditions.addressAssigned);
  const { reason, message = '' } = told ?? {};
  if (reason === 'ContestedStatus' || (reason === 'NotOurs' && foreignWriters)) return { reason, message };
  return undefined;
}

/** Services that do not exist yet are taken as served on every node: otherwise none of them would be announced. */
function served(snapshot: ClusterSnapshot, created: ReadonlySet<string>): ClusterSnapshot {
  const endpoints = snapshot.nodes.map(({ metadata }) => ({ nodeName: metadata.name, conditions: { ready: true } }));
  const assumed = [...created].map((key): EndpointSlice => {
    const { namespace = '', name } = splitKey(key);
    return { metadata: { namespace, name, labels: { [labels.serviceName]: name } }, addressType: 'IPv4', endpoints };
  });
  return { ...snapshot, endpointSlices: [...snapshot.endpointSlices, ...assumed] };
}

const oursOf = ({ services, installation }: ClusterSnapshot): readonly Service[] =>
  services.filter((service) => isOurs(service, installation.lbClass));

function configOf(
  snapshot: ClusterSnapshot,
  inForce: ResolvedConfig['inForce'],
  heldAddresses: readonly HeldAddress[],
): ResolvedConfig {
  const { installation, nodes, serviceCidrs } = snapshot;
  return resolveConfig({
    ...snapshot,
    ownNamespace: installation.namespace,
    configNamespaces: installation.configNamespaces,
    breakingChanges: installation.operator['breaking-changes'],
    inForce,
    heldAddresses,
    surroundings: { nodes, serviceRanges: serviceCidrs, podAddresses: [] },
  });
}

function ownersOf(
  snapshot: ClusterSnapshot,
  { pools, l2Advertisements }: ResolvedConfig,
  decisions: ReadonlyMap<string, Decision>,
): Forecast['owners'] {
  const nodes = snapshot.nodes.filter((node) => peerAddressOf(node, undefined)).map(announcingNodeOf);
  const { ignoresExcludeLabel } = snapshot.installation;
  const coverage = new Coverage({ node: '', nodes, pools, advertisements: l2Advertisements, ignoresExcludeLabel });
  const announced = announcedOf(snapshot, decisions);
  const holders = new Map<string, AnnouncedService[]>();
  for (const service of announced)
    for (const address of service.addresses) holders.set(address, [...(holders.get(address) ?? []), service]);
  const isReady = readyNodes(snapshot);
  const ownerFor = (service: AnnouncedService, address: string): Owner => {
    const claim = claimOf(service, address, coverage, holders.get(address) ?? []);
    if ('reason' in claim) return { reason: claim.reason, message: claim.message };
    const node = ownerOf(claim.candidates, isReady) ?? claim.candidates[0] ?? '';
    return { node };
  };
  return new Map(
    announced.map((service) => [service.key, new Map(service.addresses.map((one) => [one, ownerFor(service, one)]))]),
  );
}

/** The Services with the addresses that were decided, as the speakers see them once their status is written. */
function announcedOf(snapshot: ClusterSnapshot, decisions: ReadonlyMap<string, Decision>): readonly AnnouncedService[] {
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of snapshot.endpointSlices) {
    const key = serviceKeyOf(slice) ?? '';
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  return snapshot.services.flatMap((service) => {
    const decision = decisions.get(keyOf(service));
    if (decision?.outcome !== 'Assigned') return [];
    const ingress = decision.addresses.map((address) => ({ ip: formatIp(address) }));
    const served = { ...service, status: { loadBalancer: { ingress } } };
    return announcedServiceOf(served, slices.get(keyOf(service)) ?? [], snapshot.installation.lbClass) ?? [];
  });
}

/** Nodes whose kubelet answers; who is alive among the speakers only their heartbeats know. */
function readyNodes({ nodes }: ClusterSnapshot): (name: string) => boolean {
  const ready = nodes.filter(({ status }) =>
    (status?.conditions ?? []).every(({ type, status }) => type !== 'Ready' || status === 'True'),
  );
  const names = new Set(ready.map(({ metadata }) => metadata.name));
  return (name) => names.has(name);
}
