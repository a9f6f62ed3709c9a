import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { inWords, ip, pool, request, somePools, someRequest } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import type { Pool } from '../config/pool.ts';
import { allocate } from './allocate.ts';
import { type Decision, isSameDecision } from './decision.ts';
import { IncrementalAllocator } from './incremental-allocator.ts';
import type { ServiceRequest } from './service-request.ts';
import type { AllocationChange } from './turn.ts';

type Event =
  | { readonly kind: 'Upsert'; readonly request: ServiceRequest }
  | { readonly kind: 'Remove'; readonly key: string }
  | { readonly kind: 'SetPools'; readonly pools: readonly Pool[] };

const someEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: someRequest.map((request) => ({ kind: 'Upsert' as const, request })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...'stuvwxyz').map((n) => ({ kind: 'Remove' as const, key: `default/${n}` })),
  },
  { weight: 1, arbitrary: somePools.map((pools) => ({ kind: 'SetPools' as const, pools })) },
);

/** The specification, applied after each event: what it decided is what is held next. */
class Model {
  pools: readonly Pool[] = [];
  readonly requests = new Map<string, ServiceRequest>();
  plan: ReadonlyMap<string, Decision> = new Map();

  apply(event: Event): void {
    if (event.kind === 'SetPools') this.pools = event.pools;
    else if (event.kind === 'Remove') this.requests.delete(event.key);
    else {
      const known = this.requests.get(event.request.key);
      const isKept = known && !known.isForeign && !event.request.isForeign;
      this.requests.set(event.request.key, isKept ? { ...event.request, held: known.held } : event.request);
    }
    this.plan = allocate({ pools: this.pools, services: [...this.requests.values()] });
    for (const [key, request] of this.requests) {
      const decision = this.plan.get(key);
      if (request.isForeign) continue;
      this.requests.set(key, { ...request, held: decision?.outcome === 'Assigned' ? decision.addresses : [] });
    }
  }
}

function applyTo(allocator: IncrementalAllocator, event: Event): AllocationChange {
  if (event.kind === 'SetPools') return allocator.setConfig(event.pools, [], []);
  return event.kind === 'Remove' ? allocator.remove(event.key) : allocator.upsert(event.request);
}

function changedKeys(before: Model['plan'], after: Model['plan']): readonly string[] {
  return [...after].flatMap(([key, decision]) => {
    const earlier = before.get(key);
    return earlier && isSameDecision(earlier, decision) ? [] : [key];
  });
}

/** Everything that is decided, in full. */
const factsOf = (plan: Iterable<readonly [string, Decision | undefined]>): Record<string, unknown> =>
  Object.fromEntries(
    [...plan]
      .map(([key, decision]) => [key, decision && `${inWords(decision)} | ${decision.message}`] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

spec('IncrementalAllocator', (test) => {
  const runs = { numRuns: 1500 };
  const histories = fc.tuple(somePools, fc.array(someEvent, { minLength: 1, maxLength: 25 }));

  test('decides as the specification does after every event, and names whatever changed', () => {
    fc.assert(
      fc.property(histories, ([pools, events]) => {
        const model = new Model();
        const allocator = new IncrementalAllocator();
        for (const event of [{ kind: 'SetPools' as const, pools }, ...events]) {
          const before = model.plan;
          model.apply(event);
          const { services } = applyTo(allocator, event);
          const decided = [...model.plan.keys()].map((key) => [key, allocator.decisionOf(key)] as const);
          assert.equal(factsOf(decided), factsOf(model.plan));
          assert.is(allocator.size, model.plan.size);
          for (const key of changedKeys(before, model.plan)) assert.ok(services.has(key), `${key} is not named`);
        }
      }),
      runs,
    );
  });
  test('counts what each pool gave', () => {
    fc.assert(
      fc.property(histories, ([pools, events]) => {
        const allocator = new IncrementalAllocator();
        let names: readonly string[] = [];
        for (const event of [{ kind: 'SetPools' as const, pools }, ...events]) {
          if (event.kind === 'SetPools') names = event.pools.map(({ name }) => name);
          applyTo(allocator, event);
        }
        for (const name of names) {
          const parts = allocator.holders().flatMap(({ holding }) => holding.parts);
          const addresses = parts.filter(({ pool }) => pool.name === name).flatMap((part) => part.addresses);
          const count = (family: 4 | 6): number => addresses.filter((address) => address.family === family).length;
          assert.equal({ ...allocator.useOf(`herald-system/${name}`) }, { ipv4: count(4), ipv6: count(6) });
        }
      }),
    );
  });

  test('starts from a snapshot as the specification would', () => {
    const snapshots = fc.tuple(somePools, fc.uniqueArray(someRequest, { selector: ({ key }) => key, maxLength: 8 }));
    fc.assert(
      fc.property(snapshots, ([pools, services]) => {
        const allocator = new IncrementalAllocator();
        allocator.load(pools, services);
        const plan = allocate({ pools, services });
        assert.equal(factsOf([...plan.keys()].map((key) => [key, allocator.decisionOf(key)] as const)), factsOf(plan));
      }),
    );
  });

  test('touches nobody else when a Service of many is deleted', () => {
    const allocator = new IncrementalAllocator();
    allocator.load(
      [pool('a', { size: 200 })],
      Array.from({ length: 100 }, (_, at) => request(`s${at}`)),
    );
    assert.equal([...allocator.remove('default/s7').services], ['default/s7']);
  });
  test('gives an address that becomes free to the oldest who waits, and to nobody else', () => {
    const allocator = new IncrementalAllocator();
    const young = request('young', { createdAt: '2026-01-03T00:00:00Z' });
    const old = request('old', { createdAt: '2026-01-02T00:00:00Z' });
    allocator.load([pool('a', { size: 1 })], [request('first'), young, old]);
    assert.equal([...allocator.remove('default/first').services].sort(), ['default/first', 'default/old']);
    assert.is(inWords(allocator.decisionOf('default/old') as Decision), '192.0.2.0 from a');
  });
  test('tells whoever asks for an address who has it now', () => {
    const allocator = new IncrementalAllocator();
    const asking = request('z', { requestedAddresses: [ip('192.0.2.0')], createdAt: '2026-01-09T00:00:00Z' });
    allocator.load([pool('a', { size: 1 })], [request('first'), asking, request('second')]);
    allocator.remove('default/first');
    assert.match(allocator.decisionOf('default/z')?.message ?? '', 'held by default/second');
  });
});
