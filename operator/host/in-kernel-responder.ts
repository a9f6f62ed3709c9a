/** What the program in the kernel offers to the wire thread: it answers before any packet socket sees the request. */

import type { IpAddress } from '../net/address.ts';
import type { MacAddress } from '../net/mac.ts';

/** An address on one interface. */
export interface KernelEntry {
  readonly ip: IpAddress;
  /** Requests are dropped, so that the kernel itself does not answer for an address that another node owns. */
  readonly isGuarded: boolean;
  /** Takes in how many requests the program has answered since the last time. */
  answered(count: number): void;
}

/** Frames since the maps were made, by what became of them. */
export interface KernelCounters {
  readonly arpAnswered: number;
  readonly ndpAnswered: number;
  /** Requests for addresses of others that were dropped. */
  readonly guarded: number;
  /** Requests for owned addresses in a form that user space decides about. */
  readonly passed: number;
  /** Requests for owned addresses that came while no lease ran. */
  readonly unleased: number;
}

/** Attached to no interface at first. What it does not take, packet sockets still get. */
export interface InKernelResponder {
  /** Whether it outlives the process, so that the next one adopts it. */
  readonly isPinned: boolean;
  /** How many addresses it went on answering for when this process adopted it. */
  readonly adopted: number;
  /** The map that the lease must be written to. */
  readonly leaseMap: number;
  /** Answers on an interface as this station; again with another address when that changes. @throws {HostError} ENODEV, EINVAL before Linux 6.6 */
  attach(interfaceIndex: number, mac: MacAddress): void;
  /** Forgets an interface and its addresses; idempotent. */
  detach(interfaceIndex: number): void;
  /** Answers for, or guards, exactly these addresses on an interface. @throws {HostError} E2BIG above 131,072 in all */
  setAddresses(interfaceIndex: number, entries: readonly KernelEntry[]): void;
  /** Forgets what was adopted on interfaces that have not been attached since; the first call counts. */
  settle(): void;
  /** Reads the counters and tells every entry what it has not been told. */
  readCounters(): KernelCounters;
  /** Detaches everything and removes the pins; idempotent. */
  close(): void;
  /** Leaves everything as it is to whoever adopts it; without pins it is as `close()`. */
  release(): void;
}
