/** The layer 2 backend: answers for owned addresses on eligible interfaces, and announces new ones. */

import type { ReportInterface } from '../../../crds/node-announcement.ts';
import type { HostError } from '../../host/host-error.ts';
import type { HostNetwork, InterfaceInfo } from '../../host/host-network.ts';
import type { InKernelResponder, KernelCounters } from '../../host/in-kernel-responder.ts';
import { formatIp, type IpAddress, parseIp } from '../../net/address.ts';
import type { AddressCounters } from '../messages.ts';
import { Announcer } from './announcer.ts';
import type { Clock } from './clock.ts';
import { type EligibleInterface, type InterfaceRefusal, isEligible, refusalOf } from './eligibility.ts';
import { InterfaceResponder, type OwnedEntry } from './interface-responder.ts';
import { Tally } from './tally.ts';

/** An address to answer for, and where. */
export interface OwnedOn {
  /** Canonical text. */
  readonly address: string;
  readonly interfaces: readonly string[] | 'all';
  /** Another node is its owner by now and has yet to say that it answers: it is answered for, and not announced. */
  readonly isHandedOver?: boolean;
}

export interface ResponderOptions {
  readonly host: HostNetwork;
  readonly clock: Clock;
  /** Whether this node may answer now: its lease runs. */
  mayAnswer(): boolean;
  /** Undefined where the kernel does not allow it. */
  readonly inKernel: InKernelResponder | undefined;
  /** The kernel refused the program on an interface: packet sockets answer there. */
  onInKernelError(error: HostError, onInterface: string): void;
  /** A packet socket does not work on an interface; it is tried again every second. */
  onError(error: HostError, onInterface: string): void;
  /** `interfacesOf` may read differently now. */
  onInterfacesChange(): void;
}

const RETRY_MS = 1000;

/** An address of another node for which this host's kernel would answer, and where. */
export interface Guarded {
  readonly ip: IpAddress;
  readonly onInterfaces: readonly string[];
}

interface Owned extends OwnedEntry, OwnedOn {}

/** Idempotent: `apply` takes the whole desired state and acts on the difference. */
export class Layer2Responder {
  readonly #options: ResponderOptions;
  readonly #announcer: Announcer;
  readonly #tally = new Tally();
  readonly #responders = new Map<number, InterfaceResponder>();
  #owned: ReadonlyMap<string, Owned> = new Map();
  #guarded: readonly Guarded[] = [];
  #excluded: RegExp | undefined;
  #areGroupsPlanned = false;
  #isRetryPlanned = false;
  #isClosed = false;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#announcer = new Announcer(options.clock, (address, onInterface) => this.#shoot(address, onInterface));
    options.host.onChange(() => this.#syncInterfaces());
    this.#syncInterfaces();
  }

