/** Who answers for an L2 address: MetalLB's order by hash, so that replacing MetalLB moves no address (speaker/layer2_controller.go). */

import { createHash } from 'node:crypto';

/**
 * Orders `nodes` by sha256(node + '#' + firstAddress), octets ascending: the first one alive owns the address.
 *
 * Pure and free of the order in which `nodes` come. A lost node moves only its own addresses, because the order of the others stays.
 *
 * @param firstAddress canonical text of the first address in the Service's status; both families of a Service hash by it, so that one node owns both
 */
export function rank(nodes: readonly string[], firstAddress: string): readonly string[] {
  return nodes
    .map((node) => ({ node, digest: digestOf(node, firstAddress) }))
    .toSorted((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0))
    .map(({ node }) => node);
}

/** Lower-case hex compares as the octets do. */
const digestOf = (node: string, address: string): string =>
  createHash('sha256').update(`${node}#${address}`).digest('hex');

/** The owner: the first candidate that is available, or undefined when none is. */
export const ownerOf = (candidates: readonly string[], isAvailable: (node: string) => boolean): string | undefined =>
  candidates.find(isAvailable);
