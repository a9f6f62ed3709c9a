/**
 * ICMPv6 in IPv6 (RFC 4443, RFC 8200), as far as neighbour discovery needs it.
 *
 *  0 version 6, traffic class, flow label    4 payload length   6 next header   7 hop limit
 *  8 source   24 destination                40 ICMPv6: type, code, checksum (2), body
 */

import { type IpAddress, ipFromOctets, ipOctets } from '../../net/address.ts';

/** One ICMPv6 message with what its IPv6 header says. */
export interface Icmpv6Packet {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly hopLimit: number;
  readonly type: number;
  readonly code: number;
  /** What follows the 4 octets of type, code and checksum. */
  readonly body: Uint8Array;
}

/** Where a socket filter finds fields of a packet without extension headers, counted from the IPv6 header. */
export const ICMPV6_OFFSET = { nextHeader: 6, type: 40, target: 48 } as const;
export const ICMPV6 = 58;

const IPV6_HEADER = 40;
const ICMPV6_HEADER = 4;

/** Returns undefined for what is not ICMPv6, is cut short, carries extension headers, or has a wrong checksum. */
export function decodeIcmpv6(payload: Uint8Array): Icmpv6Packet | undefined {
  const message = messageOf(payload);
  const source = payload.subarray(8, 24);
  const destination = payload.subarray(24, 40);
  if (!message || checksum(source, destination, message) !== 0) return undefined;
  return {
    source: ipFromOctets(source),
    destination: ipFromOctets(destination),
    hopLimit: payload[7] ?? 0,
    type: message[0] ?? 0,
    code: message[1] ?? 0,
    body: message.subarray(ICMPV6_HEADER),
  };
}

/** The ICMPv6 message right after the header of an IPv6 packet. */
function messageOf(payload: Uint8Array): Uint8Array | undefined {
  if (payload.length < IPV6_HEADER || (payload[0] ?? 0) >> 4 !== 6 || payload[6] !== ICMPV6) return undefined;
  const end = IPV6_HEADER + u16(payload, 4);
  // Ethernet pads, so a longer frame is normal
  return end > payload.length || end < IPV6_HEADER + ICMPV6_HEADER ? undefined : payload.subarray(IPV6_HEADER, end);
}

/** Encodes the IPv6 header and the message, with its checksum. */
export function encodeIcmpv6(packet: Icmpv6Packet): Uint8Array {
  const octets = new Uint8Array(IPV6_HEADER + ICMPV6_HEADER + packet.body.length);
  const source = ipOctets(packet.source);
  const destination = ipOctets(packet.destination);
  octets[0] = 0x60;
  setU16(octets, 4, octets.length - IPV6_HEADER);
  octets[6] = ICMPV6;
  octets[7] = packet.hopLimit;
  octets.set(source, 8);
  octets.set(destination, 24);
  octets[40] = packet.type;
  octets[41] = packet.code;
  octets.set(packet.body, 44);
  setU16(octets, 42, checksum(source, destination, octets.subarray(IPV6_HEADER)));
  return octets;
}

/**
 * The Internet checksum over pseudo-header and message (RFC 8200 8.1, RFC 1071).
 *
 * @returns 0 when the message already holds its right checksum
 */
function checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  let sum = sumOf(source) + sumOf(destination) + message.length + ICMPV6 + sumOf(message);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function sumOf(octets: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += u16(octets, at); // an odd last octet counts as its high half
  return sum;
}

const u16 = (octets: Uint8Array, at: number): number => ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
function setU16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >> 8;
  octets[at + 1] = value & 0xff;
}
