/** The interfaces of the host, folded from rtnetlink messages. */

import { formatIp } from '../net/address.ts';
import type { InterfaceAddress, InterfaceInfo } from './host-network.ts';
import type { AddressMessage, LinkMessage, RouteMessage } from './rtnetlink-codec.ts';

const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
const IFF_NOARP = 0x80;
const IFF_LOWER_UP = 0x10000;
const ARPHRD_ETHER = 1;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_HOST = 254;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_OPTIMISTIC = 0x04;

interface Entry {
  readonly link: LinkMessage;
  readonly addresses: Map<string, InterfaceAddress>;
}

/** Links and their addresses by index. */
export class InterfaceTable {
  readonly #entries = new Map<number, Entry>();

  /** Forgets everything: a dump follows. */
  clear(): void {
    this.#entries.clear();
  }

  /** Takes one message in. @returns whether `list()` may read differently now */
  apply(message: RouteMessage): boolean {
    switch (message.kind) {
      case 'NewLink':
        return this.#setLink(message.link);
      case 'DeleteLink':
        return this.#entries.delete(message.link.index);
      case 'NewAddress':
      case 'DeleteAddress':
        return this.#setAddress(message.kind, message.address);
      case 'Done':
      case 'Error':
        return false;
    }
  }

  /** By index. */
  list(): readonly InterfaceInfo[] {
    return [...this.#entries.values()]
      .map(({ link, addresses }) => describe(link, [...addresses.values()]))
      .sort((a, b) => a.index - b.index);
  }

  #setLink(link: LinkMessage): boolean {
    const known = this.#entries.get(link.index);
    if (known && isSameLink(known.link, link)) return false;
    this.#entries.set(link.index, { link, addresses: known?.addresses ?? new Map() });
    return true;
  }

  #setAddress(kind: 'NewAddress' | 'DeleteAddress', message: AddressMessage): boolean {
    const addresses = this.#entries.get(message.index)?.addresses;
    const key = `${formatIp(message.address)}/${message.prefixLength}`;
    if (!addresses) return false;
    if (kind === 'DeleteAddress') return addresses.delete(key);
    const next = describeAddress(message);
    const known = addresses.get(key);
    if (known && known.scope === next.scope && known.tentative === next.tentative) return false;
    addresses.set(key, next);
    return true;
  }
}

const isSameLink = (a: LinkMessage, b: LinkMessage): boolean =>
  a.name === b.name &&
  a.flags === b.flags &&
  a.mac === b.mac &&
  a.master === b.master &&
  a.hardwareType === b.hardwareType;

const describe = (link: LinkMessage, addresses: readonly InterfaceAddress[]): InterfaceInfo => ({
  index: link.index,
  name: link.name,
  mac: link.hardwareType === ARPHRD_ETHER ? link.mac : undefined,
  isUp: (link.flags & IFF_UP) !== 0,
  hasCarrier: (link.flags & IFF_LOWER_UP) !== 0,
  isLoopback: (link.flags & IFF_LOOPBACK) !== 0,
  hasBroadcast: (link.flags & IFF_BROADCAST) !== 0,
  hasArp: (link.flags & IFF_NOARP) === 0,
  master: link.master,
  addresses,
});

function describeAddress({ address, prefixLength, scope, flags }: AddressMessage): InterfaceAddress {
  // RFC 4429: an optimistic address may be used at once
  const tentative = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) !== 0 && (flags & IFA_F_OPTIMISTIC) === 0;
  const word = scope === RT_SCOPE_LINK ? 'Link' : scope === RT_SCOPE_HOST ? 'Host' : 'Global';
  return { address, prefixLength, scope: word, tentative };
}
