import * as assert from 'uvu/assert';
import { inWords, ip, planInWords, pool, request } from '../../testing/allocation.ts';
import { quota, reservation } from '../../testing/allocation-history.ts';
import { spec } from '../../testing/spec.ts';
import type { Pool } from '../config/pool.ts';
import { formatIp } from '../net/address.ts';
import { allocate, type Snapshot } from './allocate.ts';
import type { Decision } from './decision.ts';
import { IncrementalAllocator } from './incremental-allocator.ts';

interface Case {
  readonly name: string;
  readonly given: Snapshot;
  readonly gives: Record<string, string>;
}
const old = { createdAt: '2025-01-01T00:00:00Z' };
const dual = { families: [4, 6] as const };
const forX = (...addresses: readonly string[]) => [reservation('r', addresses, ({ name }) => name === 'x')];
const isWeb = ({ labels }: { readonly labels?: Readonly<Record<string, string>> | undefined }): boolean =>
  labels?.['tier'] === 'web';
const web = { labels: { tier: 'web' } };
const source = { source: { http: { url: 'https://ipam.example' } } };

const reserving: readonly Case[] = [
  {
    name: 'a reserved address to nobody else, and to its beneficiary before a lower free one',
    given: {
      pools: [pool('a', { size: 2 })],
      services: ['w', 'x', 'y'].map((name) => request(name)),
      reservations: forX('192.0.2.1'),
    },
    gives: { w: '192.0.2.0 from a', x: '192.0.2.1 from a', y: 'PoolExhausted, a: PoolExhausted' },
  },
  {
    name: 'a reserved address by name to its beneficiary alone',
    given: {
      pools: [pool('a')],
      services: [
        request('w', { requestedAddresses: [ip('192.0.2.1')] }),
        request('x', { requestedAddresses: [ip('192.0.2.1')] }),
      ],
      reservations: forX('192.0.2.1'),
    },
    gives: { w: 'AddressReserved, a: AddressReserved', x: '192.0.2.1 from a' },
  },
  {
    name: 'a reserved address of a pool that gives nothing by itself, and nothing else of that pool',
    given: {
      pools: [pool('a', { autoAssign: false, sizeV6: 4 }), pool('b', { sizeV6: 4 })],
      services: [request('x'), request('y')],
      reservations: forX('192.0.2.2'),
    },
    gives: { x: '192.0.2.2 from a', y: '192.0.3.0 from b' },
  },
  {
    name: 'no reserved address where the serviceAllocation of the pool does not permit it',
    given: {
      pools: [pool('a', { serviceAllocation: { namespaces: ['prod'] } }), pool('b')],
      services: [request('x')],
      reservations: forX('192.0.2.2'),
    },
    gives: { x: '192.0.3.0 from b' },
  },
  {
    name: 'an address that was reserved later to whoever holds it',
    given: { pools: [pool('a')], services: [request('y', { held: ['192.0.2.1'] })], reservations: forX('192.0.2.1') },
    gives: { y: '192.0.2.1 from a' },
  },
  {
    name: 'from a pool with a reserved share, to others, as long as more is free than the share still wants',
    given: {
      pools: [pool('a', { size: 3 })],
      services: [...['s', 't'].map((name) => request(name)), request('v', web)],
      reservations: [reservation('share', [], isWeb, { pool: 'a', ipv4: 2, ipv6: 0 })],
    },
    gives: {
      s: '192.0.2.0 from a',
      t: 'AddressReserved, a: AddressReserved',
      v: '192.0.2.1 from a',
    },
  },
  {
    name: 'to an older Service what a younger one could take and shares with it',
    given: {
      pools: [pool('a', { size: 1 })],
      services: [
        request('w', { ...old, sharingKey: 'k', ports: ['TCP/80'] }),
        request('x', { ...web, sharingKey: 'k', ports: ['TCP/81'] }),
      ],
      reservations: [reservation('share', [], isWeb, { pool: 'a', ipv4: 1, ipv6: 0 })],
    },
    gives: { w: '192.0.2.0 from a', x: '192.0.2.0 from a' },
  },
];

