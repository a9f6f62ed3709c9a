/** The wire thread's work without the thread: takes messages in, owns addresses, answers for them, and reports. */

import { describeMissing, missingCapabilities } from '../../host/capabilities.ts';
import type { HostError } from '../../host/host-error.ts';
import type { HostNetwork } from '../../host/host-network.ts';
import type { InKernelResponder } from '../../host/in-kernel-responder.ts';
import { addressIdOf } from '../../protocols/heartbeat/extension.ts';
import type {
  AddressCounters,
  AvailableMessage,
  ClaimsMessage,
  FromWire,
  OwnedAddress,
  PeerClaimsMessage,
  TakenMessage,
  TookMessage,
  ToWire,
} from '../messages.ts';
import type { Clock } from './clock.ts';
import { Handovers } from './handovers.ts';
import { describeOverlap, type Overlap, overlapsOf } from './kernel-overlap.ts';
import { Ownership } from './ownership.ts';
import { Layer2Responder, type OwnedOn } from './responder.ts';

const COUNTERS_EVERY_MS = 1000;
/** After the start of a speaker; longer than it takes until all nodes of a cluster that starts are there. */
const CLAIMS_AFTER_MS = 30_000;

export interface WireOptions {
  readonly host: HostNetwork;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  readonly post: (message: FromWire) => void;
  /** Straight to the clock thread: who hands an address over does not wait for main. */
  readonly postToClock: (message: TookMessage | ClaimsMessage) => void;
  /** Whether this node may answer now; absent means always. */
  readonly mayAnswer?: () => boolean;
  /** Absent where the kernel does not allow it. */
  readonly inKernel?: InKernelResponder | undefined;
  /** The sysctl in force on an interface; absent means that the kernel answers for no address of another interface. */
  readonly arpIgnore?: (interfaceName: string) => number;
}

type Desired = Extract<ToWire, { kind: 'Desired' }>;

/** Composes ownership and responder. */
export class Wire {
  readonly #options: WireOptions;
  readonly #ownership = new Ownership();
  readonly #responder: Layer2Responder;
  readonly #handovers: Handovers;
  #owned: readonly OwnedOn[] = [];
  #nodes: ReadonlySet<string> = new Set();
  #elsewhere: ReadonlySet<string> = new Set();
  #announcements: Desired['announcements'] = [];
  #overlaps: readonly Overlap[] = [];
  /** Interfaces of this host that have announced addresses, as far as they were told. */
  readonly #toldHolders = new Set<string>();
  /** By service and address: when this node became the owner. */
  #since: ReadonlyMap<string, number> = new Map();
  readonly #faults = new Set<string>();
  #view = -1;
  /** With sticky ownership. */
  #mayClaim = false;
  #excluded: string | undefined;
  #isReady = false;
  #isReportPlanned = false;
  #hasLeft = false;
  /** As it was posted last. */
  #lastInKernel: string | undefined;
  #lastCounters: readonly AddressCounters[] = [];

