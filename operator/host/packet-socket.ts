/** AF_PACKET sockets (packet(7)): Ethernet frames of one protocol on one interface, filtered in the kernel. */

import { type Watch, watch } from './fd-poller.ts';
import { HostError } from './host-error.ts';
import type { PacketProtocol, PacketSocket, PacketSocketOptions } from './host-network.ts';
import {
  AF_PACKET,
  attachFilter,
  bindSocket,
  closeDescriptor,
  openSocket,
  receive,
  SOCK_RAW,
  setReceiveBuffer,
  transmit,
} from './libc.ts';
import { MulticastGroups } from './multicast-groups.ts';
import { encodeFilter, type FilterProgram } from './socket-filter.ts';

const ETHERTYPE: Readonly<Record<PacketProtocol, number>> = { Arp: 0x0806, Ipv6: 0x86dd };
/** Frames taken per wake-up: more wait for the next turn of the loop, so that timers and messages are not starved. */
const BATCH = 64;
/** Room for over a thousand requests: every client of a segment may ask at once, after a switch has restarted. */
const RECEIVE_BUFFER_OCTETS = 1 << 20;
/** Longer than any frame that the filters let through. */
const FRAME_OCTETS = 2048;

/** Opens a packet socket of the kernel. @throws {HostError} EPERM without NET_RAW, ENODEV when the interface is gone */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  const { interfaceIndex, protocol, filter } = options;
  // protocol 0 receives nothing: the filter is on before bind() names the protocol
  const fd = openSocket(AF_PACKET, SOCK_RAW, 0, 'AF_PACKET');
  try {
    setReceiveBuffer(fd, RECEIVE_BUFFER_OCTETS);
    attachFilter(fd, encodeFilter(filter));
    bindSocket(fd, linkLayerAddress(interfaceIndex, ETHERTYPE[protocol]), `AF_PACKET, interface ${interfaceIndex}`);
    return new KernelPacketSocket(fd, options);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

class KernelPacketSocket implements PacketSocket {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #groups: MulticastGroups;
  readonly #options: PacketSocketOptions;
  readonly #buffer = new Uint8Array(FRAME_OCTETS);
  #isClosed = false;

  constructor(fd: number, options: PacketSocketOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#groups = new MulticastGroups(options.interfaceIndex);
    this.#watch = watch(fd, (error) => {
      if (error) options.onError(error);
      this.#drain();
    });
  }

  setFilter(filter: FilterProgram): void {
    if (!this.#isClosed) attachFilter(this.#fd, encodeFilter(filter));
  }

  setGroups(groups: Parameters<PacketSocket['setGroups']>[0]): void {
    if (!this.#isClosed) this.#groups.set(groups);
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) transmit(this.#fd, frame);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#groups.close();
    this.#watch.close();
  }

  #drain(): void {
    for (let taken = 0; taken < BATCH && !this.#isClosed; taken++) {
      const length = this.#receive();
      if (length === undefined) return;
      this.#options.onFrame(this.#buffer.subarray(0, length));
    }
  }

  #receive(): number | undefined {
    try {
      return receive(this.#fd, this.#buffer);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#options.onError(error);
      return undefined;
    }
  }
}

/** struct sockaddr_ll as bind() reads it: family, protocol (network order), interface index. */
function linkLayerAddress(interfaceIndex: number, etherType: number): Uint8Array {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(etherType, 2);
  address.writeInt32LE(interfaceIndex, 4);
  return address;
}
