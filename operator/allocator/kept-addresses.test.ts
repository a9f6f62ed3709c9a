import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { IpAddressPool, IpAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import { someRequest } from '../../testing/allocation.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { decideInForce, type InForceInput } from '../config/decide-in-force.ts';
import { type LabelledObject, poolsOf } from '../config/pool.ts';
import { heldByDecision } from './held-addresses.ts';
import { IncrementalAllocator } from './incremental-allocator.ts';
import type { ServiceRequest } from './service-request.ts';

const someRange = fc
  .record({ family: fc.constantFrom(4, 4, 6), net: fc.integer({ min: 2, max: 3 }), from: fc.nat(4), size: fc.nat(3) })
  .map(({ family, net, from, size }) => {
    const text = (at: number): string => (family === 4 ? `192.0.${net}.${at}` : `2001:db8:${net}::${at}`);
    return `${text(from)}-${text(from + size)}`;
  });
const someAllocation = fc.constantFrom<IpAddressPoolSpec['serviceAllocation']>(
  undefined,
  undefined,
  { namespaces: ['default'] },
  { namespaces: ['prod'] },
  { namespaceSelectors: [{ matchLabels: { tier: 'one' } }] },
  { serviceSelectors: [{ matchLabels: { tier: 'web' } }] },
);
const somePools: fc.Arbitrary<readonly IpAddressPool[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      ranges: fc.array(someRange, { maxLength: 3 }),
      autoAssign: fc.boolean(),
      avoidBuggyIPs: fc.boolean(),
      serviceAllocation: someAllocation,
    }),
    { selector: ({ name }) => name, maxLength: 3 },
  )
  .map((pools) =>
    pools.map(({ name, ranges, serviceAllocation, ...rest }) =>
      poolObject(name, ranges, { ...rest, ...(serviceAllocation && { serviceAllocation }) }),
    ),
  );
const someNamespaces: fc.Arbitrary<readonly LabelledObject[]> = fc
  .tuple(fc.constantFrom('one', 'two'), fc.constantFrom('one', 'two'))
  .map(([ofDefault, ofProd]) => [
    { metadata: { name: 'default', labels: { tier: ofDefault } } },
    { metadata: { name: 'prod', labels: { tier: ofProd } } },
  ]);

/** One state of the configuration. */
type Surroundings = Pick<InForceInput, 'pools' | 'namespaces'>;
const someStates: fc.Arbitrary<readonly Surroundings[]> = fc.array(
  fc.record({ pools: somePools, namespaces: someNamespaces }),
  { minLength: 2, maxLength: 5 },
);

/** What every Service has after each state of the configuration. */
function histories(states: readonly Surroundings[], requests: readonly ServiceRequest[]): readonly string[][] {
  const allocator = new IncrementalAllocator();
  let before: InForceInput['before'] = [];
  return states.map(({ pools, namespaces }, at) => {
    const held = heldByDecision(allocator);
    before = decideInForce({ pools, namespaces, before, held, clusterRefusal: () => undefined }).entries;
    const inForce = poolsOf(before, namespaces);
    if (at === 0) allocator.load(inForce, requests);
    else allocator.setConfig(inForce, [], []);
    return heldByDecision(allocator).map(({ service, address }) => `${service} ${address.value}`);
  });
}

spec('what Services hold', (test) => {
  test('stays, whatever becomes of pools and of the labels of namespaces', () => {
    const someRequests = fc.uniqueArray(someRequest, { selector: ({ key }) => key, maxLength: 6 });
    fc.assert(
      fc.property(someStates, someRequests, (states, requests) => {
        const after = histories(states, requests);
        for (const [at, holdings] of after.entries())
          for (const held of after[at - 1] ?? []) assert.ok(holdings.includes(held), `${held} is gone in state ${at}`);
      }),
      { numRuns: 3000 },
    );
  });
});
