/** On which interfaces a node may announce (MetalLB's rules, facts of internal/layer2: up, not excluded, no member of another, no NOARP). */

import type { InterfaceInfo } from '../../host/host-network.ts';
import type { MacAddress } from '../../net/mac.ts';

/** An interface that is not refused. */
export type EligibleInterface = InterfaceInfo & { readonly mac: MacAddress };

/** Why an interface announces nothing at all. */
export type InterfaceRefusal = 'Excluded' | 'NotEthernet' | 'NoArp' | 'MemberOfAnother' | 'Down' | 'NoCarrier';

/**
 * Why `info` is not announced on, or undefined when it is.
 *
 * @param excluded interfaces of containers and tunnels, by name; undefined excludes none
 */
export function refusalOf(info: InterfaceInfo, excluded: RegExp | undefined): InterfaceRefusal | undefined {
  if (excluded?.test(info.name)) return 'Excluded';
  if (info.mac === undefined || info.isLoopback) return 'NotEthernet';
  if (!info.hasArp) return 'NoArp';
  if (info.master !== undefined) return 'MemberOfAnother';
  if (!info.isUp) return 'Down';
  if (!info.hasCarrier) return 'NoCarrier';
  return undefined;
}

/** Whether `info` is announced on. */
export const isEligible = (info: InterfaceInfo, excluded: RegExp | undefined): info is EligibleInterface =>
  refusalOf(info, excluded) === undefined;

/** Whether ARP is spoken on an interface that is not refused. */
export const speaksArp = (info: InterfaceInfo): boolean => info.hasBroadcast;

/** Whether IPv6 is alive on an interface that is not refused: it has a link-local address (RFC 4291 2.1). */
export const speaksNdp = (info: InterfaceInfo): boolean =>
  info.addresses.some(({ address, scope }) => address.family === 6 && scope === 'Link');
