/**
 * Asks the network for addresses before they are first written into a status, where their pool says so
 * (duplicateAddressDetection; RFC 5227, RFC 4862). Somebody has it: nobody gets it for ten minutes. Nobody could be
 * asked: the Service gets it, and is told, because a cluster without speakers must still give addresses.
 */

import { annotations } from '../../crds/annotations.ts';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import type { Prospect } from '../advertising/prospect.ts';
import type { Assigned, Decision } from '../allocator/decision.ts';
import { heldAddresses, requestOf } from '../allocator/service-request.ts';
import { keyOf, type Service } from '../cluster/objects.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import type { Pool } from '../config/pool.ts';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import type { Logger } from '../observability/log.ts';
import { ProbeLine, type ProbeOutcome } from './probe-line.ts';
import type { ProbeWorld } from './probe-world.ts';
import type { World } from './world.ts';

/** How long an address that somebody else has is given to nobody. */
const WITHHELD_MS = 600_000;

/** What the allocator is told. */
export interface WithholdingBook {
  decisionOf(key: string): Decision | undefined;
  /** The Services that the address is decided for. */
  holdersOf(address: IpAddress): readonly string[];
  /** Gives the address to nobody, and takes it from whom it was decided for. */
  withhold(address: IpAddress, why: { readonly reason: 'AddressConflicts'; readonly message: string }): void;
  restore(address: IpAddress): void;
}

export interface DuplicateDetectionOptions {
  readonly world: ProbeWorld;
  readonly services: ReadonlyStore<Service>;
  readonly book: WithholdingBook;
  /** The pools in force. */
  readonly pools: () => readonly Pool[];
  /** The node that would own an address of a Service, which is as it would be with the address. */
  readonly prospectOf: (service: Service, address: string) => Prospect;
  /** The Service can be written now. */
  readonly servicesConcerned: (keys: Iterable<string>) => void;
  readonly event: World['event'];
  readonly log: Logger;
  readonly onOutcome?: (kind: ProbeOutcome['kind']) => void;
}

/** An address that somebody else on the network had. */
interface Conflict {
  isWithheld: boolean;
  /** By Service: what it asked when it was refused. Whoever asks anew is worth another try at once. */
  readonly askers: Map<string, string>;
  cancel: () => void;
}

export class DuplicateDetection {
  readonly #options: DuplicateDetectionOptions;
  readonly #line: ProbeLine;
  /** The Services that wait, by address. */
  readonly #waiting = new Map<string, Set<string>>();
  /** The same by Service. */
  readonly #pending = new Map<string, readonly string[]>();
  /** By Service: the addresses that need not be asked for (again). */
  readonly #cleared = new Map<string, ReadonlySet<string>>();
  readonly #conflicts = new Map<string, Conflict>();
  /** The pools that ask for it, of those in force. */
  #pools: { readonly of: readonly Pool[]; readonly detecting: readonly Pool[] } = { of: [], detecting: [] };

