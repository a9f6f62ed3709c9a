/** A host network in memory that prints itself: for tests, held to the same contract suite as KernelHost. */

import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import { HostError } from './host-error.ts';
import type { HostNetwork, InterfaceInfo, PacketSocket, PacketSocketOptions } from './host-network.ts';
import { accepts, type FilterProgram } from './socket-filter.ts';

const ETHERTYPE = { Arp: 0x0806, Ipv6: 0x86dd } as const;

/** A frame that some socket sent. */
export interface SentFrame {
  readonly onInterface: string;
  readonly frame: Uint8Array;
}

/** An Ethernet interface that is up and has a link-local address; `overrides` say what is different. */
export function fakeInterface(index: number, name: string, overrides: Partial<InterfaceInfo> = {}): InterfaceInfo {
  const address = parseIp(`fe80::${index.toString(16)}`) as IpAddress;
  return {
    index,
    name,
    mac: `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`,
    isUp: true,
    hasCarrier: true,
    isLoopback: false,
    hasBroadcast: true,
    hasArp: true,
    master: undefined,
    addresses: [{ address, prefixLength: 64, scope: 'Link', tentative: false }],
    ...overrides,
  };
}

/** Holds interfaces and sockets; the test sets links, delivers frames and reads what was sent. */
export class FakeHost implements HostNetwork {
  readonly sent: SentFrame[] = [];
  /** The code with which opening a socket fails, for instance 'EPERM'; undefined lets it succeed. */
  refusesWith: string | undefined;
  /** The code with which sending fails. */
  sendFailsWith: string | undefined;
  readonly #interfaces = new Map<number, InterfaceInfo>();
  readonly #sockets = new Set<FakeSocket>();
  readonly #listeners: (() => void)[] = [];

  constructor(interfaces: readonly InterfaceInfo[]) {
    for (const info of interfaces) this.#interfaces.set(info.index, info);
  }

  interfaces(): readonly InterfaceInfo[] {
    return [...this.#interfaces.values()];
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  openPacketSocket(options: PacketSocketOptions): PacketSocket {
    if (this.refusesWith !== undefined) throw new HostError('socket(AF_PACKET)', this.refusesWith);
    if (!this.#interfaces.has(options.interfaceIndex)) throw new HostError('bind(AF_PACKET)', 'ENODEV');
    const socket = new FakeSocket(options, {
      send: (frame) => this.#send(options.interfaceIndex, frame),
      close: () => this.#sockets.delete(socket),
    });
    this.#sockets.add(socket);
    return socket;
  }

  close(): void {
    this.#listeners.length = 0;
  }

  /** Adds an interface or replaces the one with its index. */
  setInterface(info: InterfaceInfo): void {
    this.#interfaces.set(info.index, info);
    for (const listener of this.#listeners) listener();
  }

  removeInterface(name: string): void {
    const index = this.#indexOf(name);
    this.#interfaces.delete(index);
    for (const listener of this.#listeners) listener();
  }

  /** Lets `frame` arrive on an interface: every socket whose protocol and filter match gets it. */
  deliver(name: string, frame: Uint8Array): void {
    const index = this.#indexOf(name);
    for (const socket of this.#sockets) socket.deliver(index, frame);
  }

  /** The interfaces as `ip -brief link` would put them, and below each its sockets and groups, in a stable order. */
  print(): string {
    return this.interfaces()
      .flatMap((info) => [printInterface(info), ...this.#printSockets(info.index)])
      .join('\n');
  }

  #printSockets(index: number): string[] {
    return [...this.#sockets]
      .filter((socket) => socket.options.interfaceIndex === index)
      .map((socket) => socket.print())
      .sort();
  }

  #send(interfaceIndex: number, frame: Uint8Array): void {
    if (this.sendFailsWith !== undefined) throw new HostError('send', this.sendFailsWith);
    const info = this.#interfaces.get(interfaceIndex);
    if (!info) throw new HostError('send', 'ENODEV');
    if (!info.isUp) throw new HostError('send', 'ENETDOWN');
    this.sent.push({ onInterface: info.name, frame });
  }

  #indexOf(name: string): number {
    const info = this.interfaces().find((candidate) => candidate.name === name);
    if (!info) throw new RangeError(`no interface ${name}`);
    return info.index;
  }
}

class FakeSocket implements PacketSocket {
  readonly options: PacketSocketOptions;
  readonly #host: { send(frame: Uint8Array): void; close(): void };
  #filter: FilterProgram;
  #groups: readonly IpAddress[] = [];

  constructor(options: PacketSocketOptions, host: { send(frame: Uint8Array): void; close(): void }) {
    this.options = options;
    this.#host = host;
    this.#filter = options.filter;
  }

  setFilter(filter: FilterProgram): void {
    this.#filter = filter;
  }

  setGroups(groups: readonly IpAddress[]): void {
    this.#groups = groups;
  }

  send(frame: Uint8Array): void {
    this.#host.send(frame);
  }

  close(): void {
    this.#host.close();
  }

  deliver(interfaceIndex: number, frame: Uint8Array): void {
    const etherType = new DataView(frame.buffer, frame.byteOffset).getUint16(12);
    if (interfaceIndex !== this.options.interfaceIndex || etherType !== ETHERTYPE[this.options.protocol]) return;
    if (accepts(this.#filter, frame, interfaceIndex)) this.options.onFrame(frame);
  }

  print(): string {
    const groups = this.#groups.map((group) => ` ${formatIp(group)}`).join('');
    return `    ${this.options.protocol} socket${groups}`;
  }
}

const printInterface = ({ name, mac, isUp, hasCarrier }: InterfaceInfo): string =>
  `${name} ${isUp ? (hasCarrier ? 'UP' : 'NO-CARRIER') : 'DOWN'} ${mac ?? '-'}`;
