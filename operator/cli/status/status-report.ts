/** Reads the glance at a cluster from what the operator and the speakers wrote. */

import { serviceConditions } from '../../../crds/annotations.ts';
import type { IpAddressPool } from '../../../crds/ip-address-pool.ts';
import { POOL_SET_NAME } from '../../../crds/pool-set.ts';
import { heldAddresses, isOurs } from '../../allocator/service-request.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { keyOf } from '../../cluster/objects.ts';
import { formatIp } from '../../net/address.ts';
import { announcersByService } from '../explain/announcers.ts';
import { hasSpeaker } from '../explain/nodes.ts';
import { isFresh, leaderLeaseOf } from '../explain/service-is-ours.ts';
import type { ClusterSnapshot } from '../gather.ts';
import type { Workload } from '../kinds.ts';
import { quotaReport, reservationReport } from './address-rules.ts';
import { problemsOf } from './problems.ts';
import { type Judged, readiness } from './readiness.ts';
import type { AdvertisementReport, NodeReport, PeerReport, PoolReport, Replicas, StatusReport, Use } from './report.ts';

export function statusReport(snapshot: ClusterSnapshot): StatusReport {
  const { installation, takenAt } = snapshot;
  const lease = leaderLeaseOf(snapshot);
  const leader = isFresh(lease, takenAt) ? lease?.spec?.holderIdentity : undefined;
  return {
    namespace: installation.namespace,
    isInstalled: installation.isFound,
    ...(leader && { leader }),
    operators: replicasOf(snapshot.deployments, 'herald-operator', snapshot),
    speakers: replicasOf(snapshot.daemonSets, 'herald-speaker', snapshot),
    services: servicesOf(snapshot),
    problems: problemsOf(snapshot),
    pools: [...snapshot.pools.map(poolReport), ...remnantsOf(snapshot)],
    reservations: snapshot.reservations.map(reservationReport),
    quotas: snapshot.quotas.map(quotaReport),
    nodes: nodesOf(snapshot),
    advertisements: advertisementsOf(snapshot),
    peers: snapshot.bgpPeers.map((peer) => peerReport(peer, snapshot)),
  };
}

function replicasOf(workloads: readonly Workload[], name: string, { installation }: ClusterSnapshot): Replicas {
  const found = workloads.find(({ metadata: m }) => m.name === name && m.namespace === installation.namespace);
  const { replicas, readyReplicas, desiredNumberScheduled, numberReady } = found?.status ?? {};
  return { wanted: desiredNumberScheduled ?? replicas ?? 0, ready: numberReady ?? readyReplicas ?? 0 };
}

function servicesOf({ services, installation }: ClusterSnapshot): StatusReport['services'] {
  const ours = services.filter((service) => isOurs(service, installation.lbClass));
  const announced = ours.filter(
    ({ status }) => conditionOf(status?.conditions, serviceConditions.announced)?.status === 'True',
  );
  return {
    served: ours.length,
    withAddress: ours.filter((service) => heldAddresses(service).length > 0).length,
    announced: announced.length,
  };
}

function poolReport(pool: IpAddressPool): PoolReport {
  const { assignedIPv4 = 0, assignedIPv6 = 0, availableIPv4 = 0, availableIPv6 = 0 } = pool.status ?? {};
  const use: readonly Use[] = [
    { family: 'IPv4', used: assignedIPv4, free: availableIPv4 },
    { family: 'IPv6', used: assignedIPv6, free: availableIPv6 },
  ];
  const { name } = pool.metadata;
  return { name, ...readiness(pool), use: use.filter(({ used, free }) => used + free > 0), isRemnant: false };
}

/** Deleted pools whose addresses are still in use. */
function remnantsOf({ poolSets, installation, services }: ClusterSnapshot): readonly PoolReport[] {
  const mirror = poolSets.find(({ metadata: m }) => m.namespace === installation.namespace && m.name === POOL_SET_NAME);
  const gone = (mirror?.pools ?? []).filter(({ deleted }) => deleted);
  return gone.map(({ name }): PoolReport => {
    const holders = services.filter(
      ({ metadata }) => metadata.annotations?.['metallb.io/ip-allocated-from-pool'] === name,
    );
    const held = holders.flatMap(heldAddresses);
    const use = ([4, 6] as const)
      .map((family) => ({
        family: `IPv${family}` as const,
        used: held.filter((one) => one.family === family).length,
        free: 0,
      }))
      .filter(({ used }) => used > 0);
    return { name, isReady: false, reason: 'PoolRemoved', use, isRemnant: true };
  });
}

function nodesOf(snapshot: ClusterSnapshot): readonly NodeReport[] {
  const addressesOf = new Map(snapshot.services.map((one) => [keyOf(one), heldAddresses(one).map(formatIp)]));
  const byNode = new Map<string, NodeReport['announces'][number][]>();
  for (const [service, announcers] of announcersByService(snapshot))
    for (const { node, address, protocol } of announcers) {
      // A ServiceL2Status names no address: then it is all of the Service.
      const addresses = address === undefined ? (addressesOf.get(service) ?? []) : [address];
      const here = byNode.get(node) ?? [];
      byNode.set(node, [...here, ...addresses.map((one) => ({ address: one, service, protocol }))]);
    }
  return snapshot.nodes
    .map(({ metadata: { name } }) => ({
      name,
      hasSpeaker: hasSpeaker(name, snapshot),
      ...responderOf(name, snapshot),
      announces: (byNode.get(name) ?? []).toSorted((a, b) =>
        a.address.localeCompare(b.address, 'en', { numeric: true }),
      ),
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** Who answers ARP and Neighbor Solicitations there, as its speaker says. */
function responderOf(node: string, { nodeAnnouncements }: ClusterSnapshot): Pick<NodeReport, 'responder'> {
  const responder = nodeAnnouncements.find(({ metadata }) => metadata.name === node)?.responder;
  return responder ? { responder } : {};
}

function advertisementsOf({ l2Advertisements, bgpAdvertisements }: ClusterSnapshot): readonly AdvertisementReport[] {
  const report = (
    kind: string,
    object: Judged & { readonly spec?: { readonly ipAddressPools?: readonly string[] | undefined } | undefined },
  ) => {
    const { pools } = (object.status ?? {}) as { readonly pools?: string };
    return {
      name: object.metadata.name,
      kind,
      ...readiness(object),
      pools: pools ?? (object.spec?.ipAddressPools?.join(',') || 'all'),
    };
  };
  return [
    ...l2Advertisements.map((one) => report('L2Advertisement', one)),
    ...bgpAdvertisements.map((one) => report('BGPAdvertisement', one)),
  ];
}

function peerReport(peer: ClusterSnapshot['bgpPeers'][number], { bgpSessions }: ClusterSnapshot): PeerReport {
  const { name } = peer.metadata;
  const sessions = bgpSessions
    .flatMap(({ status }) => (status?.peer === name ? [{ node: status.node, state: status.state }] : []))
    .toSorted((a, b) => a.node.localeCompare(b.node));
  return { name, address: peer.spec.peerAddress ?? '', ...readiness(peer), sessions };
}
