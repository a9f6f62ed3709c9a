/** The wire thread's work without the thread: takes messages in, owns addresses, answers for them, and reports. */

import { describeMissing, missingCapabilities } from '../../host/capabilities.ts';
import type { HostError } from '../../host/host-error.ts';
import type { HostNetwork } from '../../host/host-network.ts';
import type { AvailableMessage, FromWire, OwnedAddress, ToWire } from '../messages.ts';
import type { Clock } from './clock.ts';
import { Ownership } from './ownership.ts';
import { type OwnedOn, PacketResponder } from './responder.ts';

const COUNTERS_EVERY_MS = 1000;

export interface WireOptions {
  readonly host: HostNetwork;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  readonly post: (message: FromWire) => void;
}

type Desired = Extract<ToWire, { kind: 'Desired' }>;

/** Composes ownership and responder. */
export class Wire {
  readonly #options: WireOptions;
  readonly #ownership = new Ownership();
  readonly #responder: PacketResponder;
  /** By service and address: when this node became the owner. */
  #since: ReadonlyMap<string, number> = new Map();
  readonly #faults = new Set<string>();
  #view = -1;
  #excluded: string | undefined;
  #isReady = false;
  #isReportPlanned = false;
  #hasLeft = false;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#responder = new PacketResponder({
      host: options.host,
      clock: options.clock,
      onError: (error, onInterface) => this.#onSocketError(error, onInterface),
      onInterfacesChange: () => this.#planReport(),
    });
    this.#planCounters();
  }

  /** Takes the whole desired set in. */
  desire({ node, announcements, excludeInterfaces }: Desired): void {
    if (this.#hasLeft) return;
    this.#exclude(excludeInterfaces);
    this.#ownership.setDesired(node, announcements);
    this.#responder.retainCounters(new Set(announcements.map(({ address }) => address)));
    this.#apply();
    if (this.#isReady) return;
    this.#isReady = true;
    this.#options.post({ kind: 'Ready' });
  }

  /** Takes the clock's view in; an older view than the last one is dropped. */
  available({ nodes, view, announceAgain }: AvailableMessage): void {
    if (this.#hasLeft || view <= this.#view) return;
    this.#view = view;
    if (this.#ownership.setAvailable(nodes)) this.#apply();
    if (announceAgain) this.#responder.announceAll();
  }

  /** Stops answering and says so; idempotent. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#postCounters();
    this.#hasLeft = true;
    this.#responder.close();
    this.#options.post({ kind: 'Left' });
  }

  /** Closes everything. */
  stop(): void {
    this.#hasLeft = true;
    this.#responder.close();
    this.#options.host.close();
  }

  #apply(): void {
    this.#responder.apply(mergeByAddress(this.#ownership.owned()));
    this.#planReport();
  }

  #exclude(pattern: string): void {
    if (pattern === this.#excluded) return;
    this.#excluded = pattern;
    try {
      this.#responder.exclude(pattern === '' ? undefined : new RegExp(pattern));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      this.#fault('InvalidExcludeInterfaces', cause.message, true);
    }
  }

  /** The report waits for its turn, so that no packet waits for it. */
  #planReport(): void {
    if (this.#isReportPlanned || this.#hasLeft) return;
    this.#isReportPlanned = true;
    this.#options.clock.soon(() => {
      this.#isReportPlanned = false;
      if (this.#hasLeft) return;
      const interfaces = this.#responder.interfaces();
      this.#options.post({ kind: 'Owned', services: this.#ownedServices(), interfaces });
    });
  }

  #ownedServices(): readonly OwnedAddress[] {
    const now = this.#options.wallClock();
    const since = new Map<string, number>();
    const services = this.#ownership.owned().map(({ service, address, interfaces }): OwnedAddress => {
      const key = `${service} ${address}`;
      const from = this.#since.get(key) ?? now;
      since.set(key, from);
      const answered = this.#responder.interfacesOf(address);
      const wanted = interfaces === 'all' ? answered : answered.filter((name) => interfaces.includes(name));
      return { service, address, interfaces: wanted, since: from };
    });
    this.#since = since;
    return services;
  }

  #planCounters(): void {
    this.#options.clock.after(COUNTERS_EVERY_MS, () => {
      if (this.#hasLeft) return;
      this.#postCounters();
      this.#planCounters();
    });
  }

  #postCounters(): void {
    const addresses = this.#responder.takeCounters();
    if (addresses) this.#options.post({ kind: 'Counters', addresses });
  }

  #onSocketError(error: HostError, onInterface: string): void {
    const [missing] = error.code === 'EPERM' ? missingCapabilities(['NET_RAW']) : [];
    if (missing) this.#fault('MissingCapability', describeMissing(missing), true);
    else this.#fault('PacketSocketFailed', `interface ${onInterface}: ${error.message}`, false);
  }

  /** Says each fault once: sockets are tried again every second. */
  #fault(reason: string, message: string, fatal: boolean): void {
    if (this.#faults.has(message)) return;
    this.#faults.add(message);
    this.#options.post({ kind: 'Fault', reason, message, fatal });
  }
}

/** One entry per address: Services that share an address may ask for different interfaces. */
function mergeByAddress(owned: readonly OwnedOn[]): readonly OwnedOn[] {
  const merged = new Map<string, OwnedOn>();
  for (const { address, interfaces } of owned) {
    const other = merged.get(address)?.interfaces;
    const isAll = interfaces === 'all' || other === 'all';
    merged.set(address, { address, interfaces: isAll ? 'all' : [...new Set([...(other ?? []), ...interfaces])] });
  }
  return [...merged.values()];
}
