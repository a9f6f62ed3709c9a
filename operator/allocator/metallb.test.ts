/**
 * What MetalLB's controller and allocator promise, sentence by sentence (its controller/service.go and
 * internal/allocator, 0.16.1), and where Herald does something else on purpose.
 */

import * as assert from 'uvu/assert';
import { ip, planInWords, pool, request } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import { poolOf } from '../config/pool.ts';
import { capacityOf } from '../config/pool-capacity.ts';
import { allocate, type Snapshot } from './allocate.ts';

interface Case {
  /** What MetalLB does. */
  readonly sentence: string;
  /** What Herald does instead, and why. */
  readonly differs?: string;
  readonly given: Snapshot;
  readonly gives: Record<string, string>;
}

const both = { families: [4, 6] as const };
const prefer = { ...both, isOneFamilyEnough: true };
const invalid = { problem: { reason: 'InvalidRequest' as const, message: '"x" is not an IP address.' } };
const noClusterIp = { families: [], problem: { reason: 'NoClusterIP' as const, message: 'None.' } };
const old = { createdAt: '2025-01-01T00:00:00Z' };
const key = (sharingKey: string, ...ports: readonly string[]) => ({ sharingKey, ports });
const given = (pools: Snapshot['pools'], ...services: Snapshot['services']): Snapshot => ({ pools, services });

