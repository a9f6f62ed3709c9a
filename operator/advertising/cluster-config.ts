/** The configuration that announcing looks at, from the objects of the cluster: the same in every process that decides about it. */

import { type ConfigObjects, configInForce } from '../config/resolve-config.ts';
import { announcingNodeOf, peerAddressOf } from './announced-service.ts';
import type { AdvertisingConfig } from './snapshot.ts';

/** The configuration without what differs from node to node. */
export type ClusterConfig = Omit<AdvertisingConfig, 'node' | 'ignoresExcludeLabel'>;

/** The objects that it follows from. */
export type ClusterObjects = Pick<
  ConfigObjects,
  'ownNamespace' | 'configNamespaces' | 'inForce' | 'l2Advertisements'
> & {
  readonly nodes: readonly (Parameters<typeof announcingNodeOf>[0] & Parameters<typeof peerAddressOf>[0])[];
};

export function clusterConfigOf({ nodes, ...objects }: ClusterObjects): ClusterConfig {
  // Whose Services may use a pool is not asked here: they hold its addresses already.
  const { pools, l2Advertisements } = configInForce({ ...objects, namespaces: [] });
  return {
    // A node that peers cannot reach would be dead to them, and they to it: both would answer for one address.
    nodes: nodes.filter((node) => peerAddressOf(node, undefined)).map(announcingNodeOf),
    pools,
    advertisements: l2Advertisements,
  };
}
