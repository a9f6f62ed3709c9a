/** The nodes' addresses as they were when the cluster was made; a node keeps them for life. */
import { readClusterState } from './kind-cluster.ts';
import { Problem } from './problem.ts';

/** A node's address in each family. */
export interface NodeAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/**
 * The addresses of a node, running or not.
 * @throws Problem when there is no such node
 */
export function nodeAddresses(node: string): NodeAddresses {
  const known = readClusterState()?.addresses ?? {};
  const addresses = known[node];
  if (addresses === undefined) {
    throw new Problem('NoSuchNode', `There is no node ${node}; there are ${Object.keys(known).join(', ')}.`);
  }
  return addresses;
}
