/** The speaker's main thread: turns what the cluster says into what the wire thread shall answer for, and tells the clock when. */

import type { NodeReason } from '../../crds/node-announcement.ts';
import type { L2Announcement, Refusal } from '../advertising/announcement.ts';
import { IncrementalAnnouncements } from '../advertising/incremental.ts';
import type { Logger } from '../observability/log.ts';
import type { View, ViewChange } from './cluster-view.ts';
import type { FromClock, FromWire, OwnedAddress, PeerAddress } from './messages.ts';
import type { SpeakerMetrics } from './metrics.ts';
import { ProxyGate } from './proxy-gate.ts';
import type { KeptState, RunFolder } from './run-folder.ts';
import type { Threads } from './threads.ts';
import type { Clock } from './wire/clock.ts';

/** Changes of this long are decided together. */
const COALESCE_MS = 10;
/** Handing over the whole set costs time that grows with it: it takes at most this part of main's time. */
const MAX_SHARE = 0.1;
/** How long a starting speaker waits for the API server before it goes on with what it kept. */
const STALE_AFTER_MS = 2_000;
const SAVE_AFTER_MS = 1_000;
/** Beyond the clock thread's own limit for receipts. */
const LEAVE_TIMEOUT_MS = 1_500;
const CLOSE_TIMEOUT_MS = 500;

export interface AgentOptions {
  readonly node: string;
  readonly excludeInterfaces: string;
  readonly view: View;
  readonly threads: Threads;
  readonly folder: Pick<RunFolder, 'save' | 'load'>;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  /** kube-proxy's metrics; absent: it is not asked whether it forwards. */
  readonly readProxy?: () => Promise<string>;
  readonly metrics: SpeakerMetrics;
  readonly log: Logger;
  /** The whole set of owned addresses after each change. */
  readonly onOwned: (owned: readonly OwnedAddress[], desired: readonly L2Announcement[]) => void;
  /** Something without which the speaker cannot work. */
  readonly onFatal: (reason: string, message: string) => void;
}

/** Whether a speaker could own addresses; `why` names what is missing, `warning` what it could not find out. */
export interface Readiness {
  readonly ready: boolean;
  readonly why?: string;
  readonly warning?: NodeReason;
}

