/** The allocator of one term, fed by what happens to Services: decides at once and says whom it concerns. */

import { adoptionProblem, foreignRequest, isOurWriting } from '../allocator/adoption.ts';
import type { WithheldAddress, Withholding } from '../allocator/circumstances.ts';
import type { Decision } from '../allocator/decision.ts';
import { heldByDecision, heldByStatus } from '../allocator/held-addresses.ts';
import { IncrementalAllocator, type PoolUse } from '../allocator/incremental-allocator.ts';
import { poolKey } from '../allocator/ledger.ts';
import type { RestedAddress } from '../allocator/rest.ts';
import { type QuotaUse, quotaUse, type ReservationUse, reservationUse } from '../allocator/rule-use.ts';
import { isOurs, type RequestProblem, requestOf, type ServiceRequest } from '../allocator/service-request.ts';
import type { AllocationChange } from '../allocator/turn.ts';
import { keyOf, type Service } from '../cluster/objects.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import type { Pool } from '../config/pool.ts';
import type { ResolvedConfig } from '../config/resolve-config.ts';
import type { HeldAddress } from '../config/stored-state.ts';
import { type IpAddress, parseIp } from '../net/address.ts';
import type { Scope } from './world.ts';

/** Told after each change: Services whose status may have to change, pools whose use did. */
export interface AddressBookListener {
  servicesConcerned(keys: Iterable<string>): void;
  poolsUsed(keys: Iterable<string>): void;
  /** Addresses that rest from now on. */
  rested?(addresses: readonly RestedAddress[]): void;
  /** The pools that are about to be decided with. */
  poolsInForce?(pools: readonly Pool[]): void;
  /** What is said of a Service where more is known than the allocator knows. */
  worded?(key: string, decision: Decision): Decision;
  /** Claims to be made on external sources, and addresses that go back to them. */
  claimsChanged?(change: Pick<AllocationChange, 'wanted' | 'released'>): void;
}

/** What addresses are given by. */
export type AddressRules = Pick<ResolvedConfig, 'pools' | 'reservations' | 'quotas'>;

/** Why a Service was given up, and what it had. */
interface Surrender {
  readonly uid: string | undefined;
  readonly problem: RequestProblem;
  readonly heldBefore: readonly IpAddress[];
}

export class AddressBook {
  readonly #services: ReadonlyStore<Service>;
  readonly #scope: Pick<Scope, 'lbClass' | 'startedAt'>;
  readonly #listener: AddressBookListener;
  readonly #allocator = new IncrementalAllocator();
  /** Services that left us with an address of ours, whose status may still show it. */
  readonly #released = new Set<string>();
  /** Services that others answer for: looked at again when the pools change. */
  readonly #foreign = new Set<string>();
  /** Services whose status somebody else changes back whenever we write it. */
  readonly #surrendered = new Map<string, Surrender>();
  /** External IPs that are announced, and the Service that names each: nobody is given one. */
  #externalIps: ReadonlyMap<string, string> = new Map();
  /** Those of them that the allocator knows of. */
  #withheld: ReadonlyMap<string, string> = new Map();
  #pools: readonly Pool[] = [];
  /** Closed: what happens is only noted, because the pools in force are about to change. */
  #noted: Set<string> | undefined = new Set();
  /** What is to be done once the book is open. */
  #postponed: (() => void)[] = [];

  constructor(
    services: ReadonlyStore<Service>,
    scope: Pick<Scope, 'lbClass' | 'startedAt'>,
    listener: AddressBookListener,
  ) {
    this.#services = services;
    this.#scope = scope;
    this.#listener = listener;
  }