const limiting: readonly Case[] = [
  {
    name: 'to each namespace what its quota allows',
    given: {
      pools: [pool('a', { size: 8 })],
      services: [request('x'), request('y'), request('z', { namespace: 'prod' })],
      quotas: [quota('q', { limits: [{ ipv4: 1 }] })],
    },
    gives: { x: '192.0.2.0 from a', y: 'QuotaExceeded, a: QuotaExceeded', z: '192.0.2.1 from a' },
  },
  {
    name: 'to all that a quota includes together what it allows of one pool, and then of another',
    given: {
      pools: [pool('a'), pool('b')],
      services: [request('x'), request('y', { namespace: 'prod' })],
      quotas: [quota('q', { per: 'Selection', limits: [{ pool: 'a', ipv4: 1 }] })],
    },
    gives: { x: '192.0.2.0 from a', y: '192.0.3.0 from b' },
  },
  {
    name: 'what a lowered quota allows no more to whoever holds it',
    given: {
      pools: [pool('a')],
      services: [request('x', { held: ['192.0.2.1'] }), request('y', { held: ['192.0.2.2'] }), request('z')],
      quotas: [quota('q', { limits: [{ ipv4: 1 }] })],
    },
    gives: { x: '192.0.2.1 from a', y: '192.0.2.2 from a', z: 'QuotaExceeded, a: QuotaExceeded' },
  },
  {
    name: 'an address that is counted already to one more who shares it',
    given: {
      pools: [pool('a')],
      services: ['x', 'y'].map((name) => request(name, { sharingKey: 'k', ports: [`TCP/${name.charCodeAt(0)}`] })),
      quotas: [quota('q', { limits: [{ ipv4: 1 }] })],
    },
    gives: { x: '192.0.2.0 from a', y: '192.0.2.0 from a' },
  },
  {
    name: 'one family where a quota allows none of the other, and one is enough',
    given: {
      pools: [pool('a', { sizeV6: 4 })],
      services: [request('x', { ...dual, isOneFamilyEnough: true })],
      quotas: [quota('q', { limits: [{ ipv6: 0 }] })],
    },
    gives: { x: '192.0.2.0 from a (PartlyAssigned)' },
  },
];

const choosing: readonly Case[] = [
  {
    name: 'of each pool that is asked for, in that order',
    given: {
      pools: [pool('a', { sizeV6: 2 }), pool('b', { sizeV6: 2 })],
      services: [request('x', { ...dual, requestedPools: ['b', 'a'] })],
    },
    gives: { x: '192.0.3.0+2001:db8:3::+192.0.2.0+2001:db8:2:: from b,a' },
  },
  {
    name: 'of several pools what each of them has',
    given: {
      pools: [pool('a', { size: 1 }), pool('b')],
      services: [request('w', { ...old, requestedPool: 'a' }), request('x', { requestedPools: ['a', 'b', 'nowhere'] })],
    },
    gives: { w: '192.0.2.0 from a', x: '192.0.3.0 from b (PartlyAssigned)' },
  },
  {
    name: 'nothing to whoever names one pool "a,b", which there is not, after one who asks for a and b',
    given: {
      pools: [pool('a'), pool('b')],
      services: [request('x', { ...old, requestedPools: ['a', 'b'] }), request('y', { requestedPool: 'a,b' })],
    },
    gives: { x: '192.0.2.0+192.0.3.0 from a,b', y: 'PoolNotFound' },
  },
  {
    name: 'what was held of several pools to whoever asks for them in a way that cannot be read any more',
    given: {
      pools: [pool('a'), pool('b')],
      services: [
        request('x', { held: ['192.0.3.1', '192.0.2.1'], problem: { reason: 'InvalidRequest', message: 'Empty.' } }),
      ],
    },
    gives: { x: '192.0.3.1+192.0.2.1 from b,a (InvalidRequest)' },
  },
  {
    name: 'nothing new of a pool that drains, and what it gave to whoever has it',
    given: {
      pools: [pool('a', { drain: true }), pool('b')],
      services: [request('x', { held: ['192.0.2.1'] }), request('y'), request('z', { requestedPool: 'a' })],
    },
    gives: { x: '192.0.2.1 from a', y: '192.0.3.0 from b', z: 'NoPoolFits, a: PoolDraining' },
  },
  {
    name: 'first what was never used, then what is unused for longest, where the pool says so',
    given: {
      pools: [pool('a', { spreadBy: 'leastRecentlyUsed' })],
      services: ['t', 'u', 'v', 'w'].map((name) => request(name)),
      released: [
        { address: ip('192.0.2.0'), turn: 7 },
        { address: ip('192.0.2.2'), turn: 3 },
      ],
    },
    gives: { t: '192.0.2.1 from a', u: '192.0.2.3 from a', v: '192.0.2.2 from a', w: '192.0.2.0 from a' },
  },
  {
    name: 'no address that rests or that a machine uses, but to whom it was the one that rests',
    given: {
      pools: [pool('a', { size: 3 })],
      services: [request('x'), request('y')],
      withheld: [
        { address: ip('192.0.2.0'), reason: 'AddressConflicts', message: 'Somebody has it.' },
        { address: ip('192.0.2.2'), reason: 'CoolingDown', message: 'It rests.', service: 'default/y' },
      ],
    },
    gives: { x: '192.0.2.1 from a', y: '192.0.2.2 from a' },
  },
];

