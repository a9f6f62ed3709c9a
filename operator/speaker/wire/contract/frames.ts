/** Frames of the namespace tests: requests as clients send them, and as they should not be. */

import { type IpAddress, parseIp } from '../../../net/address.ts';
import { BROADCAST_MAC, type MacAddress, NO_MAC } from '../../../net/mac.ts';
import { type ArpPacket, encodeArp } from '../../../protocols/arp/arp.ts';
import { ETHERTYPE, encodeEthernet } from '../../../protocols/ethernet/ethernet.ts';
import { encodeIcmpv6, type Icmpv6Packet } from '../../../protocols/ndp/icmpv6.ts';
import { multicastMac, solicitedNodeGroup } from '../../../protocols/ndp/multicast.ts';
import { encodeNeighborSolicitation, NEIGHBOR_SOLICITATION } from '../../../protocols/ndp/ndp.ts';

/** The client of a segment. */
export const CLIENT_MAC = '02:00:00:00:00:c1';
const CLIENT_V4 = '192.0.2.1';
const CLIENT_V6 = '2001:db8::1';

export const ipOf = (text: string): IpAddress => parseIp(text) as IpAddress;

/** Who-has `target`, from the client to all; `changes` say what is different. */
export function arpRequest(
  target: string,
  changes: Partial<ArpPacket> & { readonly destination?: MacAddress; readonly source?: MacAddress } = {},
): Uint8Array {
  const { destination = BROADCAST_MAC, source = CLIENT_MAC, ...packet } = changes;
  const request = { op: 'Request', sha: CLIENT_MAC, spa: ipOf(CLIENT_V4), tha: NO_MAC, tpa: ipOf(target) } as const;
  const payload = encodeArp({ ...request, ...packet });
  return encodeEthernet({ destination, source, etherType: ETHERTYPE.Arp, payload });
}

interface SolicitationChanges extends Partial<Omit<Icmpv6Packet, 'body'>> {
  readonly etherDestination?: MacAddress;
  readonly linkLayerAddress?: MacAddress | undefined;
  /** Octets behind the source link-layer address. */
  readonly furtherOptions?: readonly number[];
}

/** Solicits `target`, from the client to the solicited-node group, with the client's link-layer address. */
export function solicitation(target: string, changes: SolicitationChanges = {}): Uint8Array {
  const ip = ipOf(target);
  const group = solicitedNodeGroup(ip);
  const { etherDestination = multicastMac(group), furtherOptions = [], ...packet } = changes;
  const sourceLinkLayerAddress = 'linkLayerAddress' in changes ? changes.linkLayerAddress : CLIENT_MAC;
  const fixed = { source: ipOf(CLIENT_V6), destination: group, hopLimit: 255, type: NEIGHBOR_SOLICITATION, code: 0 };
  const body = Uint8Array.of(...encodeNeighborSolicitation({ target: ip, sourceLinkLayerAddress }), ...furtherOptions);
  return encodeEthernet({
    destination: etherDestination,
    source: CLIENT_MAC,
    etherType: ETHERTYPE.Ipv6,
    payload: encodeIcmpv6({ ...fixed, ...packet, body }),
  });
}

/** The frame with a tag of IEEE 802.1Q behind its addresses. */
export const tagged = (frame: Uint8Array, vlan: number): Uint8Array =>
  Uint8Array.of(...frame.subarray(0, 12), 0x81, 0x00, vlan >> 8, vlan & 0xff, ...frame.subarray(12));

/** The frame with one octet changed. */
export function flipped(frame: Uint8Array, at: number, bits = 0xff): Uint8Array {
  const copy = frame.slice();
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
}

/** Octets whose change makes an ARP request one that nobody may answer: protocol fields, operation, target. */
const ARP_CHECKED = [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 38, 39, 40, 41];
/** The same for a solicitation: next header, hop limit, and all that its checksum covers. */
const NDP_CHECKED = [12, 13, 18, 19, 20, 21, ...Array.from({ length: 64 }, (_, n) => 22 + n)];

/** Malformed relatives of requests for owned addresses, by a small generator that repeats itself from the same seed. */
export function* malformed(
  count: number,
  owned: { readonly v4: string; readonly v6: string },
  seed = 1,
): Generator<Uint8Array> {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' linear congruential generator
    return Math.floor((state / 2 ** 32) * below);
  };
  const requests = [
    { frame: arpRequest(owned.v4), checked: ARP_CHECKED, needed: 42 },
    { frame: solicitation(owned.v6), checked: NDP_CHECKED, needed: 86 },
  ];
  for (let n = 0; n < count; n++) {
    const { frame, checked, needed } = requests[random(2)] as (typeof requests)[number];
    if (random(4) === 0) yield frame.slice(0, 14 + random(needed - 14));
    else yield flipped(frame, checked[random(checked.length)] ?? 12, 1 + random(255));
  }
}
