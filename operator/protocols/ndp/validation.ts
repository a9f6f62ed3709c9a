/** Which messages of neighbour discovery may be believed at all (RFC 4861 7.1.1, 7.1.2). */

import type { Icmpv6Packet } from './icmpv6.ts';
import { isMulticast, solicitedNodeGroup } from './multicast.ts';
import type { NeighborAdvertisement, NeighborSolicitation } from './ndp.ts';

/** Of every message on its own link: a router has taken at least one away (RFC 4861 7.1). */
export const HOP_LIMIT = 255;

/** RFC 4861 7.1.1, what concerns more than one field; the hop limit is the caller's to look at. */
export function isValidSolicitation(packet: Icmpv6Packet, solicitation: NeighborSolicitation): boolean {
  const { code, source, destination } = packet;
  if (code !== 0 || isMulticast(solicitation.target) || isMulticast(source)) return false;
  if (source.value !== 0n) return true;
  const group = solicitedNodeGroup(solicitation.target);
  return destination.value === group.value && solicitation.sourceLinkLayerAddress === undefined;
}

/** RFC 4861 7.1.2: nobody is solicited by all at once. */
export const isValidAdvertisement = ({ code, destination }: Icmpv6Packet, read: NeighborAdvertisement): boolean =>
  code === 0 && !isMulticast(read.target) && !(isMulticast(destination) && read.solicited);
