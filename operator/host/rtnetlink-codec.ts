/**
 * Links and addresses in rtnetlink (rtnetlink(7), rfc3549): the part that a speaker reads.
 *
 *  nlmsghdr    0 length u32   4 type u16   6 flags u16   8 sequence u32   12 port u32
 *  ifinfomsg   0 family u8    2 hardware type u16   4 index i32   8 flags u32   12 change u32
 *  ifaddrmsg   0 family u8    1 prefix length u8    2 flags u8    3 scope u8     4 index u32
 *  rtattr      0 length u16   2 type u16   4 value, padded to 4
 *
 * All numbers are in the machine's byte order, little-endian on everything we support.
 */

import { type IpAddress, ipFromOctets } from '../net/address.ts';
import { type MacAddress, macFromOctets } from '../net/mac.ts';

/** A link as the kernel describes it. */
export interface LinkMessage {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_*: 1 is Ethernet. */
  readonly hardwareType: number;
  readonly mac: MacAddress | undefined;
  /** IFF_*. */
  readonly flags: number;
  readonly master: number | undefined;
}

/** An address of a link. */
export interface AddressMessage {
  readonly index: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** RT_SCOPE_*. */
  readonly scope: number;
  /** IFA_F_*. */
  readonly flags: number;
}

export type RouteMessage =
  | { readonly kind: 'NewLink' | 'DeleteLink'; readonly link: LinkMessage }
  | { readonly kind: 'NewAddress' | 'DeleteAddress'; readonly address: AddressMessage }
  /** The end of a dump; `interrupted` when the tables changed meanwhile (NLM_F_DUMP_INTR) and it must be asked for again. */
  | { readonly kind: 'Done'; readonly interrupted: boolean }
  /** `errno` is positive; 0 acknowledges. */
  | { readonly kind: 'Error'; readonly errno: number };

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_REQUEST_DUMP = 0x301;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MASTER = 10;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const AF_UNSPEC = 0;
const HEADER = 16;
const LINK_HEADER = 16;
const ADDRESS_HEADER = 8;

/** Asks for all links, or all addresses of both families. */
export function encodeDumpRequest(what: 'Links' | 'Addresses', sequence: number): Uint8Array {
  const request = Buffer.alloc(HEADER + (what === 'Links' ? LINK_HEADER : ADDRESS_HEADER));
  request.writeUInt32LE(request.length, 0);
  request.writeUInt16LE(what === 'Links' ? RTM_GETLINK : RTM_GETADDR, 4);
  request.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
  request.writeUInt32LE(sequence, 8);
  return request;
}

/** Decodes one datagram: what is neither a link, nor an address, nor the end of a dump, or is cut short, is left out. */
export function decodeRouteMessages(datagram: Uint8Array): readonly RouteMessage[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: RouteMessage[] = [];
  for (let at = 0; at + HEADER <= datagram.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > datagram.length) break;
    const flags = view.getUint16(at + 6, true);
    const message = decodeBody(view.getUint16(at + 4, true), flags, datagram.subarray(at + HEADER, at + length));
    if (message) messages.push(message);
    at += padded(length);
  }
  return messages;
}

function decodeBody(type: number, flags: number, body: Uint8Array): RouteMessage | undefined {
  switch (type) {
    case NLMSG_DONE:
      return { kind: 'Done', interrupted: (flags & NLM_F_DUMP_INTR) !== 0 };
    case NLMSG_ERROR:
      return body.length < 4 ? undefined : { kind: 'Error', errno: -viewOf(body).getInt32(0, true) };
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const link = decodeLink(body);
      return link && { kind: type === RTM_NEWLINK ? 'NewLink' : 'DeleteLink', link };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = decodeAddress(body);
      return address && { kind: type === RTM_NEWADDR ? 'NewAddress' : 'DeleteAddress', address };
    }
    default:
      return undefined;
  }
}

/** Undefined for a bridge's view of its port (family AF_BRIDGE): its "delete" only means that the port left the bridge. */
function decodeLink(body: Uint8Array): LinkMessage | undefined {
  if (body.length < LINK_HEADER || body[0] !== AF_UNSPEC) return undefined;
  const view = viewOf(body);
  const attributes = decodeAttributes(body.subarray(LINK_HEADER));
  const name = attributes.get(IFLA_IFNAME);
  const mac = attributes.get(IFLA_ADDRESS);
  const master = attributes.get(IFLA_MASTER);
  if (!name) return undefined;
  return {
    index: view.getInt32(4, true),
    name: textOf(name),
    hardwareType: view.getUint16(2, true),
    mac: mac?.length === 6 ? macFromOctets(mac) : undefined,
    flags: view.getUint32(8, true),
    master: master?.length === 4 ? viewOf(master).getUint32(0, true) : undefined,
  };
}

function decodeAddress(body: Uint8Array): AddressMessage | undefined {
  if (body.length < ADDRESS_HEADER) return undefined;
  const view = viewOf(body);
  const attributes = decodeAttributes(body.subarray(ADDRESS_HEADER));
  // on a point-to-point link IFA_ADDRESS is the peer's address, IFA_LOCAL ours
  const octets = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  const flags = attributes.get(IFA_FLAGS);
  if (octets?.length !== 4 && octets?.length !== 16) return undefined;
  return {
    index: view.getUint32(4, true),
    address: ipFromOctets(octets),
    prefixLength: view.getUint8(1),
    scope: view.getUint8(3),
    flags: flags?.length === 4 ? viewOf(flags).getUint32(0, true) : view.getUint8(2),
  };
}

function decodeAttributes(octets: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(octets);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= octets.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > octets.length) break;
    attributes.set(view.getUint16(at + 2, true), octets.subarray(at + 4, at + length));
    at += padded(length);
  }
  return attributes;
}

const padded = (length: number): number => (length + 3) & ~3;
const viewOf = (octets: Uint8Array): DataView => new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
/** A C string: without its final zero octet. */
const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1').replace(/\0.*$/s, '');
