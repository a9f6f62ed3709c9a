/** IPv6 multicast groups joined on one interface: the kernel programs the MAC filter, reports by MLD and answers queries. */

import { formatIp, type IpAddress, ipOctets } from '../net/address.ts';
import { HostError } from './host-error.ts';
import { AF_INET6, closeDescriptor, openSocket, SOCK_DGRAM, setSocketOption } from './libc.ts';

const IPPROTO_IPV6 = 41;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
/** Each membership counts against net.core.optmem_max of its socket: 20 KiB, the smallest default in use, holds over 400. */
const GROUPS_PER_SOCKET = 256;

interface Member {
  readonly fd: number;
  readonly request: Uint8Array;
}

/** The memberships of one interface. */
export class MulticastGroups {
  readonly #interfaceIndex: number;
  readonly #members = new Map<bigint, Member>();
  /** Memberships per socket. */
  readonly #sockets = new Map<number, number>();

  constructor(interfaceIndex: number) {
    this.#interfaceIndex = interfaceIndex;
  }

  /** Joins what is new in `groups` and leaves what is no longer in it. @throws {HostError} the rest of the set is then untouched */
  set(groups: readonly IpAddress[]): void {
    const wanted = new Map(groups.map((group) => [group.value, group]));
    for (const [key, member] of this.#members) if (!wanted.has(key)) this.#leave(key, member);
    for (const [key, group] of wanted) if (!this.#members.has(key)) this.#join(key, group);
  }

  /** Leaves all groups. */
  close(): void {
    for (const fd of this.#sockets.keys()) closeDescriptor(fd); // the kernel ends a socket's memberships with it
    this.#sockets.clear();
    this.#members.clear();
  }

  #join(key: bigint, group: IpAddress): void {
    const fd = this.#socketWithRoom();
    const request = Buffer.alloc(20); // struct ipv6_mreq: the group, then the interface's index
    request.set(ipOctets(group), 0);
    request.writeUInt32LE(this.#interfaceIndex, 16);
    setSocketOption(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, request, `IPV6_JOIN_GROUP ${formatIp(group)}`);
    this.#members.set(key, { fd, request });
    this.#sockets.set(fd, (this.#sockets.get(fd) ?? 0) + 1);
  }

  #leave(key: bigint, { fd, request }: Member): void {
    this.#members.delete(key);
    this.#sockets.set(fd, (this.#sockets.get(fd) ?? 1) - 1);
    try {
      setSocketOption(fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, request, 'IPV6_LEAVE_GROUP');
    } catch (error) {
      if (!(error instanceof HostError)) throw error; // the kernel has dropped it already, with the interface's IPv6
    }
  }

  #socketWithRoom(): number {
    for (const [fd, count] of this.#sockets) if (count < GROUPS_PER_SOCKET) return fd;
    const fd = openSocket(AF_INET6, SOCK_DGRAM, 0, 'AF_INET6');
    this.#sockets.set(fd, 0);
    return fd;
  }
}
