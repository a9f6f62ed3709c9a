/**
 * The allocator that runs: the same decisions as `allocate` applied after each event, at a cost that does not grow
 * with the number of Services.
 */

import type { Pool } from '../config/pool.ts';
import type { Quota } from '../config/quota.ts';
import type { Reservation } from '../config/reservation.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import { oldestFirst, settle } from './allocate.ts';
import { type Circumstances, type ClaimAnswer, claimKey, NO_CIRCUMSTANCES, type Withholding } from './circumstances.ts';
import type { Decision } from './decision.ts';
import { ForeignServices } from './foreign-services.ts';
import { addressesOf, type Holder, type Holding, isSameAddress } from './holding.ts';
import { keepHeld } from './keep.ts';
import { Ledger, poolKey } from './ledger.ts';
import { type Departure, departuresOf, letGo, restAll } from './rest.ts';
import { byAgeThenKey, type ServiceRequest } from './service-request.ts';
import { type AllocationChange, joined, NO_CHANGE, type ReturnedAddress, Saying, settleTurn } from './turn.ts';
import { type Entry, WaitingClasses } from './waiting-classes.ts';

/** How many addresses of a pool Services hold; one that several share counts once. */
export type PoolUse = ReturnType<Ledger['useOf']>;

/** What an event touches, collected until everybody is served. */
class Turn {
  /** Whose request or holding was changed by the event itself. */
  readonly entries = new Set<Entry>();
  readonly departures: Departure[] = [];
}

export class IncrementalAllocator {
  #circumstances: Circumstances = NO_CIRCUMSTANCES;
  #ledger = new Ledger([], NO_CIRCUMSTANCES);
  #classes = new WaitingClasses(this.#ledger);
  readonly #entries = new Map<string, Entry>();
  readonly #foreign = new ForeignServices<Entry>();
  /** Pools that ever had an external source: what they gave goes back there. */
  readonly #sourced = new Set<string>();
  #turn = 0;

  decisionOf(key: string): Decision | undefined {
    return this.#entries.get(key)?.decision;
  }
  requestOf(key: string): ServiceRequest | undefined {
    return this.#entries.get(key)?.request;
  }