  constructor(options: WireOptions) {
    this.#options = options;
    this.#responder = new Layer2Responder({
      host: options.host,
      clock: options.clock,
      mayAnswer: options.mayAnswer ?? (() => true),
      inKernel: options.inKernel,
      onError: (error, onInterface) => this.#onSocketError(error, onInterface),
      onInKernelError: (error, onInterface) =>
        this.#fault('InKernelResponderFailed', `interface ${onInterface}: ${error.message}`, false),
      onInterfacesChange: () => this.#planReport(),
    });
    this.#handovers = new Handovers(options.clock, () => this.#answer());
    options.host.onChange(() => this.#seekOverlaps());
    this.#planCounters();
  }

  /** Takes the whole desired set in. */
  desire({ node, announcements, excludeInterfaces, elsewhere = [] }: Desired): void {
    if (this.#hasLeft) return;
    this.#elsewhere = new Set(elsewhere);
    this.#exclude(excludeInterfaces);
    this.#ownership.setDesired(node, announcements);
    this.#responder.retainCounters(new Set(announcements.map(({ address }) => address)));
    this.#announcements = announcements;
    this.#overlaps = this.#findOverlaps();
    // before anybody is known to be available, what a former process answers for in the kernel stays
    if (this.#view >= 0) this.#apply();
    else this.#planReport();
    if (this.#isReady) return;
    this.#isReady = true;
    this.#options.post({ kind: 'Ready' });
  }

  /** Takes the clock's view in; an older view than the last one is dropped. */
  available({ nodes, view, announceAgain, isSticky = false }: AvailableMessage): void {
    if (this.#hasLeft || view <= this.#view) return;
    const isFirst = this.#view < 0;
    const hasNewcomer = nodes.some((name) => !this.#nodes.has(name));
    this.#view = view;
    this.#nodes = new Set(nodes);
    if (isFirst) this.#options.clock.after(CLAIMS_AFTER_MS, () => this.#claimWhatStays());
    const hasNewRule = this.#ownership.setSticky(isSticky);
    // what a lost node leaves is handed over by nobody
    if (this.#ownership.setAvailable(nodes) || isFirst || hasNewRule) this.#apply(hasNewcomer);
    if (announceAgain) this.#responder.announceAll();
  }

  /** A peer answers for these addresses: nobody waits here any longer. */
  taken({ addresses }: TakenMessage): void {
    this.#handovers.taken(addresses);
  }

  /** What a peer goes on answering for although another is first by the order. */
  peerClaims({ node, addresses }: PeerClaimsMessage): void {
    if (!this.#hasLeft && this.#ownership.setClaims(node, addresses)) this.#apply();
  }

  /** Stops answering and says so; idempotent. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#handovers.close();
    this.#postCounters();
    this.#hasLeft = true;
    this.#responder.close();
    this.#options.post({ kind: 'Left' });
  }

  /** Ends here and says so; what is answered in the kernel goes on until the lease ends or somebody adopts it. */
  restart(): void {
    if (this.#hasLeft) return;
    this.#handovers.close();
    this.#postCounters();
    this.#hasLeft = true;
    this.#responder.release();
    this.#options.post({ kind: 'Left' });
  }

  /** Closes everything. */
  stop(): void {
    this.#hasLeft = true;
    this.#handovers.close();
    this.#responder.close();
    this.#options.host.close();
  }

  /** @param tellsTaken whether another node may still answer for what is gained */
  #apply(tellsTaken = true): void {
    const before = this.#owned;
    this.#owned = mergeByAddress(this.#ownership.owned());
    let others: ReadonlySet<string> | undefined;
    this.#handovers.moved(before, this.#owned, (address) => {
      others ??= this.#ownership.ownedByOthers();
      return others.has(address) || (this.#ownership.isAvailable && this.#elsewhere.has(address));
    });
    this.#answer();
    if (tellsTaken) this.#tellTaken(before);
    if (this.#mayClaim) this.#claim();
  }

  /** Before, nodes of a cluster that starts as a whole may be missing: none of them is to rank behind the others. */
  #claimWhatStays(): void {
    if (this.#hasLeft) return;
    this.#mayClaim = true;
    this.#claim();
  }

  #claim(): void {
    if (!this.#ownership.claim()) return;
    this.#options.postToClock({ kind: 'Claims', addresses: this.#ownership.claims().map(addressIdOf) });
    this.#planReport();
  }

  #tellTaken(before: readonly OwnedOn[]): void {
    const had = new Set(before.map(({ address }) => address));
    const addresses = this.#owned.flatMap(({ address }) => (had.has(address) ? [] : [addressIdOf(address)]));
    if (addresses.length > 0) this.#options.postToClock({ kind: 'Took', addresses });
  }

  #answer(): void {
    const owned = [...this.#owned, ...this.#handovers.held()];
    const own = this.#overlaps.length > 0 ? new Set(owned.map(({ address }) => address)) : new Set();
    const guarded = this.#options.inKernel ? this.#overlaps.filter(({ address }) => !own.has(address)) : [];
    this.#responder.apply(owned, guarded);
    this.#planReport();
  }

  #findOverlaps(): readonly Overlap[] {
    const { host, arpIgnore = () => 1, inKernel } = this.#options;
    const announcing = this.#responder.interfaces().map(({ name }) => name);
    const overlaps = overlapsOf(this.#announcements, host.interfaces(), announcing, arpIgnore);
    for (const overlap of overlaps) {
      // one address of each interface is enough: the remedy is the same
      if (!this.#toldHolders.has(overlap.holder))
        this.#fault('KernelAnswersToo', describeOverlap(overlap, inKernel !== undefined), false);
      this.#toldHolders.add(overlap.holder);
    }
    return overlaps;
  }

  /** Addresses of interfaces come and go with kube-proxy's work. */
  #seekOverlaps(): void {
    if (this.#hasLeft || this.#announcements.length === 0) return;
    const before = JSON.stringify(this.#overlaps.map(({ address, onInterfaces }) => [address, onInterfaces]));
    this.#overlaps = this.#findOverlaps();
    const after = JSON.stringify(this.#overlaps.map(({ address, onInterfaces }) => [address, onInterfaces]));
    if (before !== after && this.#view >= 0) this.#apply();
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
      const keeps = this.#ownership.claims();
      this.#options.post({ kind: 'Owned', services: this.#ownedServices(), interfaces, keeps });
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
    const inKernel = this.#responder.readKernelCounters();
    const changed = this.#responder.takeCounters();
    const said = JSON.stringify(inKernel);
    if (!changed && said === this.#lastInKernel) return;
    this.#lastInKernel = said;
    this.#lastCounters = changed ?? this.#lastCounters;
    this.#options.post({ kind: 'Counters', addresses: this.#lastCounters, ...(inKernel && { inKernel }) });
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
