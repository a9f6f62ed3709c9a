/** Which solicitations are answered, and the unsolicited advertisement of a new owner (RFC 4861 7.1.1, 7.2.4, 7.2.6). */

import type { IpAddress } from '../../net/address.ts';
import type { MacAddress } from '../../net/mac.ts';
import type { Icmpv6Packet } from './icmpv6.ts';
import { ALL_NODES, multicastMac } from './multicast.ts';
import {
  decodeNeighborSolicitation,
  encodeNeighborAdvertisement,
  NEIGHBOR_ADVERTISEMENT,
  NEIGHBOR_SOLICITATION,
} from './ndp.ts';
import { HOP_LIMIT, isValidSolicitation } from './validation.ts';

/** What one interface answers for. */
export interface Station {
  readonly mac: MacAddress;
  owns(address: IpAddress): boolean;
}

/** A packet and the station it goes to. */
export interface Outgoing {
  readonly packet: Icmpv6Packet;
  readonly destination: MacAddress;
}

/** Why a packet gets no answer. */
export type NdpDropReason =
  | 'NotASolicitation'
  /** A router forwarded it: hop limit below 255 (RFC 4861 7.1.1). */
  | 'NotOnLink'
  /** Code, length, options, target or source are not what RFC 4861 7.1.1 asks for. */
  | 'Malformed'
  | 'NotOwned'
  /** Our own frame came back. */
  | 'OwnFrame';

/**
 * The advertisement that answers `packet`, or why there is none.
 *
 * Duplicate address detection (source ::) is answered to all nodes: that is how an owner defends its address. A
 * solicitation without source link-layer address, as reachability probes send them, is answered to the frame's sender,
 * because we keep no neighbour cache in which RFC 4861 7.2.4 would look.
 *
 * @param sender source address of the frame
 */
export function answerTo(packet: Icmpv6Packet, sender: MacAddress, station: Station): Outgoing | NdpDropReason {
  if (packet.type !== NEIGHBOR_SOLICITATION) return 'NotASolicitation';
  if (packet.hopLimit !== HOP_LIMIT) return 'NotOnLink';
  const solicitation = decodeNeighborSolicitation(packet.body);
  if (!solicitation || !isValidSolicitation(packet, solicitation)) return 'Malformed';
  if (!station.owns(solicitation.target)) return 'NotOwned';
  if (sender === station.mac) return 'OwnFrame';

  const isDetection = packet.source.value === 0n;
  const destination = isDetection ? ALL_NODES : packet.source;
  return {
    packet: advertisement(solicitation.target, destination, station.mac, !isDetection),
    destination: isDetection ? multicastMac(ALL_NODES) : (solicitation.sourceLinkLayerAddress ?? sender),
  };
}

/** The unsolicited advertisement of a new owner: to all nodes, overriding what they know (RFC 4861 7.2.6). */
export const unsolicitedAdvertisement = (address: IpAddress, mac: MacAddress): Outgoing => ({
  packet: advertisement(address, ALL_NODES, mac, false),
  destination: multicastMac(ALL_NODES),
});

const advertisement = (
  target: IpAddress,
  destination: IpAddress,
  mac: MacAddress,
  solicited: boolean,
): Icmpv6Packet => ({
  source: target,
  destination,
  hopLimit: HOP_LIMIT,
  type: NEIGHBOR_ADVERTISEMENT,
  code: 0,
  // RFC 4861 4.4: override is clear only for anycast and proxies; router is for those who send Router Advertisements
  body: encodeNeighborAdvertisement({ router: false, solicited, override: true, target, targetLinkLayerAddress: mac }),
});
