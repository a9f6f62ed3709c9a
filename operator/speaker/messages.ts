/** What the speaker's threads say to each other: plain data, so that postMessage clones it and a test can print it. */

import type { MessagePort } from 'node:worker_threads';
import type { ProbeResult, ReportInterface, ReportResponder } from '../../crds/node-announcement.ts';
import type { L2Announcement } from '../advertising/announcement.ts';
import type { KernelCounters } from '../host/in-kernel-responder.ts';
import type { PeerHealth } from '../protocols/heartbeat/peer.ts';

/**
 * Who may answer for addresses, as the clock thread sees it: alive and ready nodes, always including this one.
 * `view` ascends within one clock thread; an older view than the last applied one is dropped.
 */
export interface AvailableMessage {
  readonly kind: 'Available';
  readonly nodes: readonly string[];
  readonly view: number;
  /** A peer is back that may have answered for our addresses meanwhile (a healed partition): announce all that is owned once more. */
  readonly announceAgain: boolean;
  /** A returning node ranks behind the present owner; all living speakers agree on it. */
  readonly isSticky?: boolean;
}

/** The whole set of addresses (`addressIdOf`) that a peer goes on answering for although another is first by the order. */
export interface PeerClaimsMessage {
  readonly kind: 'PeerClaims';
  readonly node: string;
  readonly addresses: readonly number[];
}

/** Through the clock's port, from the wire thread: the same of this node. */
export interface ClaimsMessage {
  readonly kind: 'Claims';
  readonly addresses: readonly number[];
}

/** An address to ask the network for before its first use. */
export interface ProbeRequest {
  /** Of the AddressProbe. */
  readonly uid: string;
  readonly address: string;
  /** On which it would be announced. */
  readonly interfaces: readonly string[] | 'all';
}

/** A peer has begun to answer for these addresses (`addressIdOf`): who handed them over may stop. */
export interface TakenMessage {
  readonly kind: 'Taken';
  readonly addresses: readonly number[];
}

/** Through the clock's port, from the wire thread: this node has begun to answer for these addresses (`addressIdOf`). */
export interface TookMessage {
  readonly kind: 'Took';
  readonly addresses: readonly number[];
}

/** To the wire thread. `Available`, `Taken` and `PeerClaims` come through the clock's port, everything else from main. */
export type ToWire =
  | {
      readonly kind: 'Desired';
      readonly node: string;
      readonly announcements: readonly L2Announcement[];
      /** A regular expression over interface names; the empty text excludes none. */
      readonly excludeInterfaces: string;
      /** Addresses that only other nodes may announce by now, of those that were in the last `announcements`. */
      readonly elsewhere?: readonly string[];
    }
  | AvailableMessage
  | TakenMessage
  | PeerClaimsMessage
  /** The whole set of probes; what is no longer in it is dropped. Answered by `Probed`, within 5 s. */
  | { readonly kind: 'Probe'; readonly probes: readonly ProbeRequest[]; readonly excludeInterfaces: string }
  /** The port to the clock thread; transferred. */
  | { readonly kind: 'ClockPort'; readonly port: MessagePort }
  /** Stop answering; answered by `Left`. The successor has been announced before. */
  | { readonly kind: 'Leave' }
  /** End, and let the program in the kernel go on for the next process; answered by `Left`. */
  | { readonly kind: 'Restart' }
  /** Close everything and end the thread. */
  | { readonly kind: 'Stop' };

/** An address that this node owns now. */
export interface OwnedAddress {
  /** 'namespace/name' */
  readonly service: string;
  readonly address: string;
  /** Names of the interfaces on which it is answered now; empty when none of the wanted ones exists. */
  readonly interfaces: readonly string[];
  /** Milliseconds since the Unix epoch at which this node became the owner. */
  readonly since: number;
}

/** Packet counters of one address since the thread started (metallb_layer2_*). */
export interface AddressCounters {
  readonly address: string;
  readonly requestsReceived: number;
  readonly responsesSent: number;
  readonly gratuitousSent: number;
}