  /** Excludes interfaces by name; undefined excludes none. */
  exclude(names: RegExp | undefined): void {
    if (names?.source === this.#excluded?.source) return;
    this.#excluded = names;
    this.#syncInterfaces();
  }

  /**
   * Answers for exactly `owned` from now on, and announces what is new in it; each address stands in it once.
   *
   * @param guarded for which requests are dropped, so that the kernel does not answer for what another node owns
   */
  apply(owned: readonly OwnedOn[], guarded: readonly Guarded[] = []): void {
    if (this.#isClosed) return;
    const before = this.#owned;
    this.#owned = new Map(owned.flatMap((item) => this.#entryOf(item)));
    this.#guarded = guarded;
    for (const responder of this.#responders.values()) this.#setOwned(responder);
    this.#options.inKernel?.settle();
    const isNews = ([address, { interfaces }]: readonly [string, Owned]): boolean => {
      const was = before.get(address);
      return was?.isHandedOver === true || String(was?.interfaces) !== String(interfaces);
    };
    this.#announcer.announce([...this.#owned].filter(isNews).map(([address]) => address));
    this.#planGroups();
  }

  /** Announces an owned address once more, as to a new owner. */
  announce(address: string): void {
    if (this.#owned.has(address)) this.#announcer.announce([address]);
  }

  /** Announces all that is owned once more. */
  announceAll(): void {
    this.#announcer.announce(this.#owned.keys());
  }

  /** Names of the interfaces on which an owned address is answered now. */
  interfacesOf(address: string): readonly string[] {
    const owned = this.#owned.get(address);
    if (!owned) return [];
    return [...this.#responders.values()]
      .filter((responder) => responder.speaks(owned.ip.family) && isOn(owned, responder.info))
      .map(({ info }) => info.name);
  }

  /** The interfaces that may announce, and those that would if they had their link; in order of names. */
  interfaces(): readonly ReportInterface[] {
    return this.#options.host
      .interfaces()
      .flatMap((info) => reportOf(info, refusalOf(info, this.#excluded)))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Forgets the counters of addresses that are no longer in `desired`. */
  retainCounters(desired: ReadonlySet<string>): void {
    this.#tally.retain(desired);
  }

  /** The counters of all addresses, when any has changed since the last call. */
  takeCounters(): readonly AddressCounters[] | undefined {
    return this.#tally.takeChanged();
  }

  /** What the program in the kernel has counted since its maps were made, or undefined without one; it is told to the counters of addresses. */
  readKernelCounters(): KernelCounters | undefined {
    return this.#isClosed ? undefined : this.#options.inKernel?.readCounters();
  }

  /** Stops answering at once; idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#end((responder) => responder.close());
    this.#options.inKernel?.close();
  }

  /** Stops here and lets the program in the kernel go on, for whoever adopts it. */
  release(): void {
    if (this.#isClosed) return;
    this.#end((responder) => responder.release());
    this.#options.inKernel?.release();
  }

  #end(close: (responder: InterfaceResponder) => void): void {
    this.#isClosed = true;
    this.#announcer.close();
    for (const responder of this.#responders.values()) close(responder);
    this.#responders.clear();
    this.#owned = new Map();
  }

  #setOwned(responder: InterfaceResponder): void {
    const { name } = responder.info;
    const guarded = this.#guarded.filter(({ onInterfaces }) => onInterfaces.includes(name)).map(({ ip }) => ip);
    responder.setOwned(this.#entriesFor(responder.info), guarded);
  }

  #entryOf(owned: OwnedOn): [string, Owned][] {
    const { address } = owned;
    const ip = this.#owned.get(address)?.ip ?? parseIp(address);
    return ip ? [[address, { ...owned, ip, tally: this.#tally.of(address) }]] : [];
  }

  #entriesFor(info: InterfaceInfo): readonly Owned[] {
    return [...this.#owned.values()].filter((owned) => isOn(owned, info));
  }

  #shoot(address: string, onInterface: string | undefined): void {
    const owned = this.#owned.get(address);
    if (!owned || owned.isHandedOver) return; // lost since the burst began
    for (const responder of this.#responders.values()) {
      const isMeant = onInterface === undefined || responder.info.name === onInterface;
      if (isMeant && isOn(owned, responder.info)) responder.announce(owned);
    }
  }

  /** Groups after first shots: joining takes the kernel longer than announcing, and a client that was told need not ask. */
  #planGroups(): void {
    if (this.#areGroupsPlanned) return;
    this.#areGroupsPlanned = true;
    this.#options.clock.soon(() => {
      this.#areGroupsPlanned = false;
      if (this.#isClosed) return;
      if (this.#announcer.isUrgent) this.#planGroups();
      else for (const responder of this.#responders.values()) responder.syncGroups();
    });
  }

  /** Brings the responders in line with the interfaces; what an interface did before it came (back) is unknown, so all is announced there. */
  #syncInterfaces(): void {
    if (this.#isClosed) return;
    const eligible = new Map(
      this.#options.host.interfaces().flatMap((info) => (isEligible(info, this.#excluded) ? [[info.index, info]] : [])),
    );
    let hasChanged = false;
    for (const [index, responder] of this.#responders) {
      const info = eligible.get(index);
      if (info && responder.update(info)) continue;
      responder.close();
      this.#responders.delete(index);
      hasChanged = true;
    }
    for (const info of eligible.values()) if (!this.#responders.has(info.index)) hasChanged = this.#start(info);
    if (hasChanged) this.#options.onInterfacesChange();
  }

  #start(info: EligibleInterface): true {
    const responder = new InterfaceResponder(info, this.#options);
    this.#responders.set(info.index, responder);
    const entries = this.#entriesFor(info);
    this.#setOwned(responder);
    this.#announcer.announce(
      entries.map(({ address }) => address),
      info.name,
    );
    this.#planGroups();
    if (!responder.isComplete) this.#planRetry();
    return true;
  }

  #planRetry(): void {
    if (this.#isRetryPlanned) return;
    this.#isRetryPlanned = true;
    this.#options.clock.after(RETRY_MS, () => {
      this.#isRetryPlanned = false;
      this.#syncInterfaces();
    });
  }
}

function reportOf(
  { name, addresses }: InterfaceInfo,
  refusal: InterfaceRefusal | undefined,
): readonly ReportInterface[] {
  if (refusal !== undefined && refusal !== 'Down' && refusal !== 'NoCarrier') return [];
  const subnets = addresses.map(({ address, prefixLength }) => `${formatIp(address)}/${prefixLength}`);
  return [{ name, carrier: refusal === undefined, subnets: subnets.toSorted() }];
}

const isOn = ({ interfaces }: OwnedOn, { name }: InterfaceInfo): boolean =>
  interfaces === 'all' || interfaces.includes(name);
