/** The clock thread's work without the thread: drives the membership machine by time, keys and datagrams, and tells the others. */

import { decodeHeartbeat, encodeHeartbeat, MAX_HEARTBEAT_LENGTH } from '../../protocols/heartbeat/heartbeat.ts';
import { type MembershipEffect, type MembershipEvent, stepMembership } from '../../protocols/heartbeat/membership.ts';
import {
  agreedAlgorithmVersion,
  initialMembership,
  isIsolated,
  isSlow,
  type Membership,
  type MembershipConfig,
  nextWakeup,
  wouldBuryAt,
} from '../../protocols/heartbeat/membership-state.ts';
import type {
  AvailableMessage,
  FromClock,
  PeerAddress,
  PeerClaimsMessage,
  TakenMessage,
  ToClock,
} from '../messages.ts';
import type { Clock } from '../wire/clock.ts';
import { leaseMsOf } from './lease-time.ts';

const COUNTERS_EVERY_MS = 1000;
/** Each turn of the event loop reads a batch of what waits; a thread that stalled longer than this has lost datagrams anyway. */
const MAX_DRAIN_TURNS = 200;

export interface HeartbeatLoopOptions {
  readonly config: MembershipConfig;
  readonly clock: Clock;
  readonly send: (datagram: Uint8Array, address: string) => void;
  /** To main. */
  readonly post: (message: FromClock) => void;
  /** This node may answer for so long from now on, unless it is renewed sooner; absent where nobody asks. */
  readonly renewLease?: (milliseconds: number) => void;
  /** Straight to the wire thread: a takeover does not wait for main. */
  readonly postToWire: (message: AvailableMessage | TakenMessage | PeerClaimsMessage) => void;
}

export class HeartbeatLoop {
  readonly #options: HeartbeatLoopOptions;
  readonly #buffer = new Uint8Array(MAX_HEARTBEAT_LENGTH);
  readonly #dropped: Record<string, number> = {};
  #membership: Membership;
  #keys: readonly Uint8Array[] = [];
  #peers: readonly PeerAddress[] | undefined;
  #isListening = false;
  #view = 0;
  #sent = 0;
  #sendErrors = 0;
  #received = 0;
  #latenessMs = 0;
  #cancelTimer: () => void = () => {};
  /** When the timer fires; -Infinity while there is none, or while its Tick is under way. */
  #dueAt = Number.NEGATIVE_INFINITY;
  #hasStopped = false;

  constructor(options: HeartbeatLoopOptions) {
    this.#options = options;
    this.#membership = initialMembership(options.config, options.clock.now());
    this.#planCounters();
  }

  /** What main says; the port to the wire thread is the thread's own business. */
  take(message: Exclude<ToClock, { kind: 'WirePort' }>): void {
    const now = this.#options.clock.now();
    switch (message.kind) {
      case 'Keys':
        this.#keys = message.keys;
        this.#meetPeers(now);
        break;
      case 'Peers':
        this.#peers = message.peers;
        this.#meetPeers(now);
        break;
      case 'Ready':
        this.#step({ kind: 'Ready', now, ready: message.ready });
        break;
      case 'Took':
        this.#step({ kind: 'Took', now, addresses: message.addresses });
        break;
      case 'Claims':
        this.#step({ kind: 'Claims', now, addresses: message.addresses });
        break;
      case 'Leave':
        this.#step({ kind: 'Leave', now });
        break;
      case 'Stop':
        this.#hasStopped = true;
        this.#cancelTimer();
        break;
    }
  }

  /** The socket is bound: what peers send arrives from now on. */
  listening(): void {
    this.#isListening = true;
    this.#meetPeers(this.#options.clock.now());
  }

  /** A datagram from anybody. */
  receive(datagram: Uint8Array): void {
    this.#received += 1;
    const heartbeat = this.#keys.length === 0 ? 'NoKey' : decodeHeartbeat(datagram, this.#keys);
    if (typeof heartbeat === 'string') this.#countDrop(heartbeat);
    else this.#step({ kind: 'Heartbeat', now: this.#options.clock.now(), heartbeat });
  }

  countSendError(): void {
    this.#sendErrors += 1;
  }

  /** Peers that cannot be asked, for want of a key or of the port, are not met: this node then owns nothing, unless it is alone. */
  #meetPeers(now: number): void {
    const canAsk = this.#isListening && this.#keys.length > 0;
    if (!this.#peers || (!canAsk && this.#peers.length > 0)) return;
    this.#step({ kind: 'Peers', now, nodes: this.#peers.map(({ node }) => node) });
    this.#plan();
  }

