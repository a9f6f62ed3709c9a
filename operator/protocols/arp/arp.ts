/**
 * ARP for IPv4 over Ethernet (RFC 826). Fields keep the RFC's names without the `ar$`.
 *
 *  0 hrd 1 = Ethernet    4 hln 6    8 sha sender hardware   18 tha target hardware
 *  2 pro 0x0800 = IPv4   5 pln 4   14 spa sender protocol   24 tpa target protocol
 *                        6 op
 */

import { type IpAddress, ipFromOctets, ipOctets } from '../../net/address.ts';
import { type MacAddress, macFromOctets, macOctets } from '../../net/mac.ts';

export interface ArpPacket {
  readonly op: ArpOperation;
  readonly sha: MacAddress;
  readonly spa: IpAddress;
  readonly tha: MacAddress;
  readonly tpa: IpAddress;
}
export type ArpOperation = 'Request' | 'Reply';

/** Where a socket filter finds fields, counted from the start of the payload. */
export const ARP_OFFSET = { op: 6, spa: 14, tpa: 24 } as const;
export const ARP_REQUEST_CODE = 1;

const ARP_LENGTH = 28;
const ETHERNET_IPV4 = [0x00, 0x01, 0x08, 0x00, 6, 4] as const; // hrd, pro, hln, pln
const OPERATION_CODE = { Request: ARP_REQUEST_CODE, Reply: 2 } as const;

/** Returns undefined for whatever is not an ARP request or reply for IPv4 over Ethernet: the caller drops it. */
export function decodeArp(payload: Uint8Array): ArpPacket | undefined {
  if (payload.length < ARP_LENGTH) return undefined; // longer is normal: Ethernet pads to 46 octets
  if (ETHERNET_IPV4.some((octet, at) => payload[at] !== octet)) return undefined;
  const op = operationOf(payload);
  if (op === undefined) return undefined;
  return { op, sha: mac(payload, 8), spa: ip(payload, 14), tha: mac(payload, 18), tpa: ip(payload, 24) };
}

/** Encodes the 28 octets; padding to the Ethernet minimum is the frame's business. */
export function encodeArp({ op, sha, spa, tha, tpa }: ArpPacket): Uint8Array {
  return Uint8Array.of(
    ...ETHERNET_IPV4,
    0,
    OPERATION_CODE[op],
    ...macOctets(sha),
    ...ipOctets(spa),
    ...macOctets(tha),
    ...ipOctets(tpa),
  );
}

function operationOf(payload: Uint8Array): ArpOperation | undefined {
  const code = ((payload[6] ?? 0) << 8) | (payload[7] ?? 0);
  return code === OPERATION_CODE.Request ? 'Request' : code === OPERATION_CODE.Reply ? 'Reply' : undefined;
}
const mac = (octets: Uint8Array, at: number): MacAddress => macFromOctets(octets.subarray(at, at + 6));
const ip = (octets: Uint8Array, at: number): IpAddress => ipFromOctets(octets.subarray(at, at + 4));
