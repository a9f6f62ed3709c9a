/** Answers ARP requests and Neighbor Solicitations on one interface: through packet sockets, and what it can in the kernel. */

import { HostError } from '../../host/host-error.ts';
import type { HostNetwork, PacketProtocol, PacketSocket } from '../../host/host-network.ts';
import type { InKernelResponder, KernelEntry } from '../../host/in-kernel-responder.ts';
import type { FilterProgram } from '../../host/socket-filter.ts';
import type { IpAddress } from '../../net/address.ts';
import { BROADCAST_MAC, type MacAddress } from '../../net/mac.ts';
import { answerTo as answerArp, gratuitousArp } from '../../protocols/arp/answer.ts';
import { type ArpPacket, decodeArp, encodeArp } from '../../protocols/arp/arp.ts';
import { decodeEthernet, ETHERTYPE, encodeEthernet, isForStation } from '../../protocols/ethernet/ethernet.ts';
import { answerTo as answerNdp, type Outgoing, unsolicitedAdvertisement } from '../../protocols/ndp/answer.ts';
import { decodeIcmpv6, encodeIcmpv6 } from '../../protocols/ndp/icmpv6.ts';
import { solicitedNodeGroup } from '../../protocols/ndp/multicast.ts';
import { decodeNeighborSolicitation } from '../../protocols/ndp/ndp.ts';
import { type EligibleInterface, speaksArp, speaksNdp } from './eligibility.ts';
import { arpRequestFilter, solicitationFilter } from './request-filter.ts';
import type { AddressTally } from './tally.ts';

/** An owned address and its counters. */
export interface OwnedEntry {
  readonly ip: IpAddress;
  readonly tally: AddressTally;
}

/** What the responders of all interfaces share. */
export interface InterfaceSurroundings {
  readonly host: HostNetwork;
  /** Whether this node may answer now. */
  mayAnswer(): boolean;
  /** Answers before the packet sockets see a request; undefined where the kernel does not allow it. */
  readonly inKernel: InKernelResponder | undefined;
  /** The kernel refused the program on an interface: packet sockets answer there. */
  onInKernelError(error: HostError, onInterface: string): void;
  /** A socket could not be opened, set or read; it is not called for a link that went down. */
  onError(error: HostError, onInterface: string): void;
}

/** Errors that only mean that the link has gone down or away: the interface's change follows by rtnetlink. */
const LINK_ERRORS = new Set(['ENETDOWN', 'ENODEV', 'ENXIO', 'EADDRNOTAVAIL']);

/** One interface; the sockets are open from construction to `close()`. */
export class InterfaceResponder {
  #info: EligibleInterface;
  readonly #around: InterfaceSurroundings;
  readonly #mac: MacAddress;
  readonly #arp: PacketSocket | undefined;
  readonly #ndp: PacketSocket | undefined;
  #isInKernel = false;
  #ipv4: ReadonlyMap<bigint, OwnedEntry> = new Map();
  #ipv6: ReadonlyMap<bigint, OwnedEntry> = new Map();

  constructor(info: EligibleInterface, around: InterfaceSurroundings) {
    this.#info = info;
    this.#mac = info.mac;
    this.#around = around;
    if (speaksArp(info)) this.#arp = this.#open('Arp', arpRequestFilter(info.index, []), (frame) => this.#onArp(frame));
    if (speaksNdp(info))
      this.#ndp = this.#open('Ipv6', solicitationFilter(info.index, []), (frame) => this.#onNdp(frame));
  }

  get info(): EligibleInterface {
    return this.#info;
  }

