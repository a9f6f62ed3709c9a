/** A segment of speakers in simulated time, for tests: membership machines that exchange their heartbeats through links one can cut. */

import { type MembershipEffect, type MembershipEvent, stepMembership } from './membership.ts';
import { initialMembership, type Membership, type MembershipConfig, nextWakeup } from './membership-state.ts';

/** What reading one datagram takes. */
const READ_MS = 0.01;

interface Station {
  membership: Membership;
  isRunning: boolean;
  /** Its process does nothing until then; its input waits. */
  frozenUntil: number;
  readonly inbox: MembershipEvent[];
  wakeAt: number;
  readonly log: { readonly at: number; readonly effect: MembershipEffect }[];
}

/** Advances by whole milliseconds; a datagram takes `latencyMs`. */
export class SimulatedMesh {
  readonly #stations = new Map<string, Station>();
  readonly #down = new Set<string>();
  /** By the millisecond of arrival. */
  readonly #flying = new Map<number, { readonly to: string; readonly event: MembershipEvent }[]>();
  readonly #latencyMs: number;
  readonly #names: readonly string[];
  readonly #settings: Partial<MembershipConfig>;
  /** What a datagram takes, milliseconds; undefined loses it. A test may set another one. */
  delayOf: (from: string, to: string) => number | undefined = () => this.#latencyMs;
  /** Datagrams since the beginning. */
  sent = 0;
  #now = 0;
  #incarnation = 1_000;

  constructor(names: readonly string[], latencyMs = 1, settings: Partial<MembershipConfig> = {}) {
    this.#names = names;
    this.#settings = settings;
    this.#latencyMs = latencyMs;
  }

  get now(): number {
    return this.#now;
  }

  /** Starts or restarts a speaker; it is ready as soon as it may be. */
  start(name: string, incarnation = this.#incarnation++, settings = this.#settings): void {
    const config = { node: name, incarnation, algorithmVersion: 1, intervalMs: 100, missed: 3 };
    const waits = { startMarginMs: 1_000, isolationHoldMs: 10_000, leaveTimeoutMs: 1_000 };
    const membership = initialMembership({ ...config, ...waits, ...settings }, this.#now);
    this.#stations.set(name, { membership, isRunning: true, frozenUntil: 0, inbox: [], log: [], wakeAt: 0 });
    this.#step(name, { kind: 'Peers', now: this.#now, nodes: this.#names });
    this.#step(name, { kind: 'Ready', now: this.#now, ready: true });
  }

  startAll(): void {
    for (const name of this.#names) this.start(name);
  }

  kill(name: string): void {
    this.station(name).isRunning = false;
  }

  leave(name: string): void {
    this.#step(name, { kind: 'Leave', now: this.#now });
  }

  /** The process of `name` stands still; what is sent to it waits in its socket. */
  freeze(name: string, milliseconds: number): void {
    this.station(name).frozenUntil = this.#now + milliseconds;
  }

  /** Nothing passes from `from` to `to` any more. */
  cutLink(from: string, to: string): void {
    this.#down.add(`${from}>${to}`);
  }

  /** Nothing passes from or to `name`. */
  cut(name: string): void {
    for (const other of this.#names) {
      this.cutLink(name, other);
      this.cutLink(other, name);
    }
  }

  heal(): void {
    this.#down.clear();
  }

  station(name: string): Station {
    const station = this.#stations.get(name);
    if (!station) throw new Error(`no speaker ${name} was started`);
    return station;
  }

  /** Who may own addresses, as `name` sees it. */
  available(name: string): readonly string[] {
    return this.station(name).membership.available;
  }

  /** Delivers an event now, whatever the links say. */
  inject(name: string, event: MembershipEvent): void {
    this.#step(name, event);
  }

  run(milliseconds: number, each: () => void = () => {}): void {
    for (const end = this.#now + milliseconds; this.#now < end; ) {
      this.#now += 1;
      this.#deliver();
      for (const [name, station] of this.#stations) this.#turn(name, station);
      each();
    }
  }

  #deliver(): void {
    const due = this.#flying.get(this.#now) ?? [];
    this.#flying.delete(this.#now);
    for (const { to, event } of due) this.#stations.get(to)?.inbox.push(event);
  }

  #turn(name: string, station: Station): void {
    if (!station.isRunning) station.inbox.length = 0;
    if (!station.isRunning || station.frozenUntil > this.#now) return;
    // what waited together is read one after the other: no two at the very same time
    for (const [at, event] of station.inbox.splice(0).entries())
      this.#step(name, { ...event, now: this.#now + at * READ_MS });
    if (station.wakeAt <= this.#now) this.#step(name, { kind: 'Tick', now: this.#now });
  }

  #step(name: string, event: MembershipEvent): void {
    const station = this.station(name);
    const [next, effects] = stepMembership(station.membership, event);
    station.membership = next;
    station.wakeAt = nextWakeup(next);
    for (const effect of effects) {
      station.log.push({ at: this.#now, effect });
      if (effect.do === 'SendHeartbeat') this.#send(name, effect.heartbeat);
    }
  }

  #send(from: string, heartbeat: Extract<MembershipEvent, { kind: 'Heartbeat' }>['heartbeat']): void {
    for (const to of this.station(from).membership.peers.keys()) {
      const delayMs = this.delayOf(from, to);
      this.sent += 1;
      if (delayMs === undefined || this.#down.has(`${from}>${to}`)) continue;
      const at = this.#now + Math.max(1, delayMs);
      const arriving = this.#flying.get(at) ?? [];
      if (arriving.length === 0) this.#flying.set(at, arriving);
      arriving.push({ to, event: { kind: 'Heartbeat', now: 0, heartbeat } });
    }
  }
}
