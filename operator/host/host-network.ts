/** What the host's network offers to roles: interfaces, their changes, and packets. KernelHost does it, FakeHost plays it. */

import type { IpAddress } from '../net/address.ts';
import type { MacAddress } from '../net/mac.ts';
import type { HostError } from './host-error.ts';
import type { FilterProgram } from './socket-filter.ts';

/** An address configured on an interface. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly scope: 'Global' | 'Link' | 'Host';
  /** Duplicate address detection has not ended, or has failed (RFC 4862 5.4): it may not be a source. */
  readonly tentative: boolean;
}

/** One network interface of this host. */
export interface InterfaceInfo {
  readonly index: number;
  readonly name: string;
  /** Undefined when it is not Ethernet. */
  readonly mac: MacAddress | undefined;
  readonly isUp: boolean;
  /** IFF_LOWER_UP. */
  readonly hasCarrier: boolean;
  readonly isLoopback: boolean;
  readonly hasBroadcast: boolean;
  /** Not IFF_NOARP. */
  readonly hasArp: boolean;
  /** The index of the bridge, bond or VRF it belongs to. */
  readonly master: number | undefined;
  readonly addresses: readonly InterfaceAddress[];
}

/** Ethertypes that a packet socket may be opened for. */
export type PacketProtocol = 'Arp' | 'Ipv6';

export interface PacketSocketOptions {
  readonly interfaceIndex: number;
  readonly protocol: PacketProtocol;
  /** In force before the first frame can arrive. */
  readonly filter: FilterProgram;
  /** The frame from its Ethernet header on; the octets are reused after the call. */
  readonly onFrame: (frame: Uint8Array) => void;
  /** The socket goes on after an error; ENETDOWN is normal when the link goes down. */
  readonly onError: (error: HostError) => void;
}

/** Ethernet frames of one protocol on one interface. */
export interface PacketSocket {
  /** Replaces the filter in one step. @throws {HostError} */
  setFilter(filter: FilterProgram): void;
  /** Listens to exactly these IPv6 multicast groups; the host reports them by MLD and answers queries. @throws {HostError} */
  setGroups(groups: readonly IpAddress[]): void;
  /** Sends a whole frame. @throws {HostError} ENOBUFS when the queue is full, ENETDOWN, ENODEV */
  send(frame: Uint8Array): void;
  /** Idempotent. */
  close(): void;
}

/** The network of the host, as far as announcing needs it. */
export interface HostNetwork {
  /** The interfaces as of now. */
  interfaces(): readonly InterfaceInfo[];
  /** Calls `listener` after each change of `interfaces()`. */
  onChange(listener: () => void): void;
  /** @throws {HostError} EPERM without NET_RAW, ENODEV when the interface is gone */
  openPacketSocket(options: PacketSocketOptions): PacketSocket;
  /** Idempotent. Sockets that were opened stay open. */
  close(): void;
}
