/** The socket filters of the responder: only requests for addresses we own leave the kernel, whatever else floods the segment. */

import {
  acceptBetween,
  drop,
  dropForOthers,
  type FilterProgram,
  load,
  loadInterfaceIndex,
  require as requireValue,
} from '../../host/socket-filter.ts';
import type { IpAddress } from '../../net/address.ts';
import { ARP_OFFSET, ARP_REQUEST_CODE } from '../../protocols/arp/arp.ts';
import { ICMPV6, ICMPV6_OFFSET } from '../../protocols/ndp/icmpv6.ts';
import { NEIGHBOR_SOLICITATION } from '../../protocols/ndp/ndp.ts';

/**
 * Three instructions each, which the kernel may double, 8 octets each. While a filter is replaced both count against
 * net.core.optmem_max, 20 KiB before Linux 6.7: two of 210 ranges no longer fit. Every frame passes them one after the other.
 */
const MAX_RANGES = 128;
const ETHERNET_HEADER = 14;
const IPV6_LAST_WORD = 12;

/** Accepts ARP requests for `owned`; with very many scattered addresses also some for others, which the responder drops. */
export const arpRequestFilter = (interfaceIndex: number, owned: readonly IpAddress[]): FilterProgram => [
  ...onlyFromInterface(interfaceIndex),
  load(2, ETHERNET_HEADER + ARP_OFFSET.op),
  ...requireValue(ARP_REQUEST_CODE),
  load(4, ETHERNET_HEADER + ARP_OFFSET.tpa),
  ...acceptLastWords(owned),
];

/** Accepts Neighbor Solicitations whose target ends in the last 32 bits of one of `owned`; the responder compares the rest. */
export const solicitationFilter = (interfaceIndex: number, owned: readonly IpAddress[]): FilterProgram => [
  ...onlyFromInterface(interfaceIndex),
  load(1, ETHERNET_HEADER + ICMPV6_OFFSET.nextHeader),
  ...requireValue(ICMPV6),
  load(1, ETHERNET_HEADER + ICMPV6_OFFSET.type),
  ...requireValue(NEIGHBOR_SOLICITATION),
  load(4, ETHERNET_HEADER + ICMPV6_OFFSET.target + IPV6_LAST_WORD),
  ...acceptLastWords(owned),
];

/** A tagged frame for a VLAN device above this interface also reaches its sockets, already under the VLAN device's index. */
const onlyFromInterface = (index: number): FilterProgram => [
  ...dropForOthers(),
  loadInterfaceIndex(),
  ...requireValue(index),
];

function acceptLastWords(owned: readonly IpAddress[]): FilterProgram {
  const words = owned.map(({ value }) => Number(value & 0xffff_ffffn));
  return [...coveringRanges(words, MAX_RANGES).flatMap(([first, last]) => acceptBetween(first, last)), drop()];
}

/** At most `limit` ranges, ascending, that hold all of `numbers`; when there must be fewer, the smallest gaps are closed. */
export function coveringRanges(numbers: readonly number[], limit: number): readonly (readonly [number, number])[] {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const gapBefore = (at: number): number => (sorted[at] ?? 0) - (sorted[at - 1] ?? 0);
  const splits = [...sorted.keys()]
    .slice(1)
    .filter((at) => gapBefore(at) > 1)
    .sort((a, b) => gapBefore(b) - gapBefore(a))
    .slice(0, limit - 1)
    .sort((a, b) => a - b);
  return [0, ...splits].flatMap((start, n) => {
    const first = sorted[start];
    const last = sorted[(splits[n] ?? sorted.length) - 1];
    return first === undefined || last === undefined ? [] : [[first, last] as const];
  });
}
