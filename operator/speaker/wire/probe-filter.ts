/** The socket filters of probing: only what may say that somebody has the probed address leaves the kernel. */

import {
  acceptBetween,
  drop,
  type FilterProgram,
  load,
  loadInterfaceIndex,
  require as requireValue,
} from '../../host/socket-filter.ts';
import type { IpAddress } from '../../net/address.ts';
import { ARP_OFFSET } from '../../protocols/arp/arp.ts';
import { ICMPV6, ICMPV6_OFFSET } from '../../protocols/ndp/icmpv6.ts';
import { NEIGHBOR_ADVERTISEMENT, NEIGHBOR_SOLICITATION } from '../../protocols/ndp/ndp.ts';

const ETHERNET_HEADER = 14;
const IPV6_LAST_WORD = 12;

/** Accepts ARP in which `address` is the sender or the target. */
export function arpAboutFilter(interfaceIndex: number, address: IpAddress): FilterProgram {
  const word = lastWordOf(address);
  return [
    loadInterfaceIndex(),
    ...requireValue(interfaceIndex),
    load(4, ETHERNET_HEADER + ARP_OFFSET.spa),
    ...acceptBetween(word, word),
    load(4, ETHERNET_HEADER + ARP_OFFSET.tpa),
    ...acceptBetween(word, word),
    drop(),
  ];
}

/** Accepts Neighbor Solicitations and Advertisements whose target ends in the last 32 bits of `address`. */
export function neighborMessagesFilter(interfaceIndex: number, address: IpAddress): FilterProgram {
  return [
    loadInterfaceIndex(),
    ...requireValue(interfaceIndex),
    load(1, ETHERNET_HEADER + ICMPV6_OFFSET.nextHeader),
    ...requireValue(ICMPV6),
    load(4, ETHERNET_HEADER + ICMPV6_OFFSET.target + IPV6_LAST_WORD),
    ...requireValue(lastWordOf(address)),
    load(1, ETHERNET_HEADER + ICMPV6_OFFSET.type),
    ...acceptBetween(NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT),
    drop(),
  ];
}

const lastWordOf = ({ value }: IpAddress): number => Number(value & 0xffff_ffffn);