  constructor(options: DuplicateDetectionOptions) {
    this.#options = options;
    const { world, log } = options;
    this.#line = new ProbeLine({
      world,
      log,
      prospectOf: (address, service) => this.#prospectOf(address, service),
      onEnd: (address, outcome) => this.#onEnd(address, outcome),
    });
  }

  /** The term begins. */
  start(): void {
    this.#line.clean();
  }

  /** The answers in the report of a node. */
  probed(results: readonly ProbeResult[]): void {
    this.#line.probed(results);
  }

  /** What may be written of a decision now: all of it, or what the status holds already while the rest is asked for. */
  provisional(service: Service, decision: Assigned): Decision {
    const key = keyOf(service);
    const wanted = decision.addresses.filter((ip) => this.#detecting().some(({ addresses }) => addresses.has(ip)));
    if (wanted.length === 0) {
      this.forget(key);
      return decision;
    }
    const pending = this.#pendingOf(service, wanted.map(formatIp));
    this.#wait(key, pending);
    return pending.length === 0 ? decision : meanwhile(service, decision, pending);
  }

  /** Nothing is to be written of the Service, or nothing to be asked for. */
  forget(key: string): void {
    if (!this.#cleared.delete(key)) return;
    this.#wait(key, []);
  }

  /** Whoever asks, anew or in other words, for an address that is withheld is worth another try at once. */
  serviceChanged(key: string): void {
    if (this.#conflicts.size === 0) return;
    const service = this.#options.services.get(key);
    if (!service) for (const { askers } of this.#conflicts.values()) askers.delete(key);
    for (const address of service ? (requestOf(service).requestedAddresses ?? []) : []) {
      const conflict = this.#conflicts.get(formatIp(address));
      if (!service || !conflict || conflict.askers.get(key) === wordsOf(service)) continue;
      conflict.askers.set(key, wordsOf(service));
      this.#restore(formatIp(address), conflict);
    }
  }

  #detecting(): readonly Pool[] {
    const of = this.#options.pools();
    if (this.#pools.of !== of) this.#pools = { of, detecting: of.filter(({ detectsDuplicates }) => detectsDuplicates) };
    return this.#pools.detecting;
  }

  #pendingOf(service: Service, wanted: readonly string[]): readonly string[] {
    const key = keyOf(service);
    const held = textsOf(service);
    const known = this.#cleared.get(key);
    const isShared = requestOf(service).sharingKey !== undefined;
    const isClear = (address: string): boolean =>
      held.includes(address) || known?.has(address) === true || (isShared && this.#isInUse(address));
    const clear = wanted.filter(isClear);
    this.#cleared.set(key, new Set(clear));
    return wanted.filter((address) => !clear.includes(address));
  }

  /** Whether another Service, which shares it, has the address: then our own speakers answer for it. */
  #isInUse(address: string): boolean {
    const { services, book } = this.#options;
    const ip = parseIp(address);
    const holders = ip ? book.holdersOf(ip) : [];
    return holders.some((key) => {
      const service = services.get(key);
      return service !== undefined && textsOf(service).includes(address);
    });
  }

  /** Brings what is asked for in line with what a Service waits for. */
  #wait(key: string, pending: readonly string[]): void {
    const before = this.#pending.get(key) ?? [];
    if (pending.length > 0) this.#pending.set(key, pending);
    else this.#pending.delete(key);
    for (const address of before) {
      const keys = this.#waiting.get(address);
      if (pending.includes(address) || !keys?.delete(key) || keys.size > 0) continue;
      this.#waiting.delete(address);
      this.#line.drop(address);
    }
    for (const address of pending) {
      const keys = this.#waiting.get(address);
      if (keys) keys.add(key);
      else {
        this.#waiting.set(address, new Set([key]));
        this.#line.ask(address, key);
      }
    }
  }

  /** By the whole decision, because both families of a Service hash by its first address. */
  #prospectOf(address: string, key: string): Prospect {
    const service = this.#options.services.get(key);
    const decision = this.#options.book.decisionOf(key);
    if (!service || decision?.outcome !== 'Assigned')
      return { node: undefined, reason: 'NoAddress', message: 'the Service is gone' };
    const { foreignWriters: _before, ...own } = service;
    const ingress = decision.addresses.map((each) => ({ ip: formatIp(each) }));
    return this.#options.prospectOf({ ...own, status: { loadBalancer: { ingress } } }, address);
  }

  #onEnd(address: string, outcome: ProbeOutcome): void {
    const keys = this.#waiting.get(address) ?? new Set<string>();
    this.#waiting.delete(address);
    this.#options.onOutcome?.(outcome.kind);
    if (outcome.kind === 'Conflict') this.#withhold(address, keys, outcome.message);
    else this.#clear(address, keys, outcome);
    this.#options.servicesConcerned(keys);
  }

  #clear(address: string, keys: ReadonlySet<string>, outcome: ProbeOutcome): void {
    this.#conflicts.get(address)?.cancel();
    this.#conflicts.delete(address);
    for (const key of keys) {
      this.#cleared.set(key, new Set([...(this.#cleared.get(key) ?? []), address]));
      const service = this.#options.services.get(key);
      if (!service || outcome.kind !== 'NotProbed') continue;
      const message = `${address} is given without having been asked for on the network: ${outcome.message}`;
      this.#options.event(service, 'Warning', 'AddressNotProbed', message);
    }
  }

  #withhold(address: string, keys: ReadonlySet<string>, found: string): void {
    const ip = parseIp(address);
    if (!ip) return;
    const message = `${address} is in use on the network: ${found}. It is tried again after 10 minutes, or when a Service asks for it anew.`;
    const conflict = this.#conflicts.get(address) ?? { isWithheld: true, askers: new Map(), cancel: () => {} };
    this.#conflicts.set(address, conflict);
    conflict.isWithheld = true;
    conflict.cancel();
    conflict.cancel = this.#options.world.after(WITHHELD_MS, () => {
      this.#conflicts.delete(address);
      this.#restore(address, conflict);
    });
    for (const key of keys) {
      const service = this.#options.services.get(key);
      if (!service) continue;
      conflict.askers.set(key, wordsOf(service));
      this.#options.event(service, 'Warning', 'AddressConflicts', message);
    }
    this.#options.book.withhold(ip, { reason: 'AddressConflicts', message });
  }

  #restore(address: string, conflict: Conflict): void {
    const ip = parseIp(address);
    if (!ip || !conflict.isWithheld) return;
    conflict.isWithheld = false;
    this.#options.book.restore(ip);
  }
}

/** The part of the decision that the status holds: an address that the Service uses stays while another is asked for. */
function meanwhile(service: Service, decision: Assigned, pending: readonly string[]): Decision {
  const held = textsOf(service);
  const kept = decision.addresses.filter((address) => held.includes(formatIp(address)));
  const message = `A speaker asks the network whether somebody has ${pending.join(' or ')} already: up to 5 s.`;
  if (kept.length === 0) return { outcome: 'Unassigned', reason: 'ProbingAddress', message, rejections: [] };
  return { ...decision, addresses: kept, reason: 'PartlyAssigned', message };
}

const textsOf = (service: Service): readonly string[] => heldAddresses(service).map(formatIp);

/** What a Service asks for, without what we write. */
function wordsOf({ metadata, spec }: Service): string {
  const { [annotations.ipAllocatedFromPool]: _ours, ...own } = metadata.annotations ?? {};
  return JSON.stringify([metadata.uid, spec, own]);
}