/** What becomes of one Service (2.1), in the order of MetalLB's steps. */
const convergence: readonly Case[] = [
  {
    sentence: 'without any pool nothing is given and what was held goes',
    given: given([], request('x', { held: ['192.0.2.1'] })),
    gives: { x: 'NoPool' },
  },
  {
    sentence: 'without a cluster address nothing is given and what was held goes',
    given: given([pool('a')], request('x', { ...noClusterIp, held: ['192.0.2.1'] })),
    gives: { x: 'NoClusterIP' },
  },
  {
    sentence: 'who requires both families and has cluster addresses of one loses what it held',
    differs: 'it keeps the address of the family that it has: losing it helps nobody',
    given: given(
      [pool('a', { sizeV6: 4 })],
      request('x', { held: ['192.0.2.1'], problem: { reason: 'NoClusterIP', message: 'One.' } }),
    ),
    gives: { x: '192.0.2.1 from a (NoClusterIP)' },
  },
  {
    sentence: 'a held address of a family that the Service has no cluster address of goes, and another is given',
    given: given([pool('a', { sizeV6: 4 })], request('x', { families: [6], held: ['192.0.2.1'] })),
    gives: { x: '2001:db8:2:: from a' },
  },
  {
    sentence: 'held addresses are assigned again, which changes nothing',
    given: given([pool('a', { sizeV6: 4 })], request('x', { ...both, held: ['192.0.2.3', '2001:db8:2::3'] })),
    gives: { x: '192.0.2.3+2001:db8:2::3 from a' },
  },
  {
    sentence: 'a held address that left its pool goes, and another is given',
    given: given([pool('a', { size: 2 })], request('x', { held: ['192.0.2.3'] })),
    gives: { x: '192.0.2.0 from a' },
  },
  {
    sentence: 'a held address whose port another Service has goes, and another is given',
    given: given(
      [pool('a')],
      request('x', { ...old, ...key('k', 'TCP/80'), held: ['192.0.2.1'] }),
      request('y', { ...key('k', 'TCP/80'), held: ['192.0.2.1'] }),
    ),
    gives: { x: '192.0.2.1 from a', y: '192.0.2.0 from a' },
  },
  {
    sentence: 'a held address of a pool that does not serve the Service any more goes',
    given: given(
      [pool('a', { serviceAllocation: { namespaces: ['prod'] } }), pool('b')],
      request('x', { held: ['192.0.2.1'] }),
    ),
    gives: { x: '192.0.3.0 from b' },
  },
  {
    sentence: 'an address-pool other than the present one moves the Service',
    given: given([pool('a'), pool('b')], request('x', { held: ['192.0.2.1'], requestedPool: 'b' })),
    gives: { x: '192.0.3.0 from b' },
  },
  {
    sentence: 'requested addresses that cannot be read leave the status as it is',
    given: given([pool('a')], request('x', { held: ['192.0.2.1'], ...invalid })),
    gives: { x: '192.0.2.1 from a (InvalidRequest)' },
  },
  {
    sentence: 'requested addresses that differ from those held replace them',
    given: given([pool('a')], request('x', { held: ['192.0.2.1'], requestedAddresses: [ip('192.0.2.2')] })),
    gives: { x: '192.0.2.2 from a' },
  },
  {
    sentence: 'requested addresses are compared as a set: another order changes nothing',
    given: given(
      [pool('a', { sizeV6: 4 })],
      request('x', {
        ...both,
        held: ['2001:db8:2::1', '192.0.2.1'],
        requestedAddresses: [ip('192.0.2.1'), ip('2001:db8:2::1')],
      }),
    ),
    gives: { x: '2001:db8:2::1+192.0.2.1 from a' },
  },
  {
    sentence: 'PreferDualStack with one address gets the missing family from the same pool, behind the other',
    given: given(
      [pool('a', { sizeV6: 4 }), pool('b', { sizeV6: 4 })],
      request('x', { ...prefer, held: ['2001:db8:3::1'] }),
    ),
    gives: { x: '2001:db8:3::1+192.0.3.0 from b' },
  },
  {
    sentence: 'PreferDualStack whose pool has not the other family goes on with one address',
    given: given([pool('a'), pool('b', { sizeV6: 4 })], request('x', { ...prefer, held: ['192.0.2.1'] })),
    gives: { x: '192.0.2.1 from a (PartlyAssigned)' },
  },
  {
    sentence: 'requested addresses count before a requested pool',
    given: given(
      [pool('a'), pool('b')],
      request('x', { requestedPool: 'a', requestedAddresses: [ip('192.0.2.3')] }),
      request('y', { requestedPool: 'b', requestedAddresses: [ip('192.0.2.1')] }),
    ),
    gives: { x: '192.0.2.3 from a', y: 'AddressNotInPool, b: AddressNotInPool' },
  },
  {
    sentence: 'a requested pool counts before the automatic choice',
    given: given([pool('a'), pool('b')], request('x', { requestedPool: 'b' })),
    gives: { x: '192.0.3.0 from b' },
  },
  {
    sentence: 'fresh addresses of both families are in the order IPv4, IPv6',
    differs: 'the primary family of the Service comes first, as in clusterIPs: clients try the first address first',
    given: given([pool('a', { sizeV6: 4 })], request('x', both), request('y', { families: [6, 4] })),
    gives: { x: '192.0.2.0+2001:db8:2:: from a', y: '2001:db8:2::1+192.0.2.1 from a' },
  },
  {
    sentence: 'at the start Services with addresses come first and keep them',
    given: given([pool('a', { size: 2 })], request('x', old), request('y', { held: ['192.0.2.0'] })),
    gives: { x: '192.0.2.1 from a', y: '192.0.2.0 from a' },
  },
  {
    sentence: 'of two Services with one address at the start either keeps it, as the list happens to be ordered',
    differs: 'the older one keeps it: what happens must not depend on chance',
    given: given([pool('a')], request('x', { held: ['192.0.2.1'] }), request('y', { ...old, held: ['192.0.2.1'] })),
    gives: { x: '192.0.2.0 from a', y: '192.0.2.1 from a' },
  },
];

const web = { labels: { tier: 'web' } };
const forWeb = { serviceSelectors: [{ matchLabels: { tier: 'web' } }] };

