/**
 * Ethernet II frames (IEEE 802.3 3.2.6, RFC 894): the header around ARP and IPv6.
 *
 *  0 destination   6 source   12 EtherType   14 payload, padded to 46
 */

import { type MacAddress, macFromOctets, macOctets } from '../../net/mac.ts';

export interface EthernetFrame {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  readonly etherType: number;
  /** May be longer than what it carries: padding. */
  readonly payload: Uint8Array;
}

/** EtherType numbers (IANA ieee-802-numbers). */
export const ETHERTYPE = { Arp: 0x0806, Ipv6: 0x86dd } as const;

const HEADER = 14;
const MINIMUM = 60; // without the frame check sequence

/** Returns undefined for what is too short to be a frame. */
export function decodeEthernet(octets: Uint8Array): EthernetFrame | undefined {
  if (octets.length < HEADER) return undefined;
  return {
    destination: macFromOctets(octets.subarray(0, 6)),
    source: macFromOctets(octets.subarray(6, 12)),
    etherType: ((octets[12] ?? 0) << 8) | (octets[13] ?? 0),
    payload: octets.subarray(HEADER),
  };
}

/** Encodes the frame and pads it to the 60 octets that a driver would otherwise have to pad. */
export function encodeEthernet({ destination, source, etherType, payload }: EthernetFrame): Uint8Array {
  const octets = new Uint8Array(Math.max(HEADER + payload.length, MINIMUM));
  octets.set(macOctets(destination), 0);
  octets.set(macOctets(source), 6);
  octets[12] = etherType >> 8;
  octets[13] = etherType & 0xff;
  octets.set(payload, HEADER);
  return octets;
}

/** Whether a station with address `mac` may take the frame: sent to it, or to a group (broadcast is one). */
export const isForStation = ({ destination }: EthernetFrame, mac: MacAddress): boolean =>
  destination === mac || isGroupMac(destination);

/** The I/G bit of the first octet (IEEE 802 8.2). */
const isGroupMac = (mac: MacAddress): boolean => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