  /** Takes the interface's changed state in. @returns false when the sockets do not fit it any more: a new responder is needed */
  update(info: EligibleInterface): boolean {
    const fits =
      info.name === this.#info.name &&
      info.mac === this.#mac &&
      speaksArp(info) === speaksArp(this.#info) &&
      speaksNdp(info) === speaksNdp(this.#info);
    if (fits) this.#info = info;
    return fits && this.isComplete;
  }

  /** Whether the sockets that the interface could have are open. */
  get isComplete(): boolean {
    return (this.#arp !== undefined || !speaksArp(this.#info)) && (this.#ndp !== undefined || !speaksNdp(this.#info));
  }

  /** Whether this interface answers for addresses of a family. */
  speaks(family: 4 | 6): boolean {
    return (family === 4 ? this.#arp : this.#ndp) !== undefined;
  }

  /**
   * Answers for exactly these addresses from now on; solicited-node groups follow with `syncGroups`.
   *
   * @param guarded addresses of other nodes for which this host's kernel would answer
   */
  setOwned(entries: readonly OwnedEntry[], guarded: readonly IpAddress[]): void {
    this.#setInKernel(entries, guarded);
    const ipv4 = entriesOf(entries, 4);
    const ipv6 = entriesOf(entries, 6);
    if (!hasSameKeys(ipv4, this.#ipv4))
      this.#attempt(() => this.#arp?.setFilter(arpRequestFilter(this.#info.index, ipsOf(ipv4))));
    if (!hasSameKeys(ipv6, this.#ipv6))
      this.#attempt(() => this.#ndp?.setFilter(solicitationFilter(this.#info.index, ipsOf(ipv6))));
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
  }

  /** Joins the solicited-node groups of what is owned and leaves the others; the kernel reports both to switches within milliseconds. */
  syncGroups(): void {
    const groups = new Map(ipsOf(this.#ipv6).map((ip) => [solicitedNodeGroup(ip).value, solicitedNodeGroup(ip)]));
    this.#attempt(() => this.#ndp?.setGroups([...groups.values()]));
  }

  /** Broadcasts that this interface's MAC address has the address now. */
  announce({ ip, tally }: OwnedEntry): void {
    if (ip.family === 6) {
      if (this.#sendIpv6(unsolicitedAdvertisement(ip, this.#mac))) tally.gratuitousSent += 1;
      return;
    }
    for (const packet of gratuitousArp(ip, this.#mac))
      if (this.#sendArp(packet, BROADCAST_MAC)) tally.gratuitousSent += 1;
  }

  close(): void {
    this.#attempt(() => this.#around.inKernel?.detach(this.#info.index));
    this.release();
  }

  /** Closes the sockets and leaves the program in the kernel as it is. */
  release(): void {
    this.#arp?.close();
    this.#ndp?.close();
  }

  /** The program stands in no interface's way before there is something to do for it. */
  #setInKernel(entries: readonly OwnedEntry[], guarded: readonly IpAddress[]): void {
    const { inKernel, onInKernelError } = this.#around;
    if (!inKernel || (entries.length + guarded.length === 0 && !this.#isInKernel)) return;
    try {
      inKernel.setAddresses(this.#info.index, [...entries.map(owned), ...guarded.map(guardedEntry)]);
      inKernel.attach(this.#info.index, this.#mac);
      this.#isInKernel = true;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (!LINK_ERRORS.has(error.code)) onInKernelError(error, this.#info.name);
    }
  }

  #onArp(octets: Uint8Array): void {
    const frame = decodeEthernet(octets);
    const request = frame && decodeArp(frame.payload);
    if (!request || !isForStation(frame, this.#mac) || !this.#around.mayAnswer()) return;
    const entry = request.op === 'Request' ? this.#ipv4.get(request.tpa.value) : undefined;
    if (!entry) return;
    const answer = answerArp(request, { mac: this.#mac, owns: ({ value }) => this.#ipv4.has(value) });
    if (typeof answer === 'string') return;
    entry.tally.requestsReceived += 1;
    if (this.#sendArp(answer, answer.tha)) entry.tally.responsesSent += 1;
  }

  #onNdp(octets: Uint8Array): void {
    const frame = decodeEthernet(octets);
    const packet = frame && decodeIcmpv6(frame.payload);
    if (!packet || !isForStation(frame, this.#mac) || !this.#around.mayAnswer()) return;
    const target = decodeNeighborSolicitation(packet.body)?.target;
    const entry = target && this.#ipv6.get(target.value);
    if (!entry) return;
    const answer = answerNdp(packet, frame.source, { mac: this.#mac, owns: ({ value }) => this.#ipv6.has(value) });
    if (typeof answer === 'string') return;
    entry.tally.requestsReceived += 1;
    if (this.#sendIpv6(answer)) entry.tally.responsesSent += 1;
  }

  #sendArp(packet: ArpPacket, destination: MacAddress): boolean {
    return this.#send(this.#arp, ETHERTYPE.Arp, destination, encodeArp(packet));
  }

  #sendIpv6({ packet, destination }: Outgoing): boolean {
    return this.#send(this.#ndp, ETHERTYPE.Ipv6, destination, encodeIcmpv6(packet));
  }

  /** A frame that finds the queue full is lost like one on the wire: bursts repeat, and a client asks again. */
  #send(socket: PacketSocket | undefined, etherType: number, destination: MacAddress, payload: Uint8Array): boolean {
    if (!socket) return false;
    try {
      socket.send(encodeEthernet({ destination, source: this.#mac, etherType, payload }));
      return true;
    } catch (error) {
      if (error instanceof HostError) return false;
      throw error;
    }
  }

  #open(
    protocol: PacketProtocol,
    filter: FilterProgram,
    onFrame: (frame: Uint8Array) => void,
  ): PacketSocket | undefined {
    const options = { interfaceIndex: this.#info.index, protocol, filter, onFrame };
    return this.#attempt(() =>
      this.#around.host.openPacketSocket({ ...options, onError: (error) => this.#report(error) }),
    );
  }

  #attempt<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#report(error);
      return undefined;
    }
  }

  #report(error: HostError): void {
    if (!LINK_ERRORS.has(error.code)) this.#around.onError(error, this.#info.name);
  }
}

const entriesOf = (entries: readonly OwnedEntry[], family: 4 | 6): ReadonlyMap<bigint, OwnedEntry> =>
  new Map(entries.filter(({ ip }) => ip.family === family).map((entry) => [entry.ip.value, entry]));
const ipsOf = (entries: ReadonlyMap<bigint, OwnedEntry>): IpAddress[] => [...entries.values()].map(({ ip }) => ip);
const hasSameKeys = (a: ReadonlyMap<bigint, unknown>, b: ReadonlyMap<bigint, unknown>): boolean =>
  a.size === b.size && [...a.keys()].every((key) => b.has(key));

/** What the kernel answers counts as received and answered, like what user space answers. */
const owned = ({ ip, tally }: OwnedEntry): KernelEntry => ({
  ip,
  isGuarded: false,
  answered(count) {
    tally.requestsReceived += count;
    tally.responsesSent += count;
  },
});

const guardedEntry = (ip: IpAddress): KernelEntry => ({ ip, isGuarded: true, answered: () => undefined });
