/**
 * Services that lack something, filed by all that decides whether they can be served. Of one class either the oldest
 * can be served or nobody: an event asks as many as it serves, and one more of each class that it may concern.
 */

import { formatIp, type IpAddress } from '../net/address.ts';
import type { Area } from './area.ts';
import { claimKey } from './circumstances.ts';
import type { Decision } from './decision.ts';
import type { DistinctCounter } from './distinct-counter.ts';
import { type Holder, isWhole, missingFamilies } from './holding.ts';
import { type Ledger, poolKey } from './ledger.ts';
import { byAgeThenKey, type ServiceRequest } from './service-request.ts';
import { SortedList } from './sorted-list.ts';

/** One Service, and where it is filed. */
export interface Entry extends Holder {
  decision: Decision;
  /** Missing while it lacks nothing that it could get. */
  filed?: WaitingClass;
  /** The claims that were asked for last, in words. */
  asked?: string;
}

/** What may help the members of a class. */
interface Topics {
  readonly areas: readonly Area[];
  readonly counters: readonly DistinctCounter[];
  /** As texts. */
  readonly addresses: readonly string[];
  readonly sharingKeys: readonly string[];
}

export interface WaitingClass extends Topics {
  readonly key: string;
  readonly number: number;
  /** Oldest first. */
  readonly members: SortedList<Entry>;
  /** What is said of every member that has nothing. */
  decision?: Decision;
}

export const byAge = (a: Holder, b: Holder): number => byAgeThenKey(a.request, b.request);

export class WaitingClasses {
  readonly #ledger: Ledger;
  readonly #classes = new Map<string, WaitingClass>();
  readonly #byTopic = new Map<Area | DistinctCounter | string, Set<WaitingClass>>();
  #number = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Files the entry where it belongs now; one that lacks nothing is not filed. */
  file(entry: Entry): void {
    this.unfile(entry);
    const { request, holding } = entry;
    if (request.problem || (holding && isWhole(request, holding))) return;
    const key = this.#keyOf(entry);
    const found = this.#classes.get(key) ?? this.#create(key, entry);
    found.members.add(entry);
    entry.filed = found;
  }

  /** To be called before the request of a filed entry changes. */
  unfile(entry: Entry): void {
    const { filed } = entry;
    if (!filed) return;
    delete entry.filed;
    filed.members.remove(entry);
    if (filed.members.first) return;
    this.#classes.delete(filed.key);
    for (const topic of topicsOf(filed)) {
      const classes = this.#byTopic.get(topic);
      classes?.delete(filed);
      if (classes?.size === 0) this.#byTopic.delete(topic);
    }
  }

  /** Everybody who waits. */
  *entries(): Generator<Entry> {
    for (const { members } of this.#classes.values()) yield* members.items;
  }

  forArea(area: Area): Iterable<WaitingClass> {
    return this.#byTopic.get(area) ?? [];
  }
  forCounter(counter: DistinctCounter): Iterable<WaitingClass> {
    return this.#byTopic.get(counter) ?? [];
  }
  forAddress(address: IpAddress): Iterable<WaitingClass> {
    return this.#byTopic.get(addressTopic(formatIp(address))) ?? [];
  }
  forSharingKey(key: string): Iterable<WaitingClass> {
    return this.#byTopic.get(sharingTopic(key)) ?? [];
  }
  get isEmpty(): boolean {
    return this.#classes.size === 0;
  }

  #create(key: string, { request, holding }: Entry): WaitingClass {
    this.#number += 1;
    const topics = this.#topics(request, holding);
    const created: WaitingClass = { key, number: this.#number, members: new SortedList<Entry>(byAge), ...topics };
    this.#classes.set(key, created);
    for (const topic of topicsOf(created))
      this.#byTopic.set(topic, (this.#byTopic.get(topic) ?? new Set()).add(created));
    return created;
  }

  #topics(request: ServiceRequest, holding: Entry['holding']): Topics {
    const { space } = this.#ledger;
    const { pools, reserved, quotas } = this.#ledger.standingOf(request);
    const started = holding?.parts.map(({ pool }) => pool) ?? [];
    const meant = holding && !request.requestedPools ? started : [...new Set([...pools, ...started])];
    const open = request.requestedAddresses ? [] : meant.flatMap((pool) => space.areasOf(pool)?.open ?? []);
    const asked = request.requestedAddresses ?? [];
    return {
      areas: [...open, ...reserved, ...new Set(asked.flatMap((address) => space.areaOf(address) ?? []))],
      counters: quotas.map(({ counter }) => counter),
      addresses: asked.map(formatIp),
      sharingKeys: request.sharingKey ? [request.sharingKey] : [],
    };
  }

  #keyOf({ request, holding }: Entry): string {
    const { requestedPool, requestedPools, requestedAddresses, families, isOneFamilyEnough, sharingKey } = request;
    const held = holding?.parts.map((part) => `${poolKey(part.pool)} lacks ${missingFamilies(request, part).join()}`);
    return JSON.stringify([
      this.#ledger.standingOf(request).id,
      families,
      isOneFamilyEnough,
      requestedPool,
      requestedPools,
      requestedAddresses?.map(formatIp),
      sharingKey && [request.namespace, sharingKey, request.ports, request.backend],
      held,
      this.#isLikeNoOther(request) ? request.key : undefined,
    ]);
  }

  /** Whether an address rests that was the Service's, or a source has answered it. */
  #isLikeNoOther(request: ServiceRequest): boolean {
    const { space, claims } = this.#ledger;
    if (space.restingOf(request.key).length > 0) return true;
    return claims.size > 0 && this.#ledger.pools.live.some((pool) => claims.has(claimKey(poolKey(pool), request.key)));
  }
}

const addressTopic = (text: string): string => `address ${text}`;
const sharingTopic = (key: string): string => `key ${key}`;
const topicsOf = ({ areas, counters, addresses, sharingKeys }: Topics) => [
  ...areas,
  ...counters,
  ...addresses.map(addressTopic),
  ...sharingKeys.map(sharingTopic),
];
