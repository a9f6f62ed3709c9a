/**
 * The allocator that runs: the same decisions as `allocate` applied after each event, at a cost that does not grow
 * with the number of Services.
 */

import type { Pool } from '../config/pool.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import { AddressSpace } from './address-space.ts';
import { holdingsOf } from './allocate.ts';
import { complete, type Holding, keepHeld, type Occupancy, takeFree } from './choose.ts';
import type { Decision } from './decision.ts';
import { PoolTable } from './pool-table.ts';
import { Reservations } from './reservations.ts';
import { byAgeThenKey, type ServiceRequest } from './service-request.ts';
import { Waiters, type Waiting } from './waiters.ts';
import { decisionOf } from './wording.ts';

/** Services whose decision, and pools whose use, an event changed. */
export interface AllocationChange {
  /** 'namespace/name' */
  readonly services: ReadonlySet<string>;
  /** 'namespace/name' */
  readonly pools: ReadonlySet<string>;
}

/** How many addresses of a pool Services hold. */
export interface PoolUse {
  readonly ipv4: number;
  readonly ipv6: number;
}

interface Entry extends Waiting {
  decision: Decision;
}

/** What one event touches, collected until everybody is served. */
class Turn {
  /** Whose request or holding was changed by the event itself. */
  readonly entries = new Set<Entry>();
  readonly touched: IpAddress[] = [];
  /** Pools that had nothing left of a family until the event, with these families: only that can help who waits. */
  readonly freed = new Map<Pool, Set<IpAddress['family']>>();
  readonly pools = new Set<string>();
}

export const poolKey = ({ namespace, name }: Pool): string => `${namespace}/${name}`;

export class IncrementalAllocator {
  #pools = new PoolTable([]);
  #space = new AddressSpace([]);
  #waiters = new Waiters(this.#pools);
  readonly #entries = new Map<string, Entry>();
  readonly #reservations = new Reservations<Entry>();
  readonly #use = new Map<string, { ipv4: number; ipv6: number }>();

  decisionOf(key: string): Decision | undefined {
    return this.#entries.get(key)?.decision;
  }

  requestOf(key: string): ServiceRequest | undefined {
    return this.#entries.get(key)?.request;
  }

  holderOf(address: IpAddress): string | undefined {
    return this.#space.holderOf(address);
  }

  /** The requests with what each holds by decision: what may not be taken away. */
  holders(): readonly { readonly request: ServiceRequest; readonly holding: Holding }[] {
    return [...this.#entries.values()].flatMap(({ request, holding }) => (holding ? [{ request, holding }] : []));
  }

  useOf(pool: string): PoolUse {
    return this.#use.get(pool) ?? { ipv4: 0, ipv6: 0 };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Starts from a snapshot: each request's `held` is what its status says. */
  load(pools: readonly Pool[], requests: readonly ServiceRequest[]): AllocationChange {
    return this.#rebuild(pools, requests);
  }

  /** Puts other pools in force; what they still permit stays. */
  setPools(pools: readonly Pool[]): AllocationChange {
    const requests = [...this.#entries.values()].map(({ request, holding }) => ({
      ...request,
      held: request.isForeign ? request.held : (holding?.addresses ?? []),
    }));
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
    const entry = this.#entries.get(key);
    const turn = new Turn();
    if (!entry) return this.#settle(turn);
    this.#dismiss(entry, turn);
    const { services, pools } = this.#settle(turn);
    return { services: new Set([...services, key]), pools };
  }

