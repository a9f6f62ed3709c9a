/** The rtnetlink socket: dumps of links and addresses, and a monitor of their changes. */

import { type Watch, watch } from './fd-poller.ts';
import { HostError } from './host-error.ts';
import { AF_NETLINK, bindSocket, closeDescriptor, openSocket, receive, SOCK_RAW, transmit } from './libc.ts';
import { decodeRouteMessages, encodeDumpRequest, type RouteMessage } from './rtnetlink-codec.ts';

const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR. */
const GROUPS = 0x1 | 0x10 | 0x100;
/** The kernel fills at most 32 KiB per dump datagram (NLMSG_GOODSIZE and max_recvmsg_len). */
const DATAGRAM_OCTETS = 65_536;
/** A dump that the tables' changes interrupt is asked for again this often; then its content is taken as it is. */
const DUMP_ATTEMPTS = 5;

/**
 * All links and addresses of this network namespace, links first.
 *
 * @throws {HostError} when the kernel refuses
 */
export function dumpLinksAndAddresses(): readonly RouteMessage[] {
  const fd = openRouteSocket(0);
  try {
    return [...dump(fd, 'Links'), ...dump(fd, 'Addresses')];
  } finally {
    closeDescriptor(fd);
  }
}

function dump(fd: number, what: 'Links' | 'Addresses'): readonly RouteMessage[] {
  for (let attempt = 1; ; attempt++) {
    transmit(fd, encodeDumpRequest(what, attempt));
    const { messages, interrupted } = readDump(fd, what);
    if (!interrupted || attempt === DUMP_ATTEMPTS) return messages;
  }
}

/** The kernel writes the first datagram during send() and each next one during recv(), so nothing here waits. */
function readDump(fd: number, what: string): { messages: RouteMessage[]; interrupted: boolean } {
  const buffer = new Uint8Array(DATAGRAM_OCTETS);
  const messages: RouteMessage[] = [];
  for (;;) {
    const length = receive(fd, buffer);
    if (length === undefined) throw new HostError(`rtnetlink dump of ${what}`, 'ENODATA');
    for (const message of decodeRouteMessages(buffer.subarray(0, length))) {
      if (message.kind === 'Done') return { messages, interrupted: message.interrupted };
      if (message.kind === 'Error') throw new HostError(`rtnetlink dump of ${what}`, `errno ${message.errno}`);
      messages.push(message);
    }
  }
}

/**
 * Reports each change of links and addresses.
 *
 * @param onOverrun the kernel dropped messages (ENOBUFS): what is known is stale and must be dumped again
 */
export function monitorLinksAndAddresses(
  onMessages: (messages: readonly RouteMessage[]) => void,
  onOverrun: () => void,
): Watch {
  const fd = openRouteSocket(GROUPS);
  const buffer = new Uint8Array(DATAGRAM_OCTETS);
  return watch(fd, (error) => {
    const messages: RouteMessage[] = [];
    let hasOverrun = error !== undefined;
    try {
      for (let length = receive(fd, buffer); length !== undefined; length = receive(fd, buffer))
        messages.push(...decodeRouteMessages(buffer.subarray(0, length)));
    } catch (cause) {
      if (!(cause instanceof HostError)) throw cause;
      hasOverrun = true;
    }
    if (hasOverrun) onOverrun();
    else if (messages.length > 0) onMessages(messages);
  });
}

function openRouteSocket(groups: number): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, 'AF_NETLINK');
  try {
    const address = Buffer.alloc(12); // struct sockaddr_nl: family, pad, port (0: the kernel chooses), groups
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(groups, 8);
    bindSocket(fd, address, 'AF_NETLINK');
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}
