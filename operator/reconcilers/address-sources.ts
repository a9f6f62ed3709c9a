/**
 * Claims addresses from external sources for the Services that wait for them, and gives back what nobody needs. What a
 * source says is the truth about claims; nothing is kept here that a new leader could not learn from it.
 *
 *   wanted ---> claim ---> in the pool, nobody else's? ---> grant      released ---> release, until it succeeds
 *                             \--- no ---> release, refuse             each term and from time to time ---> audit
 */

import type { Decision } from '../allocator/decision.ts';
import type { Family } from '../allocator/service-request.ts';
import type { BackoffOptions } from '../cluster/backoff.ts';
import { keyOf } from '../cluster/objects.ts';
import type { Pool } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import { formatRange } from '../net/range.ts';
import type { Logger } from '../observability/log.ts';
import type { AddressSource, Claim, ClaimAnswer } from '../sources/address-source.ts';
import { type Answer, type Ask, Asks, RefusedAsks } from './asks.ts';
import { ClaimAudit, LIST } from './claim-audit.ts';
import { claimFault } from './claim-fault.ts';
import { claimOf } from './claim-id.ts';
import type { ClaimChange, ClaimTaker, SourceWorld } from './claim-taker.ts';
import { type ClaimRecord, Claims, isForAnother } from './claims.ts';
import { inOrder } from './in-order.ts';
import { SourceLine } from './source-line.ts';

/** How often claims and Services are held against each other. */
const LIST_EVERY_MS = 10 * 60_000;
/** How often it is looked whether an address has rested (spec.coolDown) and goes back. */
const REST_CHECK_MS = 1_000;

export interface AddressSourcesOptions {
  readonly log: Logger;
  /** Called with Services whose condition may have to say something else. */
  readonly concerned: (services: readonly string[]) => void;
  readonly backoff?: BackoffOptions | undefined;
  readonly listEveryMs?: number | undefined;
}

/** What is known of the claims of one pool. */
export interface SourceReport {
  /** 'namespace/name' */
  readonly pool: string;
  readonly isUp: boolean;
  readonly claims: Readonly<Record<'Granted' | 'Pending' | 'Releasing', number>>;
}

export class AddressSources {
  readonly #world: SourceWorld;
  readonly #book: ClaimTaker;
  readonly #options: AddressSourcesOptions;
  readonly #claims = new Claims();
  readonly #asks = new Asks();
  readonly #refused = new RefusedAsks();
  readonly #audit: ClaimAudit;
  /** By pool. */
  readonly #lines = new Map<string, SourceLine>();
  /** Of pools that are gone or have another source: only what is to be released goes on. */
  readonly #leaving = new Set<SourceLine>();
  readonly #running: Promise<void>[] = [];
  #signal: AbortSignal | undefined;