  /** A Service that has the address, the oldest if several share it. */
  holderOf(address: IpAddress): string | undefined {
    const [oldest] = [...this.#ledger.space.holdersOf(address)].sort((a, b) => byAgeThenKey(a.request, b.request));
    return oldest?.request.key;
  }

  /** The requests with what each holds by decision: what may not be taken away. */
  holders(): readonly { readonly request: ServiceRequest; readonly holding: Holding }[] {
    return [...this.#entries.values()].flatMap(({ request, holding }) => (holding ? [{ request, holding }] : []));
  }

  useOf(pool: string): PoolUse {
    return this.#ledger.useOf(pool);
  }
  get size(): number {
    return this.#entries.size;
  }
  /** The books, to read from. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** Starts from a snapshot: each request's `held` is what its status says. */
  load(
    pools: readonly Pool[],
    requests: readonly ServiceRequest[],
    circumstances: Partial<Circumstances> = {},
  ): AllocationChange {
    this.#circumstances = { ...NO_CIRCUMSTANCES, ...circumstances };
    return this.#rebuild(pools, requests);
  }

  /** Puts another configuration in force; what it still permits stays. */
  setConfig(pools: readonly Pool[], reservations: readonly Reservation[], quotas: readonly Quota[]): AllocationChange {
    const requests = [...this.#entries.values()].map(({ request, holding }) =>
      request.isForeign ? request : { ...request, held: addressesOf(holding) },
    );
    this.#circumstances = { ...this.#ledger.memory, reservations, quotas };
    return this.#rebuild(pools, requests);
  }

  /** Adds a Service or changes its request. Of one that is known, what was decided is held, whatever its status says. */
  upsert(request: ServiceRequest): AllocationChange {
    const turn = new Turn();
    const known = this.#entries.get(request.key);
    if (!known) this.#admit(request, turn);
    else if (known.request.isForeign && !request.isForeign) {
      // It becomes ours: from here on it is like one never seen before.
      this.#dismiss(known, turn);
      this.#admit(request, turn);
    } else this.#change(known, request, turn);
    return this.#settle(turn);
  }

  remove(key: string): AllocationChange {
    const turn = new Turn();
    const entry = this.#entries.get(key);
    if (!entry) return this.#settle(turn);
    this.#dismiss(entry, turn);
    for (const pool of this.#sourced) this.#ledger.claims.delete(claimKey(pool, key));
    const change = this.#settle(turn);
    return { ...change, services: new Set([...change.services, key]) };
  }

  /** From here on nobody gets the address; `AddressConflicts` takes it from whoever has it, too. */
  withhold(address: IpAddress, why: Withholding): AllocationChange {
    const turn = new Turn();
    this.#ledger.withhold(address, why);
    if (why.reason === 'AddressConflicts')
      for (const { request } of [...this.#ledger.space.holdersOf(address)]) this.#changeKnown(request.key, turn);
    if (why.service !== undefined) this.#changeKnown(why.service, turn);
    return this.#settle(turn);
  }

  /** The address may be given again; one that is not withheld, or by now for another reason, stays as it is. */
  restore(address: IpAddress, reason: Withholding['reason']): AllocationChange {
    const turn = new Turn();
    const why = this.#ledger.space.withholdingOf(address);
    if (why?.reason !== reason) return NO_CHANGE;
    const { service } = why;
    this.#ledger.restore(address);
    if (service !== undefined) this.#changeKnown(service, turn);
    return this.#settle(turn);
  }

  /** An external source gave addresses for the Service. What it has no use for is in `released`. */
  grant(pool: string, service: string, addresses: readonly IpAddress[]): AllocationChange {
    const before = addressesOf(this.#entries.get(service)?.holding).length;
    const given = this.#answer(pool, service, { addresses });
    if (!given) return { ...NO_CHANGE, released: addresses.map((address) => ({ pool, serviceKey: service, address })) };
    this.#ledger.claims.delete(claimKey(pool, service));
    const has = addressesOf(this.#entries.get(service)?.holding);
    const unused = addresses.filter((address) => !has.some((one) => isSameAddress(one, address)));
    const released = unused.map((address) => ({ pool, serviceKey: service, address }));
    const isOfUse = has.length > before || unused.length < addresses.length;
    // Asked again it would give the same again, so it counts as a refusal until somebody tries anew.
    const texts = addresses.map(formatIp).join(' and ') || 'nothing';
    const later = isOfUse
      ? this.#asked(service)
      : this.refuse(pool, service, `The source gave ${texts}, which the Service cannot have.`);
    return joined(joined(given, later), { ...NO_CHANGE, released });
  }

  /** The external source of the pool gives the Service nothing: it goes on to the next pool. */
  refuse(pool: string, service: string, message: string): AllocationChange {
    return this.#answer(pool, service, { refusal: message }) ?? NO_CHANGE;
  }

  /** Undefined where nobody asked. */
  #answer(pool: string, service: string, answer: ClaimAnswer): AllocationChange | undefined {
    const isSource = this.#ledger.pools.live.some((one) => one.source && poolKey(one) === pool);
    if (!isSource || !this.#entries.has(service)) return undefined;
    this.#ledger.claims.set(claimKey(pool, service), answer);
    return this.#asked(service);
  }

  /** Tries everybody who waits again, and forgets what external sources have refused. */
  retry(): AllocationChange {
    const turn = new Turn();
    this.#ledger.claims.clear();
    for (const entry of this.#classes.entries()) turn.entries.add(entry);
    return this.#settle(turn);
  }

  #asked(service: string): AllocationChange {
    const turn = new Turn();
    const entry = this.#entries.get(service);
    if (entry) turn.entries.add(entry);
    return this.#settle(turn);
  }

  /** A Service never seen before may hold, by its status, what a younger one was given: the older keeps it. */
  #admit(request: ServiceRequest, turn: Turn): void {
    const entry: Entry = { request, decision: UNDECIDED };
    this.#entries.set(request.key, entry);
    turn.entries.add(entry);
    if (request.isForeign) {
      this.#foreign.add(entry);
      return;
    }
    turn.departures.push(...letGo(request));
    const isBefore = ({ request: other }: Holder): boolean => !other.isForeign && byAgeThenKey(other, request) < 0;
    const kept = keepHeld(request, this.#ledger, isBefore);
    for (const { pool, addresses } of kept?.parts ?? [])
      for (const address of addresses)
        for (const loser of this.#ledger.obstructorsOf(address, request, pool))
          this.#lose(this.#entries.get(loser.request.key), address, turn);
    this.#ledger.hold(entry, kept);
  }

  #lose(loser: Entry | undefined, lost: IpAddress, turn: Turn): void {
    if (!loser) return;
    this.#classes.unfile(loser);
    turn.entries.add(loser);
    const parts = (loser.holding?.parts ?? [])
      .map(({ pool, addresses }) => ({ pool, addresses: addresses.filter((one) => !isSameAddress(one, lost)) }))
      .filter(({ addresses }) => addresses.length > 0);
    this.#ledger.hold(loser, parts.length > 0 ? { parts } : undefined);
  }

  #changeKnown(key: string, turn: Turn): void {
    const entry = this.#entries.get(key);
    if (entry && !entry.request.isForeign) this.#change(entry, entry.request, turn);
  }

  /** Who changes gives way: what it holds it keeps only as far as nobody else is in the way. */
  #change(entry: Entry, request: ServiceRequest, turn: Turn): void {
    const held = this.#empty(entry, turn);
    turn.entries.add(entry);
    if (request.isForeign) {
      entry.request = request;
      this.#foreign.add(entry);
      return;
    }
    entry.request = { ...request, held };
    this.#ledger.hold(entry, keepHeld(entry.request, this.#ledger));
  }

  #dismiss(entry: Entry, turn: Turn): void {
    this.#empty(entry, turn);
    this.#entries.delete(entry.request.key);
    this.#ledger.standings.forget(entry.request.key);
    this.#foreign.delete(entry);
    turn.entries.delete(entry);
  }

  /** Takes everything out of the books that the entry has, and returns it. */
  #empty(entry: Entry, turn: Turn): readonly IpAddress[] {
    this.#classes.unfile(entry);
    const held = addressesOf(entry.holding);
    turn.departures.push(...departuresOf(entry));
    this.#ledger.hold(entry, undefined);
    return held;
  }

  #settle({ entries, departures }: Turn): AllocationChange {
    this.#turn += 1;
    if (this.#foreign.areConcerned(entries, this.#ledger.touches.addresses)) this.#foreign.settle(this.#ledger);
    const rested = restAll(departures, this.#turn, this.#ledger);
    // Whoever may have a resting address before the others waits for something else than they do.
    for (const { service } of rested) {
      const owner = this.#entries.get(service);
      if (owner) entries.add(owner);
    }
    return { ...settleTurn(entries, this.#ledger, this.#classes), rested, released: this.#returned(departures) };
  }

  /** What nobody has any more of that came from an external source. */
  #returned(departures: readonly Departure[]): readonly ReturnedAddress[] {
    if (this.#sourced.size === 0) return [];
    return departures.flatMap(({ address, service, pool = this.#ledger.space.areaOf(address)?.pool }) =>
      pool && this.#sourced.has(poolKey(pool)) && !this.#ledger.space.isHeld(address)
        ? { pool: poolKey(pool), serviceKey: service, address }
        : [],
    );
  }

  #rebuild(pools: readonly Pool[], requests: readonly ServiceRequest[]): AllocationChange {
    const decided = new Map([...this.#entries].map(([key, { decision }]) => [key, decision]));
    const usedBefore = [...this.#ledger.poolsInUse];
    const departures = [...this.#entries.values()].flatMap(departuresOf);
    this.#turn += 1;
    this.#ledger = new Ledger(pools, this.#circumstances);
    this.#classes = new WaitingClasses(this.#ledger);
    for (const pool of pools) if (pool.source) this.#sourced.add(poolKey(pool));
    const entries = oldestFirst(requests).map((holder): Entry => Object.assign(holder, { decision: UNDECIDED }));
    const rested = settle(entries, this.#ledger, [], this.#turn);
    this.#ledger.takeTouches();
    const { services, wanted } = this.#enter(entries, decided);
    const used = new Set([...usedBefore, ...pools.map(poolKey)]);
    return { services, pools: used, rested, released: this.#returned(departures), wanted };
  }

  /** Files everybody anew, and says what was decided. */
  #enter(entries: readonly Entry[], decided: ReadonlyMap<string, Decision>): Saying {
    const said = new Saying(this.#ledger);
    this.#entries.clear();
    this.#foreign.clear();
    for (const entry of entries) {
      this.#entries.set(entry.request.key, entry);
      if (entry.request.isForeign) this.#foreign.add(entry);
      entry.decision = decided.get(entry.request.key) ?? UNDECIDED;
      this.#classes.file(entry);
      said.ofEntry(entry);
    }
    return said;
  }
}

/** What is said of a Service before anything is decided; it differs from every decision. */
const UNDECIDED: Decision = { outcome: 'Unassigned', reason: 'NoPool', message: '', rejections: [] };