/** Which pool (2.2). */
const pools: readonly Case[] = [
  {
    sentence: 'pools pinned to the namespace or with serviceSelectors come first, by priority, 0 last',
    given: given(
      [
        pool('a', { size: 1 }),
        pool('b', { size: 1, serviceAllocation: { priority: 0, namespaces: ['default'] } }),
        pool('c', { size: 1, serviceAllocation: { priority: 2, ...forWeb } }),
      ],
      request('x', web),
      request('y', web),
      request('z', web),
    ),
    gives: { x: '192.0.4.0 from c', y: '192.0.3.0 from b', z: '192.0.2.0 from a' },
  },
  {
    sentence: 'pinned pools without autoAssign are left out',
    given: given(
      [pool('a'), pool('b', { autoAssign: false, serviceAllocation: { namespaces: ['default'] } })],
      request('x'),
    ),
    gives: { x: '192.0.2.0 from a' },
  },
  {
    sentence: 'where no pinned pool fits, any autoAssign pool without a serviceAllocation serves, at random',
    differs: 'in the order of their names: what happens must not depend on chance',
    given: given([pool('c'), pool('b')], request('x')),
    gives: { x: '192.0.3.0 from b' },
  },
  {
    sentence: 'a pool serves where namespace AND one of the serviceSelectors fit',
    given: given(
      [pool('a', { serviceAllocation: { namespaces: ['default'], ...forWeb } })],
      request('x', web),
      request('y'),
      request('z', { ...web, namespace: 'prod' }),
    ),
    gives: {
      x: '192.0.2.0 from a',
      y: 'NoPoolFits, a: ServiceNotSelected',
      z: 'NoPoolFits, a: NamespaceNotAllowed',
    },
  },
  {
    sentence: 'a pool that does not fit is refused even where it or its address is asked for',
    given: given(
      [pool('a', { serviceAllocation: { namespaces: ['prod'] } })],
      request('x', { requestedPool: 'a' }),
      request('y', { requestedAddresses: [ip('192.0.2.1')] }),
    ),
    gives: { x: 'NoPoolFits, a: NamespaceNotAllowed', y: 'NoPoolFits, a: NamespaceNotAllowed' },
  },
  {
    sentence: 'a serviceAllocation with nothing but a priority pins the pool to everybody',
    given: given([pool('a'), pool('b', { serviceAllocation: { priority: 5 } })], request('x')),
    gives: { x: '192.0.3.0 from b' },
  },
  {
    sentence: 'pools of equal priority come in no particular order',
    differs: 'in the order of their names',
    given: given(
      [pool('b', { serviceAllocation: { priority: 5 } }), pool('a', { serviceAllocation: { priority: 5 } })],
      request('x'),
    ),
    gives: { x: '192.0.2.0 from a' },
  },
  {
    sentence: 'namespaceSelectors that match no namespace pin to nobody, but let anybody in who names the pool',
    differs: 'nobody is let in: a selector that matches nothing must not open a pool to all',
    given: given(
      [pool('a', { serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: 'none' } }] } })],
      request('x', { requestedPool: 'a' }),
    ),
    gives: { x: 'NoPoolFits, a: NamespaceNotAllowed' },
  },
  {
    sentence: 'entries are used in the order of the spec, the lowest free address of each first',
    given: given(
      [pool('a', { addresses: ['192.0.2.128/31', '192.0.2.8/31'] })],
      ...['s', 't', 'u'].map((name) => request(name)),
    ),
    gives: { s: '192.0.2.128 from a', t: '192.0.2.129 from a', u: '192.0.2.8 from a' },
  },
  {
    sentence: 'avoidBuggyIPs leaves out IPv4 addresses that end in .0 or .255, whatever the prefix',
    given: given(
      [pool('a', { addresses: ['192.0.2.254-192.0.3.1'], avoidBuggyIPs: true })],
      ...['s', 't', 'u'].map((name) => request(name)),
    ),
    gives: { s: '192.0.2.254 from a', t: '192.0.3.1 from a', u: 'PoolExhausted, a: PoolExhausted' },
  },
  {
    sentence: 'such an address is in no pool for who asks for it, nor for who holds it',
    given: given(
      [pool('a', { avoidBuggyIPs: true })],
      request('x', { requestedAddresses: [ip('192.0.2.0')] }),
      request('y', { held: ['192.0.2.0'] }),
    ),
    gives: { x: 'AddressNotInPool', y: '192.0.2.1 from a' },
  },
  {
    sentence: 'a pool with autoAssign: false gives only what is asked of it, by name or by address',
    given: given(
      [pool('a', { autoAssign: false })],
      request('x'),
      request('y', { requestedPool: 'a' }),
      request('z', { requestedAddresses: [ip('192.0.2.3')] }),
    ),
    gives: { x: 'NoPoolFits, a: AutoAssignDisabled', y: '192.0.2.0 from a', z: '192.0.2.3 from a' },
  },
  {
    sentence: 'where all its addresses lie in another pool now, a Service silently belongs to that one',
    given: given([pool('b', { addresses: ['192.0.2.0/24'] })], request('x', { held: ['192.0.2.7'] })),
    gives: { x: '192.0.2.7 from b' },
  },
];

