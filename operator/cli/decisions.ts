/** What the operator and the speakers decide from a snapshot, by their own code: for the detail that no status holds. */

import { serviceConditions } from '../../crds/annotations.ts';
import { POOL_SET_NAME } from '../../crds/pool-set.ts';
import { announcedServiceOf, announcingNodeOf, peerAddressOf, serviceKeyOf } from '../advertising/announced-service.ts';
import { claimOf } from '../advertising/announcements.ts';
import { Coverage } from '../advertising/coverage.ts';
import type { AddressClaim } from '../advertising/expected-view.ts';
import { grantsByService } from '../advertising/external-ips.ts';
import type { AnnouncedService } from '../advertising/snapshot.ts';
import { foreignRequest } from '../allocator/adoption.ts';
import { allocate } from '../allocator/allocate.ts';
import type { Decision } from '../allocator/decision.ts';
import { heldByStatus } from '../allocator/held-addresses.ts';
import { isOurs, requestOf, type ServiceRequest } from '../allocator/service-request.ts';
import { conditionOf } from '../cluster/conditions.ts';
import { type EndpointSlice, keyOf, type Service } from '../cluster/objects.ts';
import type { L2Advertisement } from '../config/advertisements.ts';
import type { Pool } from '../config/pool.ts';
import { configInForce, resolveAddressRules } from '../config/resolve-config.ts';
import { entriesInForce } from '../config/stored-state.ts';
import type { ClusterSnapshot } from './gather.ts';
import { withheldIn } from './withheld.ts';

export interface Decisions {
  /** The pools in force, remnants last. */
  readonly pools: readonly Pool[];
  /** The advertisements that count. */
  readonly l2Advertisements: readonly L2Advertisement[];
  /** What the allocator says about each Service of ours, by `namespace/name`. */
  readonly addresses: ReadonlyMap<string, Decision>;
  /** The Services that hold an address, as the speakers see them. */
  readonly announced: ReadonlyMap<string, AnnouncedService>;
  /** Which advertisements cover what. */
  readonly coverage: Coverage;
  /** Who may own each address of a Service, or why nobody may. */
  claimsOf(service: AnnouncedService): readonly AddressClaim[];
}

/** @param also a Service of another type than LoadBalancer, of which snapshots have none */
export function decisionsOf(snapshot: ClusterSnapshot, also?: Service): Decisions {
  const { pools, l2Advertisements } = inForce(snapshot);
  const ours = oursOf(snapshot);
  const rules = resolveAddressRules({ ...snapshot, ...scopeOf(snapshot) }, pools);
  const withheld = withheldIn(snapshot);
  const addresses = allocate({ pools, ...rules, withheld, services: ours.map(requestAsWritten) });
  const announced = announcedServices(snapshot, also);
  const nodes = snapshot.nodes.filter((node) => peerAddressOf(node, undefined)).map(announcingNodeOf);
  const holders = new Map<string, AnnouncedService[]>();
  for (const service of announced.values())
    for (const address of service.addresses) holders.set(address, [...(holders.get(address) ?? []), service]);
  const { ignoresExcludeLabel } = snapshot.installation;
  // No node bears this name: refusals then speak of all nodes.
  const coverage = new Coverage({ node: '', nodes, pools, advertisements: l2Advertisements, ignoresExcludeLabel });
  return {
    pools,
    l2Advertisements,
    addresses,
    announced,
    coverage,
    claimsOf: (service) =>
      service.addresses.map((address) => ({
        address,
        claim: claimOf(service, address, coverage, holders.get(address) ?? []),
      })),
  };
}

/** The Services that Herald serves. */
const oursOf = ({ services, installation }: ClusterSnapshot): readonly Service[] =>
  services.filter((service) => isOurs(service, installation.lbClass));

/** The operator alone can tell whether what a status shows is somebody else's: it wrote it. */
function requestAsWritten(service: Service): ServiceRequest {
  const told = conditionOf(service.status?.conditions, serviceConditions.addressAssigned);
  const request = requestOf(service);
  return told?.reason === 'NotOurs' ? foreignRequest(request, { reason: 'NotOurs', message: told.message }) : request;
}

const scopeOf = ({ installation: { namespace, configNamespaces } }: ClusterSnapshot) => ({
  ownNamespace: namespace,
  configNamespaces,
});

/** What was stored before anybody acted on it; without a PoolSet what the pools and Services tell of it. */
function inForce(snapshot: ClusterSnapshot): Pick<Decisions, 'pools' | 'l2Advertisements'> {
  const { poolSets, pools, l2Advertisements, namespaces } = snapshot;
  const { ownNamespace, configNamespaces } = scopeOf(snapshot);
  const mirror = poolSets.find(({ metadata: m }) => m.namespace === ownNamespace && m.name === POOL_SET_NAME);
  const held = oursOf(snapshot).flatMap(heldByStatus);
  return configInForce({
    ownNamespace,
    configNamespaces,
    inForce: entriesInForce(mirror, { ownNamespace, configNamespaces, pools, held }),
    l2Advertisements,
    namespaces,
  });
}

function announcedServices(
  { services, endpointSlices, poolSets, installation }: ClusterSnapshot,
  also: Service | undefined,
): ReadonlyMap<string, AnnouncedService> {
  const slices = new Map<string | undefined, EndpointSlice[]>();
  for (const slice of endpointSlices) {
    const key = serviceKeyOf(slice);
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  const { namespace, lbClass } = installation;
  const poolSet = poolSets.find(({ metadata: m }) => m.namespace === namespace && m.name === POOL_SET_NAME);
  const grants = grantsByService(poolSet?.externalIPs ?? []);
  const isListed = also && services.some((service) => keyOf(service) === keyOf(also));
  const announced = [...services, ...(also && !isListed ? [also] : [])].flatMap((service) => {
    const key = keyOf(service);
    return announcedServiceOf(service, slices.get(key) ?? [], lbClass, grants.get(key)) ?? [];
  });
  return new Map(announced.map((service) => [service.key, service]));
}