const hashed = (name: string, more: Partial<Pool> & { uid?: string } = {}): string => {
  const { uid, ...extended } = more;
  const large = { ...pool('a', { addresses: ['10.0.0.0/16'] }), ...extended };
  const plan = allocate({ pools: [large], services: [request(name, uid === undefined ? {} : { uid })] });
  return inWords(plan.get(`default/${name}`) as Decision);
};

spec('allocate, beyond MetalLB', (test) => {
  for (const { name, given, gives } of [...reserving, ...limiting, ...choosing])
    test(`gives ${name}`, () => assert.equal(planInWords(allocate(given)), gives));

  test('gives the same place by hash again, and another by another name or uid', () => {
    assert.is(hashed('x', { spreadBy: 'hash' }), hashed('x', { spreadBy: 'hash', uid: 'other' }));
    assert.is.not(hashed('x', { spreadBy: 'hash' }), hashed('y', { spreadBy: 'hash' }));
    assert.is.not(hashed('x', { spreadBy: 'random', uid: 'one' }), hashed('x', { spreadBy: 'random', uid: 'two' }));
  });
  test('gives every address of a pool that it spreads over, the last one too', () => {
    const services = Array.from({ length: 16 }, (_, at) => request(`s${at}`));
    const pools = [pool('a', { addresses: ['10.0.0.0/28'], spreadBy: 'hash' })];
    const given = [...allocate({ pools, services }).values()].flatMap((decision) =>
      decision.outcome === 'Assigned' ? decision.addresses.map(formatIp) : [],
    );
    assert.is(new Set(given).size, 16);
  });
  test('says which quota, which reservation, and why an address is withheld', () => {
    const message = (snapshot: Snapshot): string => allocate(snapshot).get('default/y')?.message ?? '';
    const y = request('y', { requestedAddresses: [ip('192.0.2.1')] });
    const quotas = [quota('q', { limits: [{ pool: 'a', ipv4: 0 }] })];
    assert.match(
      message({ pools: [pool('a')], services: [y], quotas }),
      'AddressQuota herald-system/q allows namespace default 0 IPv4 addresses of pool a.',
    );
    const reservations = forX('192.0.2.1');
    assert.match(
      message({ pools: [pool('a')], services: [y], reservations }),
      '192.0.2.1 is reserved by AddressReservation herald-system/r.',
    );
    const withheld = [{ address: ip('192.0.2.1'), reason: 'CoolingDown', message: 'It rests.' }] as const;
    assert.match(message({ pools: [pool('a')], services: [y], withheld }), 'It rests.');
  });
});

const wordsOf = (allocator: IncrementalAllocator, name: string): string =>
  inWords(allocator.decisionOf(`default/${name}`) as Decision);