  #dismiss(entry: Entry, turn: Turn): void {
    this.#waiters.remove(entry);
    this.#hold(entry, undefined, turn);
    this.#entries.delete(entry.request.key);
    this.#reservations.delete(entry);
    turn.entries.delete(entry);
  }

  #rebuild(pools: readonly Pool[], requests: readonly ServiceRequest[]): AllocationChange {
    const before = new Map([...this.#entries].map(([key, { decision }]) => [key, decision]));
    const usedBefore = [...this.#use.keys()];
    this.#pools = new PoolTable(pools);
    this.#space = new AddressSpace(this.#pools.live);
    this.#waiters = new Waiters(this.#pools);
    this.#entries.clear();
    this.#reservations.clear();
    this.#use.clear();
    const oldestFirst = requests.toSorted(byAgeThenKey);
    const holdings = holdingsOf(oldestFirst, this.#pools);
    const turn = new Turn();
    for (const request of oldestFirst) {
      const entry: Entry = { request, decision: UNDECIDED };
      this.#entries.set(request.key, entry);
      if (request.isForeign) this.#reservations.add(entry);
      this.#hold(entry, holdings.get(request.key), turn);
    }
    const services = new Set<string>();
    for (const entry of this.#entries.values()) {
      this.#waiters.add(entry);
      this.#decide(entry, before.get(entry.request.key) ?? UNDECIDED, services);
    }
    return { services, pools: new Set([...usedBefore, ...pools.map(poolKey)]) };
  }

  /** A Service never seen before may hold, by its status, what a younger one was given: the older keeps it. */
  #admit(request: ServiceRequest, turn: Turn): void {
    const entry: Entry = { request, decision: UNDECIDED };
    this.#entries.set(request.key, entry);
    turn.entries.add(entry);
    if (request.isForeign) {
      this.#reservations.add(entry);
      return;
    }
    const kept = keepHeld(request, this.#pools, this.#asSeenBy(request));
    for (const address of kept?.addresses ?? []) {
      const loser = this.#entries.get(this.#space.holderOf(address) ?? '');
      if (loser) this.#lose(loser, address, turn);
    }
    this.#hold(entry, kept, turn);
  }

  #lose(loser: Entry, lost: IpAddress, turn: Turn): void {
    this.#waiters.remove(loser);
    const left = (loser.holding?.addresses ?? []).filter((address) => !isSame(address, lost));
    this.#hold(loser, loser.holding && left.length > 0 ? { ...loser.holding, addresses: left } : undefined, turn);
    turn.entries.add(loser);
  }

  /** To an older Service, what a younger one holds counts as free; so does to ours what is not ours. */
  #asSeenBy(request: ServiceRequest): Occupancy {
    const holderOf = (address: IpAddress): string | undefined => {
      const holder = this.#entries.get(this.#space.holderOf(address) ?? '');
      return holder && !holder.request.isForeign && byAgeThenKey(holder.request, request) < 0
        ? holder.request.key
        : undefined;
    };
    return { holderOf, firstFree: (pool, family) => this.#space.firstFree(pool, family) };
  }

  #change(entry: Entry, request: ServiceRequest, turn: Turn): void {
    this.#waiters.remove(entry);
    turn.entries.add(entry);
    if (request.isForeign) {
      this.#hold(entry, undefined, turn);
      entry.request = request;
      this.#reservations.add(entry);
      return;
    }
    entry.request = { ...request, held: entry.holding?.addresses ?? [] };
    this.#hold(entry, keepHeld(entry.request, this.#pools, this.#space), turn);
  }

  /** Serves, oldest first, whoever the event concerns: those it changed, and those who wait for what became free. */
  #settle(turn: Turn): AllocationChange {
    this.#reserve(turn);
    for (const entry of this.#askingFor(turn.touched)) turn.entries.add(entry);
    const served: Entry[] = [];
    let hasRoom = true;
    let pending = turn.entries.size;
    for (const entry of this.#waiters.inOrder([...turn.entries], turn.freed.keys()) as Iterable<Entry>) {
      const isConcerned = turn.entries.has(entry);
      // Room only shrinks here: once it is gone, those who merely wait need not be asked.
      hasRoom &&= isConcerned || this.#hasRoom(turn);
      if (!hasRoom && pending === 0) break;
      if (isConcerned) pending -= 1;
      if ((isConcerned || hasRoom) && this.#serve(entry, turn)) served.push(entry);
    }
    return this.#conclude(turn, served);
  }

  /** Keeps what Services show that are not ours from everybody. */
  #reserve(turn: Turn): void {
    if (!this.#reservations.areConcerned(turn.entries, turn.touched)) return;
    const ourHolderOf = (address: IpAddress): string | undefined => {
      const holder = this.#entries.get(this.#space.holderOf(address) ?? '');
      return holder?.request.isForeign ? undefined : holder?.request.key;
    };
    const changed = this.#reservations.changes(this.#pools, ourHolderOf);
    for (const [entry] of changed) this.#hold(entry, undefined, turn);
    for (const [entry, next] of changed) this.#hold(entry, next, turn);
  }

  #askingFor(addresses: readonly IpAddress[]): readonly Entry[] {
    return addresses.flatMap((address) => this.#waiters.forAddress(address) as readonly Entry[]);
  }

  #hasRoom({ freed }: Turn): boolean {
    return [...freed].some(([pool, families]) => [...families].some((family) => this.#space.firstFree(pool, family)));
  }

  /** Whether the entry got an address. */
  #serve(entry: Entry, turn: Turn): boolean {
    const { request, holding } = entry;
    const next = holding ? complete(request, holding, this.#space) : takeFree(request, this.#pools, this.#space);
    if (next === holding) return false;
    this.#hold(entry, next, turn);
    return true;
  }

  #conclude(turn: Turn, served: readonly Entry[]): AllocationChange {
    const services = new Set<string>();
    const concerned = new Set([...turn.entries, ...served]);
    for (const entry of concerned) {
      this.#waiters.remove(entry);
      this.#waiters.add(entry);
    }
    // Whoever waits for an address that changed hands is told who has it now.
    for (const entry of this.#askingFor(turn.touched)) concerned.add(entry);
    for (const entry of concerned) this.#decide(entry, entry.decision, services);
    return { services, pools: turn.pools };
  }

  #decide(entry: Entry, before: Decision, changed: Set<string>): void {
    entry.decision = decisionOf(entry.request, entry.holding, this.#pools, this.#space);
    if (!isSameDecision(before, entry.decision)) changed.add(entry.request.key);
  }

  /** Moves the books from what the entry has to `next`. */
  #hold(entry: Entry, next: Holding | undefined, turn: Turn): void {
    const { key } = entry.request;
    const before = entry.holding?.addresses ?? [];
    const after = next?.addresses ?? [];
    for (const address of without(before, after)) this.#giveBack(address, key, turn);
    for (const address of without(after, before)) {
      turn.touched.push(address);
      this.#space.claim(address, key);
    }
    this.#count(entry.holding, -1, turn);
    this.#count(next, 1, turn);
    if (next) entry.holding = next;
    else delete entry.holding;
  }

  #giveBack(address: IpAddress, key: string, { touched, freed }: Turn): void {
    touched.push(address);
    if (this.#space.holderOf(address) !== key) return;
    for (const pool of this.#space.poolsWith(address))
      if (!this.#space.firstFree(pool, address.family))
        freed.set(pool, (freed.get(pool) ?? new Set()).add(address.family));
    this.#space.release(address);
  }

  #count(holding: Holding | undefined, sign: 1 | -1, { pools }: Turn): void {
    if (!holding) return;
    const key = poolKey(holding.pool);
    const use = this.#use.get(key) ?? { ipv4: 0, ipv6: 0 };
    for (const { family } of holding.addresses) use[family === 4 ? 'ipv4' : 'ipv6'] += sign;
    this.#use.set(key, use);
    pools.add(key);
  }
}

/** What is said of a Service before anything is decided; it differs from every decision. */
const UNDECIDED: Decision = { outcome: 'Unassigned', reason: 'NoPool', message: '', rejections: [] };

/** The addresses of `list` that are not in `others`. */
const without = (list: readonly IpAddress[], others: readonly IpAddress[]): readonly IpAddress[] =>
  list.filter((address) => !others.some((other) => isSame(address, other)));

const isSame = (a: IpAddress, b: IpAddress): boolean => a.family === b.family && a.value === b.value;

/** Whether two decisions say the same. */
export function isSameDecision(a: Decision, b: Decision): boolean {
  if (a.outcome !== b.outcome || a.reason !== b.reason || a.message !== b.message) return false;
  const factsOf = (decision: Decision): string =>
    decision.outcome === 'Assigned'
      ? `${decision.pool} ${decision.addresses.map(formatIp).join(' ')}`
      : decision.rejections.map(({ pool, reason, message }) => `${pool} ${reason} ${message}`).join('\n');
  return factsOf(a) === factsOf(b);
}
