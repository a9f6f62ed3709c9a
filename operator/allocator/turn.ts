/** One event, from what it changes to everybody being served: who is asked, and what comes of it. */

import type { IpAddress } from '../net/address.ts';
import { Agenda } from './agenda.ts';
import { nextStep, serve } from './choose.ts';
import { changed, opened } from './consequences.ts';
import { type Decision, isSameDecision } from './decision.ts';
import { type Ledger, poolKey } from './ledger.ts';
import type { RestedAddress } from './rest.ts';
import type { Family } from './service-request.ts';
import type { Entry, WaitingClass, WaitingClasses } from './waiting-classes.ts';
import { decisionOf } from './wording.ts';

/** An address that nobody has any more and that an external source had given. */
export interface ReturnedAddress {
  /** 'namespace/name' */
  readonly pool: string;
  /** 'namespace/name' of the Service that had it last. */
  readonly serviceKey: string;
  readonly address: IpAddress;
}

/** An external source has to be asked. May come again for the same claim. */
export interface WantedClaim {
  /** 'namespace/name' */
  readonly pool: string;
  readonly serviceKey: string;
  readonly families: readonly Family[];
}

/** What an event changed. */
export interface AllocationChange {
  /** Services whose decision is another one, 'namespace/name'. */
  readonly services: ReadonlySet<string>;
  /** Pools of which somebody has more or less, 'namespace/name'. */
  readonly pools: ReadonlySet<string>;
  /** Addresses that rest from now on; they are withheld already. */
  readonly rested: readonly RestedAddress[];
  readonly released: readonly ReturnedAddress[];
  readonly wanted: readonly WantedClaim[];
}

export const NO_CHANGE: AllocationChange = {
  services: new Set(),
  pools: new Set(),
  rested: [],
  released: [],
  wanted: [],
};

/** What two events changed, one after the other. */
export const joined = (a: AllocationChange, b: AllocationChange): AllocationChange => ({
  services: new Set([...a.services, ...b.services]),
  pools: new Set([...a.pools, ...b.pools]),
  rested: [...a.rested, ...b.rested],
  released: [...a.released, ...b.released],
  wanted: [...a.wanted, ...b.wanted],
});

/** Asks whoever the change of the books concerns, `entries` in any case, and tells whose decision is another one. */
export function settleTurn(
  entries: ReadonlySet<Entry>,
  ledger: Ledger,
  classes: WaitingClasses,
): Pick<AllocationChange, 'services' | 'pools' | 'wanted'> {
  const touches = ledger.takeTouches();
  const agenda = new Agenda();
  for (const entry of entries) {
    classes.file(entry);
    agenda.add(entry);
  }
  for (const [one, openings] of opened(touches, ledger, classes)) agenda.open(one, openings);
  const concerned = new Set(entries);
  for (let item = agenda.next(); item; item = agenda.next()) {
    const { entry } = item;
    if (!serve(entry, ledger)) continue;
    concerned.add(entry);
    classes.file(entry);
    agenda.served(item);
    const later = ledger.takeTouches();
    for (const [one, openings] of opened(later, ledger, classes)) agenda.open(one, openings);
    touches.append(later);
  }
  const said = new Saying(ledger);
  for (const one of changed(touches, ledger, classes)) said.ofClass(one);
  for (const entry of concerned) said.ofEntry(entry);
  return { services: said.services, pools: touches.pools, wanted: said.wanted };
}

/** Puts decisions into words, once for each class. */
export class Saying {
  readonly services = new Set<string>();
  readonly wanted: WantedClaim[] = [];
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  ofClass(one: WaitingClass): void {
    const { first, items } = one.members;
    if (this.#ledger.hasSources) for (const entry of items) this.#want(entry);
    if (!first || first.holding) return;
    const decision = decisionOf(first.request, undefined, this.#ledger);
    if (one.decision && isSameDecision(one.decision, decision)) return;
    one.decision = decision;
    for (const entry of items) this.#decide(entry, decision);
  }

  ofEntry(entry: Entry): void {
    const { request, holding, filed } = entry;
    if (this.#ledger.hasSources) this.#want(entry);
    if (filed && !holding) filed.decision ??= decisionOf(request, undefined, this.#ledger);
    const shared = holding ? undefined : filed?.decision;
    this.#decide(entry, shared ?? decisionOf(request, holding, this.#ledger));
  }

  #decide(entry: Entry, decision: Decision): void {
    const isNew = !isSameDecision(entry.decision, decision);
    entry.decision = decision;
    if (isNew) this.services.add(entry.request.key);
  }

  #want(entry: Entry): void {
    const { request, holding } = entry;
    const { claims } = nextStep(request, holding, this.#ledger);
    const asked = claims.map(({ pool, families }) => `${poolKey(pool)} ${families.join()}`).join(';');
    if (asked === (entry.asked ?? '')) return;
    entry.asked = asked;
    for (const { pool, families } of claims)
      this.wanted.push({ pool: poolKey(pool), serviceKey: request.key, families });
  }
}
