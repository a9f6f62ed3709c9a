/** Which Services wait for which addresses of external sources, until every family has its answer. */

import type { Family } from '../allocator/service-request.ts';
import type { IpAddress } from '../net/address.ts';

export type Answer = { readonly address: IpAddress } | { readonly refusal: string };

/** Services that a source has refused: when an address goes back to it, one of them is asked for again. */
export class RefusedAsks {
  /** By pool, then by Service; the first refused comes first. */
  readonly #refused = new Map<string, Map<string, Ask>>();

  add(ask: Ask): void {
    const refused = this.#refused.get(ask.pool) ?? new Map<string, Ask>();
    this.#refused.set(ask.pool, refused.set(ask.service, ask));
  }

  /** The first that was refused and still waits; it is forgotten, and so are those before it, which are gone. */
  take(pool: string, isWaiting: (ask: Ask) => boolean): Ask | undefined {
    for (const ask of this.#refused.get(pool)?.values() ?? []) {
      this.delete(pool, ask.service);
      if (isWaiting(ask)) return ask;
    }
    return undefined;
  }

  delete(pool: string, service: string): void {
    this.#refused.get(pool)?.delete(service);
  }
}

/** What one Service waits for of one pool. */
export interface Ask {
  /** 'namespace/name', both. */
  readonly pool: string;
  readonly service: string;
  readonly families: readonly Family[];
  /** The claims that were made for it, and what came of each. */
  readonly answers: Map<string, Answer | undefined>;
}

export class Asks {
  /** By Service, then by pool. */
  readonly #asks = new Map<string, Map<string, Ask>>();

  /** In place of what the same Service asked of the same pool before. */
  put(ask: Ask): void {
    const asks = this.#asks.get(ask.service) ?? new Map<string, Ask>();
    this.#asks.set(ask.service, asks.set(ask.pool, ask));
  }

  /** Notes an answer. @returns the ask if it has all its answers now; it is none any more then */
  answer(where: Pick<Ask, 'pool' | 'service'>, id: string, answer: Answer): Ask | undefined {
    const ask = this.#find(where);
    if (!ask?.answers.has(id)) return undefined;
    ask.answers.set(id, answer);
    if ([...ask.answers.values()].some((one) => one === undefined)) return undefined;
    this.delete(ask);
    return ask;
  }

  /** Whether somebody waits for what becomes of a claim. */
  waitsFor(where: Pick<Ask, 'pool' | 'service'>, id: string): boolean {
    return this.#find(where)?.answers.has(id) === true;
  }

  delete({ pool, service }: Pick<Ask, 'pool' | 'service'>): void {
    const asks = this.#asks.get(service);
    asks?.delete(pool);
    if (asks?.size === 0) this.#asks.delete(service);
  }

  of(pool: string): readonly Ask[] {
    return [...this.#asks.values()].flatMap((asks) => asks.get(pool) ?? []);
  }

  ofService(service: string): readonly Ask[] {
    return [...(this.#asks.get(service)?.values() ?? [])];
  }

  #find({ pool, service }: Pick<Ask, 'pool' | 'service'>): Ask | undefined {
    return this.#asks.get(service)?.get(pool);
  }
}