/** Both families, requested addresses and sharing (2.2). */
const addresses: readonly Case[] = [
  {
    sentence: 'RequireDualStack gets both families of one pool, or nothing',
    given: given(
      [pool('a'), pool('b', { size: 0, sizeV6: 4 }), pool('c', { sizeV6: 1 })],
      request('x', both),
      request('y', both),
    ),
    gives: {
      x: '192.0.4.0+2001:db8:4:: from c',
      y: 'PoolExhausted, a: FamilyMissing, b: FamilyMissing, c: PoolExhausted',
    },
  },
  {
    sentence: 'PreferDualStack gets the first pool with both families',
    given: given([pool('a'), pool('b', { sizeV6: 1 })], request('x', prefer)),
    gives: { x: '192.0.3.0+2001:db8:3:: from b' },
  },
  {
    sentence: 'else PreferDualStack gets the first pool with the primary family',
    given: given([pool('a'), pool('b', { size: 0, sizeV6: 4 })], request('x', { ...prefer, families: [6, 4] })),
    gives: { x: '2001:db8:3:: from b (PartlyAssigned)' },
  },
  {
    sentence: 'else PreferDualStack gets the secondary family',
    given: given([pool('b', { size: 0, sizeV6: 4 })], request('x', prefer)),
    gives: { x: '2001:db8:3:: from b (PartlyAssigned)' },
  },
  {
    sentence: 'who has one family never jumps to a pool with both',
    given: given([pool('a'), pool('b', { sizeV6: 4 })], request('x', { ...prefer, held: ['192.0.2.1'] })),
    gives: { x: '192.0.2.1 from a (PartlyAssigned)' },
  },
  {
    sentence: 'unless its pool loses the family and another pool has both: then it jumps',
    differs: 'it keeps the address that it still may have: nothing that is permitted is taken away',
    given: given(
      [pool('a'), pool('b', { sizeV6: 4 })],
      request('x', { ...prefer, held: ['192.0.2.1', '2001:db8:2::1'] }),
    ),
    gives: { x: '192.0.2.1 from a (PartlyAssigned)' },
  },
  {
    sentence: 'requested addresses of both families must lie in one pool',
    given: given(
      [pool('a', { sizeV6: 4 }), pool('b', { sizeV6: 4 })],
      request('x', { ...both, requestedAddresses: [ip('192.0.2.1'), ip('2001:db8:2::1')] }),
      request('y', { ...both, requestedAddresses: [ip('192.0.2.2'), ip('2001:db8:3::1')] }),
    ),
    gives: {
      x: '192.0.2.1+2001:db8:2::1 from a',
      y: 'AddressNotInPool, a: AddressNotInPool, b: AddressNotInPool',
    },
  },
  {
    sentence: 'Services share whose keys are equal, whose backends are equal and whose ports differ',
    given: given(
      [pool('a')],
      request('x', { ...old, ...key('k', 'TCP/80'), held: ['192.0.2.1'] }),
      request('y', { ...key('k', 'UDP/80'), requestedAddresses: [ip('192.0.2.1')] }),
    ),
    gives: { x: '192.0.2.1 from a', y: '192.0.2.1 from a' },
  },
  {
    sentence: 'without a key on both sides, with another key, with another backend or with a common port they do not',
    given: given(
      [pool('a')],
      request('x', { ...old, ...key('k', 'TCP/80'), held: ['192.0.2.1'] }),
      ...[key('', 'UDP/80'), key('j', 'UDP/80'), { ...key('k', 'UDP/80'), backend: '{}' }, key('k', 'TCP/80')].map(
        (terms, at) => request(`y${at}`, { ...terms, requestedAddresses: [ip('192.0.2.1')] }),
      ),
    ),
    gives: {
      x: '192.0.2.1 from a',
      y0: 'AddressInUse, a: AddressInUse',
      y1: 'AddressInUse, a: AddressInUse',
      y2: 'AddressInUse, a: AddressInUse',
      y3: 'AddressInUse, a: AddressInUse',
    },
  },
  {
    sentence: 'any namespace that knows the key shares',
    differs: 'only where the pool says shareAcrossNamespaces: a key is no secret, and a port is worth stealing',
    given: given(
      [pool('a'), pool('b', { shareAcrossNamespaces: true })],
      request('w', { ...old, ...key('k', 'TCP/80'), held: ['192.0.2.1'] }),
      request('x', { ...key('k', 'TCP/81'), namespace: 'prod', requestedAddresses: [ip('192.0.2.1')] }),
      request('y', { ...old, ...key('k', 'TCP/80'), held: ['192.0.3.1'] }),
      request('z', { ...key('k', 'TCP/81'), namespace: 'prod', requestedAddresses: [ip('192.0.3.1')] }),
    ),
    gives: {
      w: '192.0.2.1 from a',
      x: 'AddressInUse, a: AddressInUse',
      y: '192.0.3.1 from b',
      z: '192.0.3.1 from b',
    },
  },
  {
    sentence: 'the sole user of an address may change its key in place',
    given: given([pool('a')], request('x', { ...key('other', 'TCP/80'), held: ['192.0.2.3'], yields: true })),
    gives: { x: '192.0.2.3 from a' },
  },
  {
    sentence: 'one of several users that changes its key loses the address, and the others keep it',
    given: given(
      [pool('a')],
      request('x', { ...old, ...key('other', 'TCP/80'), held: ['192.0.2.3'], yields: true }),
      request('y', { ...key('k', 'TCP/81'), held: ['192.0.2.3'] }),
    ),
    gives: { x: '192.0.2.0 from a', y: '192.0.2.3 from a' },
  },
  {
    sentence: 'Services with one key usually, not always, come to one address without asking for it',
    differs: 'always, where ports and backends allow it: an address under the key goes before a lower free one',
    given: given(
      [pool('a')],
      request('x', { ...old, ...key('k', 'TCP/80'), held: ['192.0.2.3'] }),
      request('y', key('k', 'TCP/81')),
      request('z', key('k', 'TCP/81')),
    ),
    gives: { x: '192.0.2.3 from a', y: '192.0.2.3 from a', z: '192.0.2.0 from a' },
  },
];

