import * as assert from 'uvu/assert';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { ip } from '../../testing/allocation.ts';
import { bgpObject, l2Object, peerObject, poolObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import { wantedEntry } from './pool-content.ts';
import type { ResolvedConfig } from './resolve-config.ts';
import { entriesInForce, type HeldAddress } from './stored-state.ts';

const held = (address: string, service = 'shop/web', pool?: string): HeldAddress => ({
  address: ip(address),
  service,
  namespace: service.split('/')[0] ?? '',
  pool,
});

/** `name: ranges`, with what is special about an entry. */
const inForceWords = ({ inForce }: ResolvedConfig): readonly string[] =>
  inForce.map(({ name, addresses, deleted }) => `${name}: ${addresses.join(' ')}${deleted ? ' (remnant)' : ''}`);

const inForceOf = (...pools: readonly IpAddressPool[]): readonly PoolSetEntry[] => pools.map(wantedEntry);
const later = { creationTimestamp: '2026-02-01T00:00:00Z' };

spec('resolveConfig', (test) => {
  test('puts a sound pool in force', () => {
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/24'])] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24']);
    assert.equal(verdictWords(config), { a: 'True Serving' });
  });
  test('lets the older of two overlapping pools win, and the others go on', () => {
    const pools = [
      poolObject('a', ['10.0.0.128-10.0.1.5'], { metadata: later }),
      poolObject('b', ['10.0.0.0/24']),
      poolObject('c', ['2001:db8::/64']),
    ];
    const config = resolve({ pools });
    assert.equal(inForceWords(config), ['b: 10.0.0.0/24', 'c: 2001:db8::/64']);
    assert.equal(verdictWords(config), { a: 'False OverlapsPool Stalled', b: 'True Serving', c: 'True Serving' });
  });
  test('orders pools of one second by name', () => {
    const pools = [poolObject('b', ['10.0.0.0/24']), poolObject('a', ['10.0.0.0/25'])];
    assert.equal(inForceWords(resolve({ pools })), ['a: 10.0.0.0/25']);
  });
  test('does not let a change of an older pool take the ranges of a younger one in force', () => {
    const young = poolObject('b', ['10.0.1.0/24'], { metadata: later });
    const pools = [poolObject('a', ['10.0.0.0/23']), young];
    const config = resolve({ pools, inForce: inForceOf(poolObject('a', ['10.0.0.0/24']), young) });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24', 'b: 10.0.1.0/24']);
    assert.equal(verdictWords(config), { a: 'False OverlapsPool Stalled', b: 'True Serving' });
  });
  for (const [reason, addresses] of [
    ['InvalidAddressRange', ['10.0.0.9-10.0.0.1']],
    ['InvalidAddressRange', ['nonsense']],
    ['InvalidAddressRange', []],
    ['InvalidSpec', ['10.0.0.0/24', '10.0.0.7/32']],
  ] as const)
    test(`refuses ${JSON.stringify(addresses)} as ${reason}, and what was in force stays`, () => {
      const pools = [poolObject('a', addresses)];
      assert.equal(inForceWords(resolve({ pools })), []);
      const config = resolve({ pools, inForce: inForceOf(poolObject('a', ['10.0.0.0/24'])) });
      assert.equal(inForceWords(config), ['a: 10.0.0.0/24']);
      assert.equal(verdictWords(config), { a: `False ${reason} Stalled` });
    });
  test('refuses a selector with an unknown operator', () => {
    const serviceSelectors = [{ matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] }];
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/24'], { serviceAllocation: { serviceSelectors } })] });
    assert.equal(verdictWords(config), { a: 'False InvalidSelector Stalled' });
  });
  test('refuses pools outside of the watched namespaces, and those that another one of their name shadows', () => {
    const pools = [
      poolObject('a', ['10.0.0.0/24'], { metadata: { namespace: 'metallb-system' } }),
      poolObject('a', ['10.0.1.0/24'], { metadata: later }),
      poolObject('b', ['10.0.2.0/24'], { metadata: { namespace: 'shop' } }),
    ];
    const { verdicts, ...config } = resolve({ pools });
    const reasonOf = (ref: string) => verdicts.get(ref)?.conditions.find(({ type }) => type === 'Ready')?.reason;
    assert.equal(inForceWords({ verdicts, ...config }), ['a: 10.0.1.0/24']);
    assert.is(reasonOf('IPAddressPool/metallb-system/a'), 'Shadowed');
    assert.is(reasonOf('IPAddressPool/shop/b'), 'NamespaceNotWatched');
  });
});

