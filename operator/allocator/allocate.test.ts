import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { inWords, ip, planInWords, pool, request, somePools, someRequest } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import { formatIp } from '../net/address.ts';
import { allocate, type Snapshot } from './allocate.ts';

interface Case {
  readonly name: string;
  readonly given: Snapshot;
  readonly gives: Record<string, string>;
}
const web = { serviceSelectors: [{ matchLabels: { tier: 'web' } }] };
const dual = { families: [4, 6] as const };

const choosing: readonly Case[] = [
  {
    name: 'the first free address of the pool',
    given: { pools: [pool('a')], services: [request('x')] },
    gives: { x: '192.0.2.0 from a' },
  },
  {
    name: 'the address already held, though a lower one is free',
    given: { pools: [pool('a')], services: [request('x', { held: ['192.0.2.2'] })] },
    gives: { x: '192.0.2.2 from a' },
  },
  {
    name: 'pools in the order of their names',
    given: { pools: [pool('b'), pool('a')], services: [request('x')] },
    gives: { x: '192.0.2.0 from a' },
  },
  {
    name: 'pinned pools first: a low priority number, then a high one, then 0',
    given: {
      pools: [
        pool('a', { size: 1 }),
        pool('b', { size: 1, serviceAllocation: { priority: 0 } }),
        pool('c', { size: 1, serviceAllocation: { priority: 20 } }),
        pool('d', { size: 1, serviceAllocation: { priority: 10 } }),
      ],
      services: [request('s'), request('t'), request('u'), request('v')],
    },
    gives: { s: '192.0.5.0 from d', t: '192.0.4.0 from c', u: '192.0.3.0 from b', v: '192.0.2.0 from a' },
  },
  {
    name: 'what a Service names by pool, even if the pool gives nothing by itself',
    given: {
      pools: [pool('a'), pool('b', { autoAssign: false })],
      services: [request('x', { requestedPool: 'b' }), request('y')],
    },
    gives: { x: '192.0.3.0 from b', y: '192.0.2.0 from a' },
  },
  {
    name: 'the very address that a Service asks for',
    given: { pools: [pool('a')], services: [request('x', { requestedAddresses: [ip('192.0.2.3')] })] },
    gives: { x: '192.0.2.3 from a' },
  },
  {
    name: 'the address asked for in place of the one held',
    given: {
      pools: [pool('a')],
      services: [request('x', { held: ['192.0.2.1'], requestedAddresses: [ip('192.0.2.3')] })],
    },
    gives: { x: '192.0.2.3 from a' },
  },
  {
    name: 'no IPv4 address that ends in .0 where the pool avoids them',
    given: { pools: [pool('a', { avoidBuggyIPs: true })], services: [request('x')] },
    gives: { x: '192.0.2.1 from a' },
  },
  {
    name: 'both families from one pool, the primary one first',
    given: {
      pools: [pool('a'), pool('b', { sizeV6: 2 })],
      services: [request('x', { families: [6, 4] })],
    },
    gives: { x: '2001:db8:3::+192.0.3.0 from b' },
  },
  {
    name: 'one family to a Service that only prefers two',
    given: { pools: [pool('a')], services: [request('x', { ...dual, isOneFamilyEnough: true })] },
    gives: { x: '192.0.2.0 from a (PartlyAssigned)' },
  },
  {
    name: 'the missing family as soon as its pool has it',
    given: {
      pools: [pool('a', { sizeV6: 1 })],
      services: [request('x', { ...dual, isOneFamilyEnough: true, held: ['192.0.2.2'] })],
    },
    gives: { x: '192.0.2.2+2001:db8:2:: from a' },
  },
  {
    name: 'an address that two hold to the older one, and another to the younger',
    given: {
      pools: [pool('a')],
      services: [
        request('younger', { held: ['192.0.2.0'], createdAt: '2026-01-02T00:00:00Z' }),
        request('older', { held: ['192.0.2.0'] }),
      ],
    },
    gives: { older: '192.0.2.0 from a', younger: '192.0.2.1 from a' },
  },
];