  #step(event: MembershipEvent): void {
    if (this.#hasStopped) return;
    const [next, effects] = stepMembership(this.#membership, event);
    this.#membership = next;
    for (const effect of effects) this.#apply(effect);
    // A heartbeat can end a doubt about the others: then they are judged at once.
    if (nextWakeup(next) < this.#dueAt) this.#plan();
  }

  #apply(effect: MembershipEffect): void {
    switch (effect.do) {
      case 'SendHeartbeat':
        this.#send(effect);
        break;
      case 'PublishAvailable':
        this.#publish(effect);
        break;
      case 'PublishTaken':
        this.#options.postToWire({ kind: 'Taken', addresses: effect.addresses });
        break;
      case 'PublishClaims':
        this.#options.postToWire({ kind: 'PeerClaims', node: effect.node, addresses: effect.addresses });
        break;
      case 'ReportPeers':
        this.#options.post(this.#peerReport());
        break;
      case 'LeaveAcknowledged':
        this.#options.post({ kind: 'LeaveAcknowledged', missing: effect.missing });
        break;
      case 'CountDrop':
        this.#countDrop(effect.reason);
        break;
    }
  }

  /** One sealing serves all who read the same format: a second one is needed only while speakers of a former version are there. */
  #send({ heartbeat }: Extract<MembershipEffect, { do: 'SendHeartbeat' }>): void {
    const [key] = this.#keys;
    if (!key) return;
    for (const format of ['Extended', 'Base'] as const) {
      const receivers = (this.#peers ?? []).filter(({ node }) => this.#formatFor(node) === format);
      if (receivers.length === 0) continue;
      const datagram = encodeHeartbeat(heartbeat, key, this.#buffer, format);
      for (const { address } of receivers) this.#options.send(datagram, address);
      this.#sent += receivers.length;
    }
  }

  /** Undefined for one that is none of our neighbours, in a mesh of many nodes. */
  #formatFor(node: string): 'Base' | 'Extended' | undefined {
    const peer = this.#membership.peers.get(node);
    return peer && (peer.readsExtensions ? 'Extended' : 'Base');
  }

  #publish({ nodes, announceAgain, isSticky }: Extract<MembershipEffect, { do: 'PublishAvailable' }>): void {
    this.#view += 1;
    const message: AvailableMessage = { kind: 'Available', nodes, view: this.#view, announceAgain, isSticky };
    this.#options.postToWire(message);
    this.#options.post(message);
  }

  #peerReport(): FromClock {
    const addresses = new Map((this.#peers ?? []).map(({ node, address }) => [node, address]));
    const peers = [...this.#membership.peers.values()].map(({ node, health, ready, leaving, hearsUs, slow }) => ({
      node,
      address: addresses.get(node) ?? '',
      health,
      ready,
      leaving,
      hearsUs,
      slow,
    }));
    const algorithmVersion = agreedAlgorithmVersion(this.#membership);
    const [isolated, slow] = [isIsolated(this.#membership), isSlow(this.#membership)];
    return { kind: 'Peers', peers, isolated, slow, algorithmVersion };
  }

  /** One timer, set anew after each Tick to an absolute time, so that lateness does not add up. */
  #plan(): void {
    this.#cancelTimer();
    const dueAt = nextWakeup(this.#membership);
    this.#dueAt = dueAt;
    const delay = Math.max(0, dueAt - this.#options.clock.now());
    this.#cancelTimer = this.#options.clock.after(delay, () => {
      this.#dueAt = Number.NEGATIVE_INFINITY;
      this.#latenessMs = Math.max(this.#latenessMs, this.#options.clock.now() - dueAt);
      this.#drainThenTick(MAX_DRAIN_TURNS);
    });
  }

  /** Before anybody is buried, all input that waits is read: our own stall must not look like another's death. */
  #drainThenTick(turnsLeft: number): void {
    if (this.#hasStopped) return;
    if (!wouldBuryAt(this.#membership, this.#options.clock.now())) {
      this.#tick();
      return;
    }
    const before = this.#received;
    this.#options.clock.soon(() => {
      if (this.#received > before && turnsLeft > 0) this.#drainThenTick(turnsLeft - 1);
      else this.#tick();
    });
  }

  #tick(): void {
    this.#options.renewLease?.(leaseMsOf(this.#membership));
    this.#step({ kind: 'Tick', now: this.#options.clock.now() });
    if (!this.#hasStopped) this.#plan();
  }

  #countDrop(reason: string): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }

  #planCounters(): void {
    this.#options.clock.after(COUNTERS_EVERY_MS, () => {
      if (this.#hasStopped) return;
      const [sent, sendErrors, received] = [this.#sent, this.#sendErrors, this.#received];
      const dropped = { ...this.#dropped };
      this.#options.post({
        kind: 'HeartbeatCounters',
        sent,
        sendErrors,
        received,
        dropped,
        latenessMs: this.#latenessMs,
      });
      this.#latenessMs = 0;
      this.#planCounters();
    });
  }
}