/** From the wire thread to main. */
export type FromWire =
  /** Sockets are open and the first `Desired` is in force. */
  | { readonly kind: 'Ready' }
  /** The whole set, after each change, and the interfaces that this node may announce on. */
  | {
      readonly kind: 'Owned';
      readonly services: readonly OwnedAddress[];
      readonly interfaces: readonly ReportInterface[];
      /** Of these the addresses that this node answers for although another is first by the order, sorted. */
      readonly keeps?: readonly string[];
    }
  /** Something does not work; `fatal` ends the speaker (a missing capability). `reason` is one PascalCase word. */
  | { readonly kind: 'Fault'; readonly reason: string; readonly message: string; readonly fatal: boolean }
  /** After each probe that ends: the results of all in the set that have. */
  | { readonly kind: 'Probed'; readonly results: readonly ProbeResult[] }
  /** Once per second while something changed; `inKernel` where a program in the kernel answers. */
  | {
      readonly kind: 'Counters';
      readonly addresses: readonly AddressCounters[];
      readonly inKernel?: KernelCounters;
    }
  /** Once, before `Ready`: who answers ARP and Neighbor Solicitations on this node, and why. */
  | { readonly kind: 'Responder'; readonly responder: ReportResponder }
  | { readonly kind: 'Left' };

/** One node of the cluster that may run a speaker. */
export interface PeerAddress {
  readonly node: string;
  /** InternalIP, canonical text. */
  readonly address: string;
}

/** To the clock thread, from main. */
export type ToClock =
  /** The port to the wire thread; transferred, before anything else. */
  | { readonly kind: 'WirePort'; readonly port: MessagePort }
  /** The whole set of other nodes; who is missing is forgotten. */
  | { readonly kind: 'Peers'; readonly peers: readonly PeerAddress[] }
  /** Member keys, each 32 octets, the one to seal with first. Heartbeats start with the first such message. */
  | { readonly kind: 'Keys'; readonly keys: readonly Uint8Array[] }
  /** Whether this node may own addresses: its desired state is loaded and the wire answers. */
  | { readonly kind: 'Ready'; readonly ready: boolean }
  | TookMessage
  | ClaimsMessage
  /** Tell the peers that this node leaves; answered by `LeaveAcknowledged`. */
  | { readonly kind: 'Leave' }
  | { readonly kind: 'Stop' };

/** One peer in the clock thread's report. */
export interface PeerReport {
  readonly node: string;
  readonly address: string;
  readonly health: PeerHealth;
  readonly ready: boolean;
  readonly leaving: boolean;
  /** Whether it says that it hears us; false while its heartbeats arrive is a link that works one way. */
  readonly hearsUs: boolean;
  /** It says that its own timers run late. */
  readonly slow: boolean;
}

/** From the clock thread to main. */
export type FromClock =
  | { readonly kind: 'Listening'; readonly address: string; readonly port: number; readonly priority: string }
  | AvailableMessage
  /** After each change of a peer's health. */
  | {
      readonly kind: 'Peers';
      readonly peers: readonly PeerReport[];
      readonly isolated: boolean;
      /** Our own timers run late. */
      readonly slow: boolean;
      readonly algorithmVersion: number;
    }
  /** Once per second: heartbeats since the thread started; `dropped` by reason. */
  | {
      readonly kind: 'HeartbeatCounters';
      readonly sent: number;
      readonly sendErrors: number;
      readonly received: number;
      readonly dropped: Readonly<Record<string, number>>;
      /** The longest delay of our own timer in the last second, milliseconds. */
      readonly latenessMs: number;
    }
  /** Every living peer has said that it saw us leave, or the time for it is over; `missing` are those who did not. */
  | { readonly kind: 'LeaveAcknowledged'; readonly missing: readonly string[] }
  | { readonly kind: 'Fault'; readonly reason: string; readonly message: string; readonly fatal: boolean };