const refusing: readonly Case[] = [
  {
    name: 'without any pool',
    given: { pools: [], services: [request('x')] },
    gives: { x: 'NoPool' },
  },
  {
    name: 'from a pool of another namespace',
    given: { pools: [pool('a', { serviceAllocation: { namespaces: ['prod'] } })], services: [request('x')] },
    gives: { x: 'NoPoolFits, a: NamespaceNotAllowed' },
  },
  {
    name: 'from a pool whose namespaceSelectors match no namespace',
    given: {
      pools: [pool('a', { serviceAllocation: { namespaceSelectors: [{ matchLabels: { no: 'where' } }] } })],
      services: [request('x', { requestedPool: 'a' })],
    },
    gives: { x: 'NoPoolFits, a: NamespaceNotAllowed' },
  },
  {
    name: 'from a pool for other Services, though it is asked for',
    given: { pools: [pool('a', { serviceAllocation: web })], services: [request('x', { requestedPool: 'a' })] },
    gives: { x: 'NoPoolFits, a: ServiceNotSelected' },
  },
  {
    name: 'from a full pool',
    given: { pools: [pool('a', { size: 1 })], services: [request('x'), request('y')] },
    gives: { x: '192.0.2.0 from a', y: 'PoolExhausted, a: PoolExhausted' },
  },
  {
    name: 'from a pool that only serves by name',
    given: { pools: [pool('a', { autoAssign: false })], services: [request('x')] },
    gives: { x: 'NoPoolFits, a: AutoAssignDisabled' },
  },
  {
    name: 'to a Service that needs both families where there is one',
    given: { pools: [pool('a')], services: [request('x', dual)] },
    gives: { x: 'NoPoolFits, a: FamilyMissing' },
  },
  {
    name: 'where the pool that is asked for does not exist',
    given: { pools: [pool('a')], services: [request('x', { requestedPool: 'nowhere' })] },
    gives: { x: 'PoolNotFound' },
  },
  {
    name: 'where another Service holds the address that is asked for',
    given: {
      pools: [pool('a')],
      services: [request('x', { held: ['192.0.2.1'] }), request('y', { requestedAddresses: [ip('192.0.2.1')] })],
    },
    gives: { x: '192.0.2.1 from a', y: 'AddressInUse, a: AddressInUse' },
  },
  {
    name: 'where the address that is asked for is in no pool',
    given: { pools: [pool('a')], services: [request('x', { requestedAddresses: [ip('198.51.100.1')] })] },
    gives: { x: 'AddressNotInPool' },
  },
  {
    name: 'new from a remnant, which keeps what it gave',
    given: {
      pools: [pool('a', { deleted: true })],
      services: [request('x', { held: ['192.0.2.1'] }), request('y', { requestedPool: 'a' })],
    },
    gives: { x: '192.0.2.1 from a', y: 'NoPoolFits, a: PoolRemoved' },
  },
];

const snapshots = fc.record(
  {
    pools: somePools,
    services: fc.uniqueArray(someRequest, { selector: ({ key }) => key, maxLength: 8 }),
  },
  { noNullPrototype: true },
);

spec('allocate', (test) => {
  for (const { name, given, gives } of choosing)
    test(`gives ${name}`, () => assert.equal(planInWords(allocate(given)), gives));
  for (const { name, given, gives } of refusing)
    test(`gives nothing ${name}`, () => assert.equal(planInWords(allocate(given)), gives));

  test('says who holds the address, and why it is not shared', () => {
    const asking = request('y', { requestedAddresses: [ip('192.0.2.1')], sharingKey: 'k' });
    const decision = allocate({ pools: [pool('a')], services: [request('x', { held: ['192.0.2.1'] }), asking] }).get(
      'default/y',
    );
    assert.match(
      decision?.message ?? '',
      '192.0.2.1 is held by default/x: existing service default/x does not allow sharing.',
    );
  });
  test('leaves a Service that asks for nonsense what it has', () => {
    const problem = { reason: 'InvalidRequest' as const, message: '"x" is not an IP address.' };
    const services = [request('x', { held: ['192.0.2.1'], problem })];
    assert.equal(planInWords(allocate({ pools: [pool('a')], services })), {
      x: '192.0.2.1 from a (InvalidRequest)',
    });
  });

  test('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(snapshots, ({ pools, services }) =>
        assert.equal(
          planInWords(allocate({ pools, services })),
          planInWords(allocate({ pools: pools.toReversed(), services: services.toReversed() })),
        ),
      ),
    );
  });
  test('gives an address to one Service only', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const addresses = [...allocate(snapshot).values()].flatMap((decision) =>
          decision.outcome === 'Assigned' ? decision.addresses.map(formatIp) : [],
        );
        assert.is(new Set(addresses).size, addresses.length);
      }),
    );
  });
  test('changes nothing when its own plan is applied', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const plan = allocate(snapshot);
        assert.equal(planInWords(allocate(applied(snapshot, plan))), planInWords(plan));
      }),
    );
  });
  test('takes no address away that is still permitted', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const before = applied(snapshot, allocate(snapshot));
        const newcomer = request('a-newcomer', { createdAt: '2000-01-01T00:00:00Z' }); // sorts before everyone
        const after = allocate({ ...before, services: [newcomer, ...before.services] });
        for (const [key, decision] of allocate(before)) {
          if (decision.outcome !== 'Assigned') continue;
          const now = after.get(key);
          assert.is(now && inWords(now), inWords(decision));
        }
      }),
    );
  });
});

const applied = (snapshot: Snapshot, plan: ReturnType<typeof allocate>): Snapshot => ({
  ...snapshot,
  services: snapshot.services.map((service) => {
    // Nobody writes where somebody else answers.
    if (service.isForeign) return service;
    const decision = plan.get(service.key);
    return { ...service, held: decision?.outcome === 'Assigned' ? decision.addresses : [] };
  }),
});