spec('changes to pools in use', (test) => {
  const before = poolObject('a', ['10.0.0.0/24']);
  const inForce = inForceOf(before);

  test('a change that takes away an address in use is refused, and says whose', () => {
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/28'])], inForce, heldAddresses: [held('10.0.0.77')] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24']);
    assert.equal(verdictWords(config), { a: 'False WouldBreakServices Stalled' });
    const message = config.verdicts.get('IPAddressPool/herald-system/a')?.conditions[0]?.message ?? '';
    assert.match(message, '10.0.0.77 of shop/web');
  });
  test('the same change is taken when nobody holds such an address', () => {
    const config = resolve({ pools: [poolObject('a', ['10.0.0.0/28'])], inForce, heldAddresses: [held('10.0.0.7')] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/28']);
    assert.equal(verdictWords(config), { a: 'True Serving' });
  });
  test('avoidBuggyIPs and serviceAllocation count like ranges', () => {
    const buggy = resolve({
      pools: [poolObject('a', ['10.0.0.0/24'], { avoidBuggyIPs: true })],
      inForce,
      heldAddresses: [held('10.0.0.0')],
    });
    assert.equal(verdictWords(buggy), { a: 'False WouldBreakServices Stalled' });
    const elsewhere = resolve({
      pools: [poolObject('a', ['10.0.0.0/24'], { serviceAllocation: { namespaces: ['prod'] } })],
      inForce,
      heldAddresses: [held('10.0.0.1')],
    });
    assert.equal(verdictWords(elsewhere), { a: 'False WouldBreakServices Stalled' });
  });
  test('ranges move from one pool to another in one step', () => {
    const pools = [poolObject('a', ['10.0.0.0/25']), poolObject('b', ['10.0.0.128/25'], { metadata: later })];
    const config = resolve({ pools, inForce, heldAddresses: [held('10.0.0.200')] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/25', 'b: 10.0.0.128/25']);
  });
  test('a deleted pool leaves a remnant while its addresses are in use', () => {
    const config = resolve({ inForce, heldAddresses: [held('10.0.0.7')] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24 (remnant)']);
    assert.equal(inForceWords(resolve({ inForce: config.inForce })), []);
  });
  test('a pool that comes back takes its remnant over', () => {
    const remnant = resolve({ inForce, heldAddresses: [held('10.0.0.7')] }).inForce;
    const config = resolve({ pools: [before], inForce: remnant, heldAddresses: [held('10.0.0.7')] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24']);
    assert.equal(verdictWords(config), { a: 'True Serving' });
  });
  test('a pool that comes back without the addresses in use is refused, and the remnant stays', () => {
    const remnant = resolve({ inForce, heldAddresses: [held('10.0.0.77')] }).inForce;
    const config = resolve({
      pools: [poolObject('a', ['10.0.0.0/28'])],
      inForce: remnant,
      heldAddresses: [held('10.0.0.77')],
    });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24 (remnant)']);
    assert.equal(verdictWords(config), { a: 'False WouldBreakServices Stalled' });
  });
  test('a remnant does not keep a new pool from its ranges', () => {
    const remnant = resolve({ inForce, heldAddresses: [held('10.0.0.77')] }).inForce;
    const config = resolve({
      pools: [poolObject('b', ['10.0.0.0/28'])],
      inForce: remnant,
      heldAddresses: [held('10.0.0.77')],
    });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24 (remnant)', 'b: 10.0.0.0/28']);
    // Where both hold an address, the live pool is found first.
    assert.equal(
      config.pools.map(({ name }) => name),
      ['b', 'a'],
    );
  });
  test('a pool that comes back has no privilege over an older pool that is new too', () => {
    const remnant = resolve({ inForce, heldAddresses: [held('10.0.0.77')] }).inForce;
    const pools = [poolObject('a', ['10.0.0.0/24'], { metadata: later }), poolObject('b', ['10.0.0.0/28'])];
    const config = resolve({ pools, inForce: remnant, heldAddresses: [held('10.0.0.77')] });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24 (remnant)', 'b: 10.0.0.0/28']);
  });
  test('an old remnant, a new pool in its ranges and the old pool again settle without a loop', () => {
    const remnant = resolve({ inForce, heldAddresses: [held('10.0.0.77')] }).inForce;
    const b = poolObject('b', ['10.0.0.0/28']);
    const config = resolve({
      pools: [b, poolObject('a', ['10.0.0.0/24'], { metadata: later })],
      inForce: [...remnant, wantedEntry(b)],
      heldAddresses: [held('10.0.0.77')],
    });
    assert.equal(inForceWords(config), ['a: 10.0.0.0/24 (remnant)', 'b: 10.0.0.0/28']);
    assert.equal(verdictWords(config), { a: 'False OverlapsPool Stalled', b: 'True Serving' });
  });
  test('what it decided is decided again when nothing changed', () => {
    const objects = { pools: [poolObject('a', ['10.0.0.0/28'])], heldAddresses: [held('10.0.0.77')] };
    const first = resolve({ ...objects, inForce });
    assert.equal(resolve({ ...objects, inForce: first.inForce }).inForce, first.inForce);
  });
});

spec('entriesInForce', (test) => {
  const pool = poolObject('a', ['10.0.0.0/28']);
  const mirror = (pools: readonly PoolSetEntry[]) => ({
    apiVersion: 'heraldlb.io/v1alpha1',
    kind: 'PoolSet' as const,
    metadata: { name: 'herald' },
    pools,
  });
  const refused = {
    ...pool,
    status: { inForce: { addresses: ['10.0.0.0/24'], hash: 'h', generation: 1 }, conditions: [] },
  };
  const scope = { ownNamespace: 'herald-system', configNamespaces: ['metallb-system'] };
  const rebuilding = { ...scope, pools: [refused], held: [held('10.0.0.77', 'shop/web', 'a')] };

  test('are those of the mirror, whatever the pools say', () => {
    const stored = inForceOf(poolObject('a', ['10.9.0.0/24']));
    assert.equal(entriesInForce(mirror(stored), rebuilding), stored);
  });
  test('are rebuilt from the pools when the mirror is gone', () => {
    const rebuilt = entriesInForce(undefined, rebuilding);
    assert.equal(
      rebuilt.map(({ name, addresses, generation }) => ({ name, addresses, generation })),
      [{ name: 'a', addresses: ['10.0.0.0/24'], generation: 1 }],
    );
    const config = resolve({ pools: [refused], inForce: rebuilt, heldAddresses: [held('10.0.0.77')] });
    assert.equal(verdictWords(config), { a: 'False WouldBreakServices Stalled' });
  });
  test('are rebuilt from the Services where nothing else is left', () => {
    const rebuilt = entriesInForce(undefined, {
      ...scope,
      pools: [],
      held: [held('10.0.0.7', 'shop/web', 'lost'), held('2001:db8::7', 'shop/web', 'lost'), held('10.9.9.9')],
    });
    assert.equal(inForceWords(resolve({ inForce: rebuilt, heldAddresses: [held('10.0.0.7')] })), [
      'lost: 10.0.0.7/32 2001:db8::7/128 (remnant)',
    ]);
  });
  test('are rebuilt from the Services where their pool stands in a namespace that is not read', () => {
    const elsewhere = poolObject('a', ['10.0.0.0/24'], { metadata: { namespace: 'elsewhere' } });
    const rebuilt = entriesInForce(undefined, { ...rebuilding, pools: [elsewhere] });
    assert.equal(inForceWords(resolve({ pools: [elsewhere], inForce: rebuilt, heldAddresses: rebuilding.held })), [
      'a: 10.0.0.77/32 (remnant)',
    ]);
  });
});

spec('advertisements', (test) => {
  const pools = [
    poolObject('a', ['10.0.0.0/24'], { metadata: { labels: { site: 'x' } } }),
    poolObject('b', ['10.0.1.0/24']),
  ];

  test('that name no pool cover all', () => {
    const config = resolve({ pools, l2Advertisements: [l2Object('ad')] });
    assert.is(config.coverage.get('L2Advertisement/herald-system/ad'), 'all');
    assert.is(verdictWords(config)['ad'], 'True Announcing');
  });
  test('cover the union of names and selectors', () => {
    const l2Advertisements = [
      l2Object('ad', { ipAddressPools: ['b'], ipAddressPoolSelectors: [{ matchLabels: { site: 'x' } }] }),
    ];
    assert.is(resolve({ pools, l2Advertisements }).coverage.get('L2Advertisement/herald-system/ad'), 'a,b');
  });
  test('that name a missing pool say so, and stay in force for the others', () => {
    const config = resolve({ pools, l2Advertisements: [l2Object('ad', { ipAddressPools: ['a', 'nowhere'] })] });
    assert.is(verdictWords(config)['ad'], 'False PoolNotFound Reconciling');
    assert.equal(
      config.l2Advertisements.map(({ name }) => name),
      ['ad'],
    );
    assert.is(config.coverage.get('L2Advertisement/herald-system/ad'), 'a');
  });
  test('with a wrong selector are left out alone', () => {
    const nodeSelectors = [{ matchExpressions: [{ key: 'a', operator: 'In' }] }];
    const config = resolve({ pools, l2Advertisements: [l2Object('bad', { nodeSelectors }), l2Object('good')] });
    assert.is(verdictWords(config)['bad'], 'False InvalidSelector Stalled');
    assert.equal(
      config.l2Advertisements.map(({ name }) => name),
      ['good'],
    );
  });
  test('by BGP are told that nothing acts on them yet', () => {
    const config = resolve({
      pools,
      bgpPeers: [peerObject('tor')],
      bgpAdvertisements: [bgpObject('routes', { peers: ['nobody'] })],
    });
    const { tor, routes } = verdictWords(config);
    assert.equal([tor, routes], ['False BackendMissing Stalled', 'False BackendMissing Stalled']);
    assert.match(conditionWords(config, 'routes', 'ResolvedRefs') ?? '', 'False PeerNotFound');
  });
});
