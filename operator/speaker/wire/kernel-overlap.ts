/**
 * Addresses that this host has on an interface of its own, as kube-proxy's IPVS mode makes it: its kernel answers for them
 * although another node may own them.
 */

import type { L2Announcement } from '../../advertising/announcement.ts';
import type { InterfaceInfo } from '../../host/host-network.ts';
import { formatIp, type IpAddress } from '../../net/address.ts';
import type { Guarded } from './responder.ts';

/** An announced address that is local to this host. */
export interface Overlap extends Guarded {
  /** Canonical text. */
  readonly address: string;
  /** The name of the interface that has it. */
  readonly holder: string;
}

/** From this value of arp_ignore on, the kernel answers only for addresses of the interface that was asked (ip-sysctl). */
const ONLY_OWN_ADDRESSES = 1;

/**
 * Which announced addresses the kernel answers for by itself, and on which interfaces.
 *
 * @param announcing where this node announces
 * @param arpIgnoreOf the sysctl in force on an interface, by name
 */
export function overlapsOf(
  announcements: readonly L2Announcement[],
  interfaces: readonly InterfaceInfo[],
  announcing: readonly string[],
  arpIgnoreOf: (name: string) => number,
): readonly Overlap[] {
  const local = new Map<string, { readonly ip: IpAddress; readonly holder: string }>();
  for (const { name, addresses } of interfaces)
    for (const { address, scope } of addresses)
      if (scope !== 'Host') local.set(formatIp(address), { ip: address, holder: name });
  const seen = new Set<string>();
  return announcements.flatMap(({ address }) => {
    const here = seen.has(address) ? undefined : local.get(address);
    if (!here) return [];
    seen.add(address);
    const onInterfaces = announcing.filter((name) => answers(here.ip, here.holder, name, arpIgnoreOf));
    return onInterfaces.length === 0 ? [] : [{ address, ...here, onInterfaces }];
  });
}

/** The kernel answers solicitations only for addresses of the interface that they came in by, ARP for all unless told otherwise. */
const answers = (ip: IpAddress, holder: string, asked: string, arpIgnoreOf: (name: string) => number): boolean =>
  holder === asked || (ip.family === 4 && arpIgnoreOf(asked) < ONLY_OWN_ADDRESSES);

/** One sentence for a person, with the remedy. */
export const describeOverlap = ({ address, holder, onInterfaces }: Overlap, isGuarded: boolean): string =>
  `${address}, which is announced, is an address of this node's interface ${holder}, so its kernel answers for it on ${onInterfaces.join(', ')} whichever node owns it: ` +
  `set strictARP: true in the ipvs section of kube-proxy's configuration, or take the address off the interface` +
  `${isGuarded ? ' (until then the program in the kernel drops such requests)' : ''}`;