spec('what MetalLB promises', (test) => {
  for (const { sentence, differs, given, gives } of [...convergence, ...pools, ...addresses])
    test(differs === undefined ? sentence : `${sentence} -- here: ${differs}`, () =>
      assert.equal(planInWords(allocate(given)), gives),
    );

  test('says what is in the way in the words that people search for', () => {
    const holder = request('x', { ...old, ...key('k', 'TCP/80'), held: ['192.0.2.1'] });
    const messageFor = (terms: object): string =>
      allocate(given([pool('a')], holder, request('y', { ...terms, requestedAddresses: [ip('192.0.2.1')] }))).get(
        'default/y',
      )?.message ?? '';
    assert.match(messageFor(key('k', 'TCP/80')), 'port TCP/80 is already in use');
    assert.match(messageFor(key('', 'TCP/81')), 'new service does not allow sharing');
    assert.match(messageFor(key('j', 'TCP/81')), 'sharing key "j" does not match existing sharing key "k"');
    assert.match(
      allocate(given([pool('a', { size: 0 })], request('x'))).get('default/x')?.message ?? '',
      'no available IPs',
    );
    const nowhere = allocate(given([pool('a')], request('x', { requestedPool: 'nowhere' }))).get('default/x');
    assert.match(nowhere?.message ?? '', 'unknown pool "nowhere"');
  });
  test('counts large pools, where MetalLB -- here: exactly, instead of as the largest int64 or less than nothing', () => {
    const large = pool('a', { addresses: ['2001:db8::/64', '192.0.2.0/32'], avoidBuggyIPs: true });
    assert.equal(capacityOf(large), { ipv4: 0n, ipv6: 2n ** 64n });
  });
  test('serves an IPv6 pool of any size at once', () => {
    const huge = poolOf({ ...ENTRY, addresses: ['2001:db8::/32'] }, []);
    assert.equal(planInWords(allocate(given([huge], request('x', { families: [6] })))), { x: '2001:db8:: from huge' });
  });
});

const ENTRY = {
  namespace: 'herald-system',
  name: 'huge',
  generation: 1,
  hash: '',
  autoAssign: true,
  avoidBuggyIPs: false,
};