spec('IncrementalAllocator, beyond MetalLB', (test) => {
  test('lets an address rest that somebody let go of, and tells it', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([pool('a', { size: 1, coolDown: '30s' })], [request('x'), request('y')]);
    const { rested } = allocator.remove('default/x');
    assert.equal(
      rested.map(({ address, ...rest }) => ({ address: formatIp(address), ...rest })),
      [{ address: '192.0.2.0', service: 'default/x', pool: 'herald-system/a', coolDownMs: 30_000 }],
    );
    assert.match(wordsOf(allocator, 'y'), 'PoolExhausted');
    assert.equal([...allocator.restore(ip('192.0.2.0'), 'CoolingDown').services], ['default/y']);
    assert.is(wordsOf(allocator, 'y'), '192.0.2.0 from a');
  });
  test('gives a Service that comes back the address that it had, while it rests', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([pool('a', { coolDown: '30s' })], [request('w'), request('x')]);
    allocator.remove('default/x');
    allocator.remove('default/w');
    allocator.upsert(request('x', { createdAt: '2026-02-02T00:00:00Z' }));
    assert.is(wordsOf(allocator, 'x'), '192.0.2.1 from a');
  });
  test('keeps no count of namespaces whose Services are gone, and counts anew when they come back', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([pool('a')], [request('w')], { quotas: [quota('q', { limits: [{ ipv4: 1 }] })] });
    const ofPreview = (name: string, namespace: string) => request(name, { namespace, key: `${namespace}/${name}` });
    for (let at = 0; at < 10; at++) {
      allocator.upsert(ofPreview('x', `preview-${at}`));
      allocator.upsert({ ...ofPreview('x', `preview-${at}`), requestedPool: `typo-${at}` });
      allocator.remove(`preview-${at}/x`);
    }
    const counted = [...allocator.ledger.standings.quotaCounters].map(({ namespace }) => namespace);
    assert.equal(counted, ['default']);
    for (const name of ['x', 'y']) allocator.upsert(ofPreview(name, 'preview-1'));
    assert.equal(allocator.decisionOf('preview-1/y')?.reason, 'QuotaExceeded');
    allocator.remove('preview-1/x');
    assert.equal(allocator.decisionOf('preview-1/y')?.reason, 'Assigned');
  });
  test('asks an external source, waits for it, and goes on to the next pool when it refuses', () => {
    const allocator = new IncrementalAllocator();
    const pools = [{ ...pool('a'), ...source }, pool('b')];
    const { wanted } = allocator.load(pools, [request('x'), request('y')]);
    assert.equal(wanted[0], { pool: 'herald-system/a', serviceKey: 'default/x', families: [4] });
    assert.is(wordsOf(allocator, 'x'), 'AddressPending, a: AddressPending');
    allocator.grant('herald-system/a', 'default/x', [ip('192.0.2.3')]);
    assert.is(wordsOf(allocator, 'x'), '192.0.2.3 from a');
    allocator.refuse('herald-system/a', 'default/y', 'It has none.');
    assert.is(wordsOf(allocator, 'y'), '192.0.3.0 from b');
    const { released } = allocator.remove('default/x');
    assert.equal(
      released.map(({ address, serviceKey }) => [formatIp(address), serviceKey]),
      [['192.0.2.3', 'default/x']],
    );
  });
  test('returns what an external source gave and nobody can have, and counts it as a refusal until the next retry', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([{ ...pool('a'), ...source }], [request('w', { held: ['192.0.2.1'] }), request('x')]);
    const { released } = allocator.grant('herald-system/a', 'default/x', [ip('192.0.2.1')]);
    assert.equal(
      released.map(({ address }) => formatIp(address)),
      ['192.0.2.1'],
    );
    assert.is(wordsOf(allocator, 'x'), 'SourceRefused, a: SourceRefused');
    assert.equal(allocator.retry().wanted, [{ pool: 'herald-system/a', serviceKey: 'default/x', families: [4] }]);
    assert.is(wordsOf(allocator, 'x'), 'AddressPending, a: AddressPending');
  });
  test('returns what an external source gave for nobody', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([{ ...pool('a'), ...source }], []);
    const { released } = allocator.grant('herald-system/a', 'default/gone', [ip('192.0.2.1')]);
    assert.equal(
      released.map(({ serviceKey }) => serviceKey),
      ['default/gone'],
    );
  });
  test('takes an address that a machine uses from who has it, and gives another', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([pool('a')], [request('x')]);
    allocator.withhold(ip('192.0.2.0'), { reason: 'AddressConflicts', message: 'Somebody has it.' });
    assert.is(wordsOf(allocator, 'x'), '192.0.2.1 from a');
    allocator.restore(ip('192.0.2.0'), 'CoolingDown');
    allocator.upsert(request('y'));
    assert.is(wordsOf(allocator, 'y'), '192.0.2.2 from a', 'it is withheld for another reason');
  });
});