  constructor(world: SourceWorld, book: ClaimTaker, options: AddressSourcesOptions) {
    this.#world = world;
    this.#book = book;
    this.#options = options;
    this.#audit = new ClaimAudit({
      world,
      book,
      claims: this.#claims,
      hasLine: (pool) => this.#lines.has(pool),
    });
  }

  /** Takes note of the pools, before the allocator decides with them. */
  configure(pools: readonly Pool[]): void {
    // Of a live pool and a remnant of one name the live one, which comes first.
    const withSource = new Map(
      pools
        .filter(({ source }) => source?.http)
        .map((pool): [string, Pool] => [`${pool.namespace}/${pool.name}`, pool])
        .reverse(),
    );
    for (const [key, line] of this.#lines) {
      const pool = withSource.get(key);
      if (pool?.source?.http?.url === line.pool.source?.http?.url && pool) line.update(pool);
      else this.#leave(line);
    }
    for (const [key, pool] of withSource) if (!this.#lines.has(key)) this.#begin(pool);
  }

  /** Takes note of what the allocator decided. */
  told({ wanted, released }: ClaimChange): void {
    for (const { pool, serviceKey, address } of released) this.#giveBack(pool, serviceKey, address);
    for (const { pool, serviceKey, families } of wanted) this.#ask(pool, serviceKey, families);
  }

  /** Works until `signal` aborts; resolves when no request is under way any more. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const line of [...this.#lines.values(), ...this.#leaving]) this.#running.push(line.run(signal));
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.all(this.#running);
  }

  /** The decision with the reason why the source does not answer, where the Service waits for that. */
  worded(service: string, decision: Decision): Decision {
    if (decision.outcome === 'Assigned' || decision.reason !== 'AddressPending') return decision;
    for (const { pool, answers } of this.#asks.ofService(service)) {
      const line = this.#lines.get(pool);
      const words = [...answers.keys()].map((id) => line?.problemOf(id)).find((problem) => problem !== undefined);
      if (line && words !== undefined) {
        const message = `The source of pool ${line.pool.name} cannot be used: ${words}. It is asked again and again.`;
        return { ...decision, reason: 'SourceUnreachable', message };
      }
    }
    return decision;
  }

  report(): readonly SourceReport[] {
    return [...this.#lines].map(([pool, line]) => {
      const records = this.#claims.of(line);
      const releasing = records.filter(({ wants }) => wants === 'Release').length;
      const granted = records.filter(({ wants, address }) => wants === 'Claim' && address).length;
      const claims = { Granted: granted, Pending: records.length - granted - releasing, Releasing: releasing };
      return { pool, isUp: line.isUp, claims };
    });
  }

  #begin(pool: Pool): void {
    const line: SourceLine = new SourceLine(pool, {
      open: (current) => this.#world.sources.open(current),
      work: (key, source, signal) => this.#work(line, key, source, signal),
      changed: () => this.#options.concerned(this.#asks.of(line.key).map(({ service }) => service)),
      clock: () => this.#world.clock(),
      log: this.#options.log,
      backoff: this.#options.backoff,
    });
    this.#lines.set(line.key, line);
    line.add(LIST);
    if (this.#signal) this.#running.push(line.run(this.#signal));
  }

  /** What Services hold stays claimed at a source that the pool does not name any more; what they wait for does not. */
  #leave(line: SourceLine): void {
    this.#lines.delete(line.key);
    this.#leaving.add(line);
    for (const ask of this.#asks.of(line.key)) this.#asks.delete(ask);
    for (const record of this.#claims.of(line))
      if (this.#isHeld(record)) this.#claims.delete(record.claim.id);
      else this.#release(record);
    this.#dismissIfIdle(line);
  }

  #dismissIfIdle(line: SourceLine): void {
    if (!this.#leaving.has(line) || this.#claims.of(line).length > 0) return;
    this.#leaving.delete(line);
    line.stop();
  }

  #ask(pool: string, serviceKey: string, families: readonly Family[]): void {
    const line = this.#lines.get(pool);
    const service = this.#world.stores.services.get(serviceKey);
    if (!line || !service) return;
    this.#refused.delete(pool, serviceKey);
    const requested = this.#book.requestOf(serviceKey)?.requestedAddresses;
    const records = families.map((family) => {
      const claim = claimOf(this.#audit.cluster(), line.key, service, family);
      const known = this.#claims.get(claim.id);
      // One that is being given back to the former source of the pool is none of this one.
      const record = known?.line === line ? known : this.#record(line, claim);
      record.wants = 'Claim';
      record.isConfirmed = false;
      record.exact = requested?.find((address) => address.family === family);
      return record;
    });
    this.#asks.put({
      pool,
      service: serviceKey,
      families,
      answers: new Map(records.map(({ claim }) => [claim.id, undefined])),
    });
    for (const { claim } of records) line.add(claim.id);
  }

  #giveBack(pool: string, serviceKey: string, address: IpAddress): void {
    const line = this.#lines.get(pool);
    if (!line) return;
    const service = this.#world.stores.services.get(serviceKey);
    const known =
      this.#claims.withAddress(line, address) ??
      (service && this.#record(line, claimOf(this.#audit.cluster(), pool, service, address.family)));
    // Whose it was nobody knows any more where there is none: the list has it.
    if (known) this.#release(Object.assign(known, { isFreed: true }));
    else line.add(LIST);
  }

  #record(line: SourceLine, claim: Claim): ClaimRecord {
    return this.#claims.put({ claim, line, wants: 'Claim', isConfirmed: false, since: this.#audit.lists });
  }

  #release(record: ClaimRecord): void {
    record.wants = 'Release';
    record.isConfirmed = false;
    record.line.add(record.claim.id);
  }

  async #work(line: SourceLine, key: string, source: AddressSource, signal: AbortSignal): Promise<number | undefined> {
    if (key === LIST) {
      // What a pool holds is claimed at the source that it has now.
      if (this.#leaving.has(line) && this.#lines.has(line.key)) return undefined;
      await this.#audit.run(line, source, signal);
      return this.#options.listEveryMs ?? LIST_EVERY_MS;
    }
    const record = this.#claims.get(key);
    if (record?.line === line) return this.#workOn(record, source, signal);
    this.#dismissIfIdle(line);
    return undefined;
  }

  async #workOn(record: ClaimRecord, source: AddressSource, signal: AbortSignal): Promise<number | undefined> {
    if (record.wants === 'Claim' && !this.#isLiving(record) && !this.#isHeld(record)) this.#release(record);
    // The source would give it to somebody else at once.
    const isGivenBack = record.wants === 'Release' || isForAnother(record);
    if (isGivenBack && record.address && this.#book.isResting(record.address)) return REST_CHECK_MS;
    if (record.wants === 'Release') await this.#sendRelease(record, source, signal);
    else if (!record.isConfirmed) await this.#sendClaim(record, source, signal);
    return undefined;
  }

  async #sendRelease(record: ClaimRecord, source: AddressSource, signal: AbortSignal): Promise<void> {
    const { claim, line } = record;
    await inOrder(this.#world.sources, (order) => source.release(claim.id, order, signal));
    // Wanted again meanwhile: the queue has it already.
    if (record.wants === 'Release') this.#claims.delete(claim.id);
    if (record.isFreed) this.#askForRefused(line);
    this.#dismissIfIdle(line);
  }

  #askForRefused({ key }: SourceLine): void {
    const refused = this.#refused.take(key, ({ service }) => this.#book.requestOf(service) !== undefined);
    if (refused) this.#ask(key, refused.service, refused.families);
  }

  async #sendClaim(record: ClaimRecord, source: AddressSource, signal: AbortSignal): Promise<void> {
    const { claim, line } = record;
    const sharer = this.#sharerOf(record);
    if (sharer !== undefined) {
      record.exact = record.address;
      this.#conclude(record, { refusal: `its claim is that of an address which ${sharer} shares and still has` });
      return;
    }
    // A claim has one address: the former goes back before another one is asked for.
    if (isForAnother(record)) {
      await inOrder(this.#world.sources, (order) => source.release(claim.id, order, signal));
      this.#claims.setAddress(record, undefined);
      this.#askForRefused(line);
    }
    const within = line.pool.ranges.filter(({ first }) => first.family === claim.family).map(formatRange);
    const address = record.exact;
    const answer = await inOrder(this.#world.sources, (order) =>
      source.claim({ ...claim, order, within, address }, signal),
    );
    // Not wanted any more: the queue has it already, and what was given goes back.
    if (record.wants === 'Claim') await this.#answered(record, answer, source, signal);
  }

  async #answered(record: ClaimRecord, answer: ClaimAnswer, source: AddressSource, signal: AbortSignal): Promise<void> {
    const { claim } = record;
    const fault =
      answer.outcome === 'Refused' ? answer.message : claimFault(record, answer.address, this.#claims, this.#book);
    if (fault === undefined && answer.outcome === 'Granted') {
      this.#claims.setAddress(record, answer.address);
      record.isConfirmed = true;
      record.dispute = undefined;
      this.#conclude(record, { address: answer.address });
      return;
    }
    if (answer.outcome === 'Granted')
      await inOrder(this.#world.sources, (order) => source.release(claim.id, order, signal));
    const refusal = fault ?? '';
    if (this.#isHeld(record)) this.#audit.dispute(record, refusal);
    else if (record.wants === 'Claim') this.#claims.delete(claim.id);
    this.#conclude(record, { refusal });
  }

  /** Tells the allocator when every family has its answer. */
  #conclude(record: ClaimRecord, answer: Answer): void {
    const { claim, line } = record;
    const where = { pool: line.key, service: keyOf({ metadata: claim.service }) };
    const ask = this.#asks.answer(where, claim.id, answer);
    if (ask) this.#book.whenOpen(() => this.#finish(ask, line));
    else if (record.wants === 'Claim' && !this.#asks.waitsFor(where, claim.id)) this.#releaseUnlessHeld(record);
  }

  #finish(ask: Ask, line: SourceLine): void {
    const { pool, service, answers } = ask;
    const all = [...answers.values()].filter((answer) => answer !== undefined);
    const granted = all.flatMap((answer) => ('address' in answer ? answer.address : []));
    const refusals = all.flatMap((answer) => ('refusal' in answer ? answer.refusal : []));
    const isEnough = refusals.length === 0 || this.#book.requestOf(service)?.isOneFamilyEnough === true;
    if (granted.length > 0 && isEnough) this.#book.grant(pool, service, granted);
    else {
      this.#refused.add(ask);
      this.#book.refuse(pool, service, sentence(`The source refuses: ${[...new Set(refusals)].join('; ')}`));
    }
    for (const address of granted) {
      const record = this.#claims.withAddress(line, address);
      if (record) this.#releaseUnlessHeld(record);
    }
  }

  #releaseUnlessHeld(record: ClaimRecord): void {
    if (record.address && !this.#isHeld(record)) this.#release(record);
  }

  /** Whether the Service that the claim was made for is still the same one. */
  #isLiving({ claim: { service } }: ClaimRecord): boolean {
    return this.#world.stores.services.get(keyOf({ metadata: service }))?.metadata.uid === service.uid;
  }

  /** Whoever has what the claim has while the Service that made it waits for another address. */
  #sharerOf({ claim, line, address }: ClaimRecord): string | undefined {
    const service = keyOf({ metadata: claim.service });
    if (!address || !this.#asks.waitsFor({ pool: line.key, service }, claim.id)) return undefined;
    return this.#book.holdersOf(address).find((key) => key !== service);
  }

  #isHeld({ address }: ClaimRecord): boolean {
    return address !== undefined && this.#book.holdersOf(address).length > 0;
  }
}

const sentence = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`);
