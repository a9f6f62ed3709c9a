/** Which ARP requests are answered, and the gratuitous ARP of a new owner (RFC 826, RFC 5227). */

import type { IpAddress } from '../../net/address.ts';
import { BROADCAST_MAC, type MacAddress, NO_MAC } from '../../net/mac.ts';
import type { ArpPacket } from './arp.ts';

/** What one interface answers for. */
export interface Station {
  readonly mac: MacAddress;
  owns(address: IpAddress): boolean;
}

/** Why a packet gets no answer. */
export type ArpDropReason =
  | 'NotARequest'
  | 'NotOwned'
  /** It asks for its own address: another host announces an address of ours (RFC 5227 2.4), which no answer can settle. */
  | 'SenderIsTarget'
  /** Our own frame came back. */
  | 'OwnFrame';

/**
 * The reply to `request`, or why there is none.
 *
 * An ARP Probe (sender address 0.0.0.0, RFC 5227 2.1.1) is answered like any request: that is how an owner defends its address.
 */
export function answerTo(request: ArpPacket, station: Station): ArpPacket | ArpDropReason {
  if (request.op !== 'Request') return 'NotARequest';
  if (!station.owns(request.tpa)) return 'NotOwned';
  if (request.sha === station.mac) return 'OwnFrame';
  if (request.spa.value === request.tpa.value) return 'SenderIsTarget';
  return { op: 'Reply', sha: station.mac, spa: request.tpa, tha: request.sha, tpa: request.spa };
}

/**
 * The gratuitous ARP of a new owner, to be broadcast: an ARP Announcement (a request, RFC 5227 2.3) and the same as a reply.
 *
 * Both, because some stations update their cache from requests only and some from replies only.
 */
export const gratuitousArp = (address: IpAddress, mac: MacAddress): readonly [request: ArpPacket, reply: ArpPacket] => [
  { op: 'Request', sha: mac, spa: address, tha: NO_MAC, tpa: address },
  { op: 'Reply', sha: mac, spa: address, tha: BROADCAST_MAC, tpa: address },
];
