/** The allocator as a specification: one pure function of a snapshot. The one that runs must give the same. */

import type { Pool } from '../config/pool.ts';
import { serve } from './choose.ts';
import { type Circumstances, NO_CIRCUMSTANCES } from './circumstances.ts';
import type { Decision } from './decision.ts';
import { type Holder, isWhole } from './holding.ts';
import { keepHeld } from './keep.ts';
import { Ledger } from './ledger.ts';
import { type Departure, letGo, restAll } from './rest.ts';
import { byAgeThenKey, type ServiceRequest } from './service-request.ts';
import { decisionOf } from './wording.ts';

export interface Snapshot extends Partial<Circumstances> {
  readonly pools: readonly Pool[];
  readonly services: readonly ServiceRequest[];
  /** What Services had that are no more, or not ours any more: it rests like what others let go of. */
  readonly departed?: readonly Departure[];
  /** Counts up; how `released` numbers what is let go of now. */
  readonly turn?: number;
}

/**
 * Decides the addresses of every Service from one snapshot of the cluster.
 *
 * Pure: the same snapshot gives the same plan, in whatever order its lists come.
 * Sticky: a Service keeps the addresses it holds for as long as some pool permits them; of two that hold one address
 * and may not share it the older keeps it.
 */
export function allocate(snapshot: Snapshot): ReadonlyMap<string, Decision> {
  const ledger = new Ledger(snapshot.pools, { ...NO_CIRCUMSTANCES, ...snapshot });
  const holders = oldestFirst(snapshot.services);
  settle(holders, ledger, snapshot.departed, snapshot.turn);
  // Worded at the end, so that a refusal speaks of the state in which it stands.
  return new Map(holders.map(({ request, holding }) => [request.key, decisionOf(request, holding, ledger)]));
}

export const oldestFirst = (services: readonly ServiceRequest[]): readonly Holder[] =>
  services.toSorted(byAgeThenKey).map((request) => ({ request }));

/**
 * Gives everybody what they have in the end. First what they hold, so that a free address is never one that a younger
 * Service holds; what others than we answer for comes after what Services of ours hold, and before what is given.
 *
 * @returns what rests now that nobody kept it
 */
export function settle(
  oldestFirst: readonly Holder[],
  ledger: Ledger,
  departed: readonly Departure[] = [],
  turn = 0,
): ReturnType<typeof restAll> {
  const passes = [
    oldestFirst.filter(({ request }) => !request.isForeign && !request.yields),
    oldestFirst.filter(({ request }) => !request.isForeign && request.yields),
    oldestFirst.filter(({ request }) => request.isForeign),
  ];
  for (const holder of passes.flat()) ledger.hold(holder, keepHeld(holder.request, ledger));
  const departures = [...departed, ...oldestFirst.flatMap(({ request }) => letGo(request))];
  const rested = restAll(departures, turn, ledger);
  // What one takes may let an older one in, who shares it: so everybody is asked until nothing changes.
  let lacking = oldestFirst;
  for (let isSettled = false; !isSettled; ) {
    const served = lacking.filter((holder) => serve(holder, ledger));
    isSettled = served.length === 0;
    lacking = lacking.filter(({ request, holding }) => !holding || !isWhole(request, holding));
  }
  return rested;
}
