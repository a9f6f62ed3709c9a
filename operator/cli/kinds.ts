/** The kinds that a snapshot of a cluster holds. */

import type { BfdProfile } from '../../crds/bfd-profile.ts';
import type { BgpSession } from '../../crds/bgp-session.ts';
import type { Community } from '../../crds/community.ts';
import type { ConfigurationState } from '../../crds/configuration-state.ts';
import type { NodeAnnouncement } from '../../crds/node-announcement.ts';
import type { ServiceAnnouncement } from '../../crds/service-announcement.ts';
import type { KubernetesObject } from '../cluster/objects.ts';
import { type Resource, resources } from '../cluster/resource.ts';

/** A Deployment or a DaemonSet, as far as its container tells how Herald is set up. */
export interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly {
          readonly name: string;
          readonly image?: string;
          readonly command?: readonly string[];
          readonly args?: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
  readonly status?: {
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
  };
}

/** networking.k8s.io/v1 ServiceCIDR: where cluster addresses of Services come from. */
export interface ServiceCidr extends KubernetesObject {
  readonly spec?: { readonly cidrs?: readonly string[] };
}

/** What our own workloads bear. */
const OUR_LABEL = 'app.kubernetes.io/name=herald';

const workload = (kind: string): Resource<Workload> => ({
  group: 'apps',
  version: 'v1',
  kind,
  plural: `${kind.toLowerCase()}s`,
  namespaced: true,
  labelSelector: OUR_LABEL,
});

const own = <T extends KubernetesObject>(kind: string, plural: string): Resource<T> => ({
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind,
  plural,
  namespaced: true,
});

const metallb = <T extends KubernetesObject>(kind: string, plural: string): Resource<T> => ({
  ...own<T>(kind, plural),
  group: 'metallb.io',
  version: 'v1beta1',
});

/** By the name of the list in the snapshot. */
export const snapshotKinds = {
  services: resources.services,
  namespaces: resources.namespaces,
  nodes: resources.nodes,
  endpointSlices: { ...resources.endpointSlices, labelSelector: 'kubernetes.io/service-name' },
  pools: resources.ipAddressPools,
  l2Advertisements: resources.l2Advertisements,
  bgpAdvertisements: resources.bgpAdvertisements,
  bgpPeers: resources.bgpPeers,
  bfdProfiles: metallb<BfdProfile>('BFDProfile', 'bfdprofiles'),
  communities: metallb<Community>('Community', 'communities'),
  reservations: resources.addressReservations,
  quotas: resources.addressQuotas,
  poolSets: resources.poolSets,
  serviceL2Statuses: resources.serviceL2Statuses,
  configurationStates: metallb<ConfigurationState>('ConfigurationState', 'configurationstates'),
  serviceAnnouncements: own<ServiceAnnouncement>('ServiceAnnouncement', 'serviceannouncements'),
  nodeAnnouncements: own<NodeAnnouncement>('NodeAnnouncement', 'nodeannouncements'),
  bgpSessions: own<BgpSession>('BGPSession', 'bgpsessions'),
  serviceCidrs: {
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'ServiceCIDR',
    plural: 'servicecidrs',
    namespaced: false,
  } as Resource<ServiceCidr>,
  /** The pods of Herald. */
  pods: { ...resources.pods, labelSelector: OUR_LABEL },
  leases: resources.leases,
  deployments: workload('Deployment'),
  daemonSets: workload('DaemonSet'),
} as const;

type ObjectOf<R> = R extends Resource<infer T> ? T : never;

/** Every object of the kinds above, reduced to what Herald reads. */
export type ClusterObjects = {
  readonly [Name in keyof typeof snapshotKinds]: readonly ObjectOf<(typeof snapshotKinds)[Name]>[];
};
