import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { inWords, ip, request } from '../../testing/allocation.ts';
import { type Event, type Rules, someEvent, someFullRequest, someRules } from '../../testing/allocation-history.ts';
import { applyTo } from '../../testing/allocation-model.ts';
import { spec } from '../../testing/spec.ts';
import { holds, type Pool } from '../config/pool.ts';
import { capacityOf } from '../config/pool-capacity.ts';
import { sharingConflict } from '../config/sharing.ts';
import { formatIp } from '../net/address.ts';
import { oldestFirst, settle } from './allocate.ts';
import type { Area } from './area.ts';
import { type Circumstances, NO_CIRCUMSTANCES } from './circumstances.ts';
import { addressesOf, type Holder } from './holding.ts';
import { IncrementalAllocator } from './incremental-allocator.ts';
import { Ledger, termsOf } from './ledger.ts';
import type { Family, ServiceRequest } from './service-request.ts';
import { decisionOf } from './wording.ts';

interface Outcome {
  readonly holders: readonly Holder[];
  readonly plan: Readonly<Record<string, string>>;
  readonly memory: Partial<Circumstances>;
}

function decide(rules: Rules, services: readonly ServiceRequest[], memory: Partial<Circumstances> = {}): Outcome {
  const { pools, reservations, quotas } = rules;
  const ledger = new Ledger(pools, { ...NO_CIRCUMSTANCES, reservations, quotas, ...memory });
  const holders = oldestFirst(services);
  settle(holders, ledger);
  const words = holders.map(({ request, holding }) => {
    const decision = decisionOf(request, holding, ledger);
    return [request.key, `${inWords(decision)} | ${decision.message}`] as const;
  });
  return { holders, plan: Object.fromEntries(words.sort(([a], [b]) => (a < b ? -1 : 1))), memory: ledger.memory };
}

/** The requests as they are once the decisions are written; nobody writes where somebody else answers. */
const applied = ({ holders }: Outcome): readonly ServiceRequest[] =>
  holders.map(({ request, holding }) => (request.isForeign ? request : { ...request, held: addressesOf(holding) }));

const someServices = fc.uniqueArray(someFullRequest, { selector: ({ key }) => key, maxLength: 8, size: 'max' });
const runs = { numRuns: 600 };

spec('allocate, whatever it is given', (test) => {
  test('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(someRules, someServices, (rules, services) => {
        const reversed = {
          pools: rules.pools.toReversed(),
          reservations: rules.reservations.toReversed(),
          quotas: rules.quotas.toReversed(),
        };
        assert.equal(decide(rules, services).plan, decide(reversed, services.toReversed()).plan);
      }),
      runs,
    );
  });

  test('gives an address to several Services only where they may share it', () => {
    fc.assert(
      fc.property(someRules, someServices, (rules, services) => {
        for (const [address, sharers] of holdersByAddress(decide(rules, services)))
          assertMayShare(address, sharers, rules);
      }),
      runs,
    );
  });

  test('changes nothing when its own plan is applied', () => {
    fc.assert(
      fc.property(someRules, someServices, (rules, services) => {
        const first = decide(rules, services);
        assert.equal(decide(rules, applied(first), first.memory).plan, first.plan);
      }),
      runs,
    );
  });

  test('takes nothing away that is still permitted, whoever comes', () => {
    fc.assert(
      fc.property(someRules, someServices, someFullRequest, (rules, services, newcomer) => {
        const before = decide(rules, services);
        // Older than everybody, and without an address of its own.
        const eldest = { ...newcomer, ...request('eldest', { createdAt: '2000-01-01T00:00:00Z' }), isForeign: false };
        const after = decide(rules, [eldest, ...applied(before)], before.memory);
        for (const { request: one, holding } of before.holders) {
          const now = after.holders.find(({ request: other }) => other.key === one.key)?.holding;
          const kept = addressesOf(now).map(formatIp);
          for (const address of addressesOf(holding).map(formatIp)) assert.ok(kept.includes(address), address);
        }
      }),
      runs,
    );
  });

  test('loses no address: when everybody is gone and everything has rested, each can be given again', () => {
    const histories = fc.tuple(someRules, fc.array(someEvent, { minLength: 1, maxLength: 40, size: 'max' }));
    fc.assert(
      fc.property(histories, ([rules, events]) => {
        const allocator = new IncrementalAllocator();
        const first: Event = { kind: 'SetConfig', rules };
        for (const event of [first, ...events]) applyTo(allocator, event);
        for (const name of 'stuvwxyz') allocator.remove(`default/${name}`);
        for (const { address, reason } of allocator.ledger.memory.withheld) allocator.restore(address, reason);
        for (const pool of allocator.ledger.pools.live) assertAllFree(pool, allocator);
      }),
      runs,
    );
  });
});

/** By the text of the address. */
function holdersByAddress({ holders }: Outcome): ReadonlyMap<string, readonly ServiceRequest[]> {
  const byAddress = new Map<string, readonly ServiceRequest[]>();
  for (const { request, holding } of holders)
    for (const address of addressesOf(holding).map(formatIp))
      byAddress.set(address, [...(byAddress.get(address) ?? []), request]);
  return byAddress;
}

function assertMayShare(text: string, sharers: readonly ServiceRequest[], { pools }: Rules): void {
  const pool = pools.find((one) => holds(one, ip(text)));
  assert.ok(pool, `${text} is in a pool`);
  for (const [at, one] of sharers.entries())
    for (const other of sharers.slice(at + 1))
      assert.is(pool && sharingConflict(termsOf(one), termsOf(other), pool), undefined, `${one.key}, ${other.key}`);
}

function assertAllFree(pool: Pool, allocator: IncrementalAllocator): void {
  const areas = allocator.ledger.space.areasOf(pool);
  assert.equal(allocator.useOf(`${pool.namespace}/${pool.name}`), { ipv4: 0, ipv6: 0 });
  assert.ok(areas);
  for (const area of areas ? [areas.open, ...areas.reserved] : []) {
    const { ipv4, ipv6 } = capacityOf({ ranges: area.ranges, avoidBuggyIPs: pool.avoidBuggyIPs });
    assert.is(withholdAll(area, 4, allocator), ipv4);
    assert.is(withholdAll(area, 6, allocator), ipv6);
  }
}

/** Withholds one free address after the other; as many must come as the counts say, each once. */
function withholdAll(area: Area, family: Family, allocator: IncrementalAllocator): bigint {
  const size = area.freeCount(family);
  let found = 0n;
  for (let value = area.firstFree(family); value !== undefined; value = area.firstFree(family)) {
    allocator.withhold({ family, value }, { reason: 'AddressInUse', message: 'A test has it.' });
    found += 1n;
    assert.ok(found <= size, 'an address comes twice');
  }
  return found;
}