  decisionOf(key: string): Decision | undefined {
    const decision = this.#allocator.decisionOf(key);
    return (decision && this.#listener.worded?.(key, decision)) ?? decision;
  }
  holderOf(address: IpAddress): string | undefined {
    return this.#allocator.holderOf(address);
  }
  /** Whoever has the address, in no particular order. */
  holdersOf(address: IpAddress): readonly string[] {
    return [...this.#allocator.ledger.space.holdersOf(address)].map(({ request }) => request.key);
  }
  /** Whether somebody let go of the address, and it rests before another Service gets it. */
  isResting(address: IpAddress): boolean {
    return this.#allocator.ledger.space.withholdingOf(address)?.reason === 'CoolingDown';
  }
  requestOf(key: string): ServiceRequest | undefined {
    return this.#allocator.requestOf(key);
  }
  /** What Services of ours have of a pool, 'namespace/name'. */
  heldOf(pool: string): readonly { readonly service: string; readonly address: IpAddress }[] {
    return this.#allocator
      .holders()
      .filter(({ request }) => !request.isForeign)
      .flatMap(({ request, holding }) =>
        holding.parts
          .filter((part) => poolKey(part.pool) === pool)
          .flatMap(({ addresses }) => addresses.map((address) => ({ service: request.key, address }))),
      );
  }
  useOf(pool: string): PoolUse {
    return this.#allocator.useOf(pool);
  }
  reservationUse(key: string): ReservationUse {
    return reservationUse(key, this.#allocator.ledger);
  }
  quotaUse(key: string): readonly QuotaUse[] {
    return quotaUse(key, this.#allocator.ledger);
  }

  /** What Services hold: by their status until the book was opened, by decision since. */
  held(isLoaded: boolean): readonly HeldAddress[] {
    return isLoaded ? heldByDecision(this.#allocator) : this.#ours().filter(isOurWriting).flatMap(heldByStatus);
  }

  /**
   * Starts from what the status of every Service says.
   *
   * @param resting what Services let go of that others are not to get yet
   */
  load({ pools, reservations, quotas }: AddressRules, resting: readonly WithheldAddress[] = []): void {
    this.#pools = pools;
    this.#listener.poolsInForce?.(pools);
    const ours = this.#ours();
    const requests = ours.map((service) => this.#requestOf(service));
    const withheld = [...resting, ...[...this.#externalIps].flatMap(externalIp)];
    this.#tell(this.#allocator.load(pools, requests, { reservations, quotas, withheld }));
    this.#withheld = this.#externalIps;
    this.#listener.servicesConcerned(ours.map(keyOf));
    this.#open();
  }

  setConfig({ pools, reservations, quotas }: AddressRules): void {
    this.#pools = pools;
    this.#listener.poolsInForce?.(pools);
    this.#tell(this.#allocator.setConfig(pools, reservations, quotas));
    this.#open();
    for (const key of [...this.#foreign]) if (this.#isJudgedAnew(key)) this.serviceChanged(key);
  }

  /** From here on nobody is given one of these external IPs, and whoever has one keeps it; others are as free as before. */
  reserve(externalIps: readonly { readonly address: string; readonly service: string }[]): void {
    this.#externalIps = new Map(externalIps.map(({ address, service }) => [address, service]));
    if (!this.#noted) this.#withhold();
  }

  /** Gives the address to nobody; for AddressConflicts takes it from whoever has it, too. */
  withhold(address: IpAddress, why: Withholding): void {
    this.whenOpen(() => this.#tell(this.#allocator.withhold(address, why)));
  }
  /** The address may be given again, unless it is withheld for another reason by now. */
  restore(address: IpAddress, reason: Withholding['reason'] = 'AddressConflicts'): void {
    this.whenOpen(() => this.#tell(this.#allocator.restore(address, reason)));
  }

  /** What an external source gave for a Service; pools and Services by 'namespace/name'. */
  grant(pool: string, service: string, addresses: readonly IpAddress[]): void {
    this.#tell(this.#allocator.grant(pool, service, addresses));
  }
  refuse(pool: string, service: string, message: string): void {
    this.#tell(this.#allocator.refuse(pool, service, message));
  }

  /** Tries everybody who waits once more, though nothing that is known has changed. */
  retry(): void {
    this.whenOpen(() => this.#tell(this.#allocator.retry()));
  }

  /** Calls `act` when decisions are being made: at once, or when the pools that are about to change are in force. */
  whenOpen(act: () => void): void {
    if (this.#noted) this.#postponed.push(act);
    else act();
  }

  /** From here on nothing is decided until the pools are set, or `reopen`. */
  close(): void {
    this.#noted ??= new Set();
  }

  /** Goes on with the pools as they were. */
  reopen(): void {
    this.#open();
  }

  serviceChanged(key: string): void {
    if (this.#noted) {
      this.#noted.add(key);
      return;
    }
    const service = this.#services.get(key);
    if (service && isOurs(service, this.#scope.lbClass)) {
      this.#released.delete(key);
      this.#tell(this.#allocator.upsert(this.#requestOf(service)));
      // Even if nothing new was decided: somebody may have changed the status.
      this.#listener.servicesConcerned([key]);
      return;
    }
    if (this.#foreign.delete(key) || this.#allocator.decisionOf(key)?.outcome === 'Assigned') this.#released.add(key);
    this.#surrendered.delete(key);
    this.#tell(this.#allocator.remove(key));
  }

  /** From here on others answer for the Service, and nobody gets what it held; until it is deleted, or the term ends. */
  surrender(service: Service, problem: RequestProblem): void {
    const key = keyOf(service);
    const decision = this.#allocator.decisionOf(key);
    const heldBefore = decision?.outcome === 'Assigned' ? decision.addresses : [];
    this.#surrendered.set(key, { uid: service.metadata.uid, problem, heldBefore });
    this.serviceChanged(key);
  }

  /** How many Services others answer for, by reason. */
  foreignCounts(): { readonly notOurs: number; readonly contested: number } {
    const contested = this.#surrendered.size;
    return { contested, notOurs: this.#foreign.size - contested };
  }

  /** Whether the Service left us and its status may still show what we gave it. */
  isReleased(key: string): boolean {
    return this.#released.has(key);
  }

  /** Notes a Service that left us while nobody led. */
  noteReleased(key: string): void {
    this.#released.add(key);
    this.#listener.servicesConcerned([key]);
  }

  /** The status of a Service that left us is in order. */
  forgetReleased(key: string): void {
    this.#released.delete(key);
  }

  #ours(): readonly Service[] {
    return this.#services.list().filter((service) => isOurs(service, this.#scope.lbClass));
  }

  #requestOf(service: Service): ServiceRequest {
    const key = keyOf(service);
    const surrender = this.#surrendered.get(key);
    if (surrender && surrender.uid !== service.metadata.uid) this.#surrendered.delete(key);
    const { problem, heldBefore } = this.#surrendered.get(key) ?? { problem: this.#problemOf(service) };
    if (problem) this.#foreign.add(key);
    else this.#foreign.delete(key);
    const request = requestOf(service);
    return problem ? foreignRequest(request, problem, heldBefore) : request;
  }

  /** What lay in no pool may lie in one now. */
  #isJudgedAnew(key: string): boolean {
    const service = this.#services.get(key);
    if (!service || this.#surrendered.has(key)) return false;
    return this.#problemOf(service)?.message !== this.#allocator.requestOf(key)?.problem?.message;
  }

  /** A Service is judged when we become responsible for it; of one that is ours already our decision counts. */
  #problemOf(service: Service): RequestProblem | undefined {
    const known = this.#allocator.requestOf(keyOf(service));
    if (known && !known.isForeign) return undefined;
    // Without a beginning nobody can have written since.
    return adoptionProblem(service, { pools: this.#pools, startedAt: this.#scope.startedAt ?? '9' });
  }

  #open(): void {
    const noted = this.#noted ?? [];
    this.#noted = undefined;
    this.#withhold();
    for (const key of noted) this.serviceChanged(key);
    const postponed = this.#postponed;
    this.#postponed = [];
    for (const act of postponed) act();
  }

  #withhold(): void {
    const [before, after] = [this.#withheld, this.#externalIps];
    this.#withheld = after;
    const gone = [...before].filter(([address]) => !after.has(address));
    const come = [...after].filter(([address, service]) => before.get(address) !== service);
    for (const { address } of gone.flatMap(externalIp)) this.#tell(this.#allocator.restore(address, 'AddressInUse'));
    for (const { address, ...why } of come.flatMap(externalIp)) this.#tell(this.#allocator.withhold(address, why));
  }

  #tell({ services, pools, rested, wanted, released }: AllocationChange): void {
    if (services.size > 0) this.#listener.servicesConcerned(services);
    if (pools.size > 0) this.#listener.poolsUsed(pools);
    if (rested.length > 0) this.#listener.rested?.(rested);
    if (wanted.length > 0 || released.length > 0) this.#listener.claimsChanged?.({ wanted, released });
  }
}

function externalIp([text, service]: readonly [string, string]): readonly WithheldAddress[] {
  const address = parseIp(text);
  return address ? [{ address, reason: 'AddressInUse', message: `${text} is an external IP of ${service}.` }] : [];
}
