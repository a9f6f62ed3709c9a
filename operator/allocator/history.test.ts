import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { inWords } from '../../testing/allocation.ts';
import { type Event, someEvent, someRules } from '../../testing/allocation-history.ts';
import { applyTo, Model } from '../../testing/allocation-model.ts';
import { spec } from '../../testing/spec.ts';
import { formatIp } from '../net/address.ts';
import { type Decision, isSameDecision } from './decision.ts';
import { IncrementalAllocator } from './incremental-allocator.ts';
import type { Ledger } from './ledger.ts';
import { quotaUse, reservationUse } from './rule-use.ts';

/** Everything that is decided, in full. */
const factsOf = (plan: Iterable<readonly [string, Decision | undefined]>): Record<string, unknown> =>
  Object.fromEntries(
    [...plan]
      .map(([key, decision]) => [key, decision && `${inWords(decision)} | ${decision.message}`] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** What the books say beside the decisions. */
function booksOf(ledger: Ledger, { rules }: Model): unknown {
  const withheld = ledger.memory.withheld.map(({ address, ...why }) => `${formatIp(address)} ${JSON.stringify(why)}`);
  const byTurn = ledger.memory.released.toSorted((a, b) => a.turn - b.turn);
  const used = rules.quotas.map(({ key }) => [
    key,
    quotaUse(key, ledger)
      .map((use) => JSON.stringify(use))
      .sort(),
  ]);
  const reserved = rules.reservations.map(({ key }) => {
    const { held, othersCount, heldByOthers } = reservationUse(key, ledger);
    return [key, held, othersCount, heldByOthers.map(({ address }) => formatIp(address)).sort()];
  });
  const released = new Set(byTurn.map(({ address }) => formatIp(address)));
  const use = rules.pools.map(({ namespace, name }) => ledger.useOf(`${namespace}/${name}`));
  return { withheld: withheld.sort(), released: [...released].sort(), used, reserved, use };
}

function changedKeys(before: Model['plan'], after: Model['plan']): readonly string[] {
  return [...after].flatMap(([key, decision]) => {
    const earlier = before.get(key);
    return earlier && isSameDecision(earlier, decision) ? [] : [key];
  });
}

/** Applies the events to both, and holds them against each other after each. */
function compare(events: readonly Event[]): void {
  const model = new Model();
  const allocator = new IncrementalAllocator();
  for (const [at, event] of events.entries()) {
    const before = model.plan;
    model.apply(event);
    const { services } = applyTo(allocator, event);
    const decided = [...model.plan.keys()].map((key) => [key, allocator.decisionOf(key)] as const);
    assert.equal(factsOf(decided), factsOf(model.plan), `event ${at}, ${event.kind}`);
    assert.is(allocator.size, model.plan.size);
    assert.equal(booksOf(allocator.ledger, model), booksOf(model.ledger, model), `event ${at}, ${event.kind}`);
    for (const key of changedKeys(before, model.plan)) assert.ok(services.has(key), `${key} is not named`);
  }
}

spec('a history of pools, Services, reservations, quotas, rests and sources', (test) => {
  const start = someRules.map((rules): Event => ({ kind: 'SetConfig', rules }));

  test('is decided event by event as from scratch', () => {
    const histories = fc.tuple(start, fc.array(someEvent, { minLength: 1, maxLength: 40, size: 'max' }));
    fc.assert(
      fc.property(histories, ([first, events]) => compare([first, ...events])),
      { numRuns: 500 },
    );
  });

  test('is decided event by event as from scratch, over a thousand changes', () => {
    const histories = fc.tuple(start, fc.array(someEvent, { minLength: 1000, maxLength: 1000 }));
    fc.assert(
      fc.property(histories, ([first, events]) => compare([first, ...events])),
      { numRuns: 4, endOnFailure: true },
    );
  });
});
