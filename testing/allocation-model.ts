/** The specification applied after each event of a history, for the running allocator to be held against. */

import { oldestFirst, settle } from '../operator/allocator/allocate.ts';
import { NO_CIRCUMSTANCES } from '../operator/allocator/circumstances.ts';
import type { Decision } from '../operator/allocator/decision.ts';
import { addressesOf, isSameAddress } from '../operator/allocator/holding.ts';
import type { IncrementalAllocator } from '../operator/allocator/incremental-allocator.ts';
import { Ledger } from '../operator/allocator/ledger.ts';
import type { Departure } from '../operator/allocator/rest.ts';
import type { ServiceRequest } from '../operator/allocator/service-request.ts';
import type { AllocationChange } from '../operator/allocator/turn.ts';
import { decisionOf } from '../operator/allocator/wording.ts';
import type { Pool } from '../operator/config/pool.ts';
import { formatIp, type IpAddress } from '../operator/net/address.ts';
import type { Event, Rules } from './allocation-history.ts';

/** The specification: after each event everybody is decided about from scratch; what was decided is held next. */
export class Model {
  rules: Rules = { pools: [], reservations: [], quotas: [] };
  ledger = new Ledger([], NO_CIRCUMSTANCES);
  readonly requests = new Map<string, ServiceRequest>();
  plan: ReadonlyMap<string, Decision> = new Map();
  #turn = 0;

  apply(event: Event): void {
    if (event.kind === 'Grant') {
      this.#grant(event);
      return;
    }
    const departed: Departure[] = [];
    if (event.kind === 'SetConfig') this.rules = event.rules;
    else if (event.kind === 'Remove') this.#remove(event.key, departed);
    else if (event.kind === 'Upsert') this.#upsert(event.request, departed);
    this.#decide(this.#memoryAfter(event), departed);
  }

  #memoryAfter(event: Event): Ledger['memory'] {
    const { claims, ...memory } = this.ledger.memory;
    const { space } = new Ledger([], { ...NO_CIRCUMSTANCES, ...memory });
    if (event.kind === 'Withhold') space.withhold(event.address, event.why);
    const isMeant = event.kind === 'Restore' && space.withholdingOf(event.address)?.reason === event.reason;
    if (event.kind === 'Restore' && isMeant) space.restore(event.address);
    return { ...space.memory, claims: this.#claimsAfter(event, claims) };
  }

  #claimsAfter(event: Event, claims: Ledger['memory']['claims']): Ledger['memory']['claims'] {
    if (event.kind === 'Retry') return [];
    if (event.kind === 'Remove') return claims.filter(({ service }) => service !== event.key);
    if (event.kind !== 'Refuse' || !this.#maySay(event.pool, event.key)) return claims;
    const { pool, key: service } = event;
    const others = claims.filter((claim) => claim.pool !== pool || claim.service !== service);
    return [...others, { pool, service, answer: { refusal: 'It has none.' } }];
  }

  #maySay(pool: string, service: string): boolean {
    const isSource = ({ namespace, name, source, isRemnant }: Pool): boolean =>
      source !== undefined && !isRemnant && `${namespace}/${name}` === pool;
    return this.requests.has(service) && this.rules.pools.some(isSource);
  }

  #remove(key: string, departed: Departure[]): void {
    const known = this.requests.get(key);
    if (known && !known.isForeign) departed.push(...known.held.map((address) => ({ address, service: key })));
    this.requests.delete(key);
  }

  #upsert(request: ServiceRequest, departed: Departure[]): void {
    const known = this.requests.get(request.key);
    const isKept = known && !known.isForeign && !request.isForeign;
    if (known && !isKept && !known.isForeign)
      departed.push(...known.held.map((address) => ({ address, service: request.key })));
    this.requests.set(request.key, isKept ? { ...request, held: known.held, yields: true } : request);
  }

  #grant({ pool, key, addresses }: Event & { kind: 'Grant' }): void {
    const { claims, ...memory } = this.ledger.memory;
    if (!this.#maySay(pool, key)) return;
    const before = this.#heldBy(key).length;
    const others = claims.filter((claim) => claim.pool !== pool || claim.service !== key);
    this.#decide({ ...memory, claims: [...others, { pool, service: key, answer: { addresses } }] }, []);
    const has = this.#heldBy(key);
    const isOfUse = has.length > before || addresses.some((one) => has.some((held) => isSameAddress(one, held)));
    const texts = addresses.map(formatIp).join(' and ');
    const refusal = `The source gave ${texts || 'nothing'}, which the Service cannot have.`;
    const answered = !isOfUse ? [...others, { pool, service: key, answer: { refusal } }] : others;
    this.#decide({ ...this.ledger.memory, claims: answered }, []);
  }

  #heldBy(key: string): readonly IpAddress[] {
    const decision = this.plan.get(key);
    return decision?.outcome === 'Assigned' ? decision.addresses : [];
  }

  #decide(memory: Ledger['memory'], departed: readonly Departure[]): void {
    const { pools, reservations, quotas } = this.rules;
    this.#turn += 1;
    this.ledger = new Ledger(pools, { reservations, quotas, ...memory });
    const holders = oldestFirst([...this.requests.values()]);
    settle(holders, this.ledger, departed, this.#turn);
    this.plan = new Map(
      holders.map(({ request, holding }) => [request.key, decisionOf(request, holding, this.ledger)]),
    );
    for (const { request, holding } of holders)
      if (!request.isForeign) this.requests.set(request.key, { ...request, held: addressesOf(holding), yields: false });
  }
}

export function applyTo(allocator: IncrementalAllocator, event: Event): AllocationChange {
  switch (event.kind) {
    case 'Upsert':
      return allocator.upsert(event.request);
    case 'Remove':
      return allocator.remove(event.key);
    case 'SetConfig':
      return allocator.setConfig(event.rules.pools, event.rules.reservations, event.rules.quotas);
    case 'Withhold':
      return allocator.withhold(event.address, event.why);
    case 'Restore':
      return allocator.restore(event.address, event.reason);
    case 'Grant':
      return allocator.grant(event.pool, event.key, event.addresses);
    case 'Refuse':
      return allocator.refuse(event.pool, event.key, 'It has none.');
    case 'Retry':
      return allocator.retry();
  }
}