export class Agent {
  readonly #options: AgentOptions;
  readonly #announcements: IncrementalAnnouncements;
  /** What was posted to the wire thread last; undefined before the first time. */
  #desired: readonly L2Announcement[] | undefined;
  /** What was in it at some time and only other nodes may announce by now. */
  #elsewhere: readonly string[] = [];
  #peers: readonly PeerAddress[] | undefined;
  #isConfigDirty = true;
  #isFlushPlanned = false;
  #isSavePlanned = false;
  #isStale = false;
  #isWireReady = false;
  #isListening = false;
  readonly #proxy: ProxyGate;
  #isFenced = false;
  /** It could announce, and every interface that it could announce on has lost its link. */
  #isUnplugged = false;
  #wasPlugged = false;
  #hasKey = false;
  #lastFlushCostMs = 0;
  #lastClockMessageAt: number;
  #leaving: (() => void) | undefined;
  #left: (() => void) | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#announcements = new IncrementalAnnouncements(options.view.config());
    this.#lastClockMessageAt = options.clock.now();
    this.#proxy = new ProxyGate(options);
    options.view.onChange((change) => this.#onChange(change));
    options.threads.onWire((message) => this.#onWire(message));
    options.threads.onClock((message) => this.#onClock(message));
    options.clock.after(STALE_AFTER_MS, () => void this.#goOnStale());
  }

  /** Whether this node could own addresses now. */
  readiness(): Readiness {
    if (this.#desired === undefined) return { ready: false, why: 'the cluster was not listed yet' };
    if (!this.#isWireReady) return { ready: false, why: 'the wire thread is not ready yet' };
    if (!this.#proxy.isOpen) return { ready: false, why: 'kube-proxy on this node has not written its rules yet' };
    if (this.#isUnplugged) return { ready: false, why: 'no interface that it may announce on has a link' };
    if (this.#isFenced) return { ready: false, why: 'peers are lost and the API server does not answer (--fencing)' };
    if (!this.#isListening) return { ready: false, why: 'the heartbeat port is not open yet' };
    if (!this.#hasKey && this.#peers?.length !== 0) return { ready: false, why: 'there is no member key yet' };
    return { ready: true, ...this.#proxy.doubt };
  }

  /** With peers lost and without the API server this node may own nothing. */
  fence(isFenced: boolean): void {
    this.#isFenced = isFenced;
    this.#options.metrics.fenced(isFenced);
    this.#options.log.warn(isFenced ? 'cut off from the API server: answering for nothing' : 'answering again', {});
    if (isFenced) this.#options.threads.toClock({ kind: 'Ready', ready: false });
    else this.#tellReady();
  }

  /** Peers that still hear this node, on another network, need not wait until it is silent. */
  #plugged(isPlugged: boolean): void {
    this.#wasPlugged ||= isPlugged;
    const isUnplugged = this.#wasPlugged && !isPlugged;
    if (isUnplugged === this.#isUnplugged) return;
    this.#isUnplugged = isUnplugged;
    this.#options.log.warn(isUnplugged ? 'no interface has a link: the others take over' : 'a link is back', {});
    if (isUnplugged) this.#options.threads.toClock({ kind: 'Ready', ready: false });
    else this.#tellReady();
  }

  /** Whether the clock thread still says something every second. */
  isAlive(): boolean {
    return this.#options.clock.now() - this.#lastClockMessageAt < 30_000;
  }

  /** Keys for the heartbeats. */
  setKeys(keys: readonly Uint8Array[]): void {
    this.#hasKey = true;
    this.#options.log.info('member key read', { accepted: keys.length });
    this.#options.threads.toClock({ kind: 'Keys', keys });
  }

  /** Hands everything over to the successors, then stops answering. Resolves when that is done or its time is over. */
  async leave(): Promise<void> {
    await this.#within(LEAVE_TIMEOUT_MS, (done) => {
      this.#leaving = done;
      this.#options.threads.toClock({ kind: 'Leave' });
    });
    await this.#within(CLOSE_TIMEOUT_MS, (done) => {
      this.#left = done;
      this.#options.threads.toWire({ kind: 'Leave' });
    });
  }

  #within(milliseconds: number, start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(milliseconds, resolve);
      start(() => {
        cancel();
        resolve();
      });
    });
  }

  #onChange(change: ViewChange): void {
    if (change.kind === 'Config') this.#isConfigDirty = true;
    else this.#announcements.setService(change.key, this.#options.view.announcedService(change.key));
    this.#planFlush();
  }

  #planFlush(): void {
    if (this.#isFlushPlanned || !this.#options.view.hasSynced) return;
    this.#isFlushPlanned = true;
    const delay = Math.max(COALESCE_MS, this.#lastFlushCostMs / MAX_SHARE);
    this.#options.clock.after(delay, () => {
      this.#isFlushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { view, clock, metrics } = this.#options;
    // Without a PoolSet nobody knows which pools are in force: what was kept counts until the operator has written it.
    if (!view.knowsPools && (this.#isStale || this.#goOnStale())) return;
    const startedAt = clock.now();
    if (this.#isConfigDirty) this.#announcements.setConfig(view.config());
    this.#isConfigDirty = false;
    this.#tellPeers(view.peers());
    const desired = this.#announcements.take();
    if (desired || this.#desired === undefined || this.#isStale) {
      metrics.refused(desired?.refusals ?? []);
      this.#post(desired?.l2 ?? [], desired?.refusals);
      this.#planSave();
    }
    if (this.#isStale) this.#options.log.info('the cluster was listed: what was kept is no longer needed');
    this.#isStale = false;
    metrics.stale(false);
    this.#lastFlushCostMs = clock.now() - startedAt;
  }

  #post(announcements: readonly L2Announcement[], refusals: readonly Refusal[] = []): void {
    const had = new Set([...this.#elsewhere, ...(this.#desired ?? []).map(({ address }) => address)]);
    const elsewhere = refusals.flatMap(({ elsewhere: address }) => (address && had.has(address) ? [address] : []));
    this.#elsewhere = elsewhere;
    this.#desired = announcements;
    const { node, excludeInterfaces, threads } = this.#options;
    threads.toWire({ kind: 'Desired', node, announcements, excludeInterfaces, elsewhere });
    this.#proxy.ask(
      () => this.#options.folder.load()?.savedAt,
      () => this.#tellReady(),
    );
    this.#tellReady();
  }

  #tellReady(): void {
    if (this.#desired && this.#isWireReady && this.#proxy.isOpen && !this.#isFenced && !this.#isUnplugged)
      this.#options.threads.toClock({ kind: 'Ready', ready: true });
  }

  #tellPeers(peers: readonly PeerAddress[]): void {
    if (this.#peers && JSON.stringify(this.#peers) === JSON.stringify(peers)) return;
    this.#peers = peers;
    this.#options.threads.toClock({ kind: 'Peers', peers });
    this.#planSave();
  }

  /** Goes on with what was kept on this node, until the cluster says more. @returns whether there was something */
  #goOnStale(): boolean {
    if (this.#desired !== undefined) return false;
    const kept = this.#options.folder.load();
    if (!kept) return false;
    this.#isStale = true;
    this.#options.metrics.stale(true);
    this.#options.log.warn('the cluster does not say yet what to announce: going on with what was kept on this node', {
      savedAt: kept.savedAt,
      announcements: kept.announcements.length,
      peers: kept.peers.length,
    });
    this.#tellPeers(kept.peers);
    this.#post(kept.announcements);
    return true;
  }

  #planSave(): void {
    if (this.#isSavePlanned) return;
    this.#isSavePlanned = true;
    this.#options.clock.after(SAVE_AFTER_MS, () => {
      this.#isSavePlanned = false;
      if (!this.#isStale) this.#save();
    });
  }

  #save(): void {
    const savedAt = new Date(this.#options.wallClock()).toISOString();
    const state: KeptState = { savedAt, peers: this.#peers ?? [], announcements: this.#desired ?? [] };
    try {
      this.#options.folder.save(state);
    } catch (error) {
      this.#options.log.warn('the announcements could not be kept on this node', { error });
    }
  }

  #onWire(message: FromWire): void {
    switch (message.kind) {
      case 'Ready':
        this.#isWireReady = true;
        this.#tellReady();
        break;
      case 'Owned':
        this.#plugged(message.interfaces.some(({ carrier }) => carrier));
        this.#options.metrics.owned(message.services);
        this.#options.onOwned(message.services, this.#desired ?? []);
        break;
      case 'Counters':
        this.#options.metrics.counted(message.addresses, message.inKernel);
        break;
      case 'Fault':
        this.#onFault(message);
        break;
      case 'Probed': // told by AddressProbes
        break;
      case 'Responder':
        this.#options.metrics.responder(message.responder);
        this.#options.log.info('who answers is chosen', { ...message.responder });
        break;
      case 'Left':
        this.#left?.();
        break;
    }
  }

  #onClock(message: FromClock): void {
    this.#lastClockMessageAt = this.#options.clock.now();
    switch (message.kind) {
      case 'Listening': {
        const { kind: _kind, ...where } = message;
        this.#isListening = true;
        this.#options.log.info('heartbeats are received', where);
        break;
      }
      case 'Available':
        this.#options.log.info('available nodes changed', { nodes: message.nodes, again: message.announceAgain });
        break;
      case 'Peers':
        this.#options.metrics.peers(message);
        this.#options.log.debug('peers changed', { peers: message.peers, isolated: message.isolated });
        break;
      case 'HeartbeatCounters':
        this.#options.metrics.heartbeats(message);
        break;
      case 'LeaveAcknowledged':
        this.#options.log.info('the successors were told', { missing: message.missing });
        this.#leaving?.();
        break;
      case 'Fault':
        this.#onFault(message);
        break;
    }
  }

  #onFault({ reason, message, fatal }: { reason: string; message: string; fatal: boolean }): void {
    this.#options.log.error('something does not work', { reason, why: message, fatal });
    if (fatal) this.#options.onFatal(reason, message);
  }
}
