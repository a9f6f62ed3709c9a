import * as assert from 'uvu/assert';
import type { IpAddressPool, IpAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { ip } from '../../testing/allocation.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { decideInForce, type InForceDecision, type InForceInput } from './decide-in-force.ts';
import type { LabelledObject } from './pool.ts';
import { disruptionHash, wantedEntry } from './pool-content.ts';
import type { HeldAddress } from './stored-state.ts';

const held = (address: string, more: Partial<HeldAddress> = {}): HeldAddress => ({
  address: ip(address),
  service: 'shop/web',
  namespace: 'shop',
  pool: 'a',
  ...more,
});
const decide = (input: Partial<InForceInput>): InForceDecision =>
  decideInForce({ pools: [], before: [], held: [], namespaces: [], clusterRefusal: () => undefined, ...input });
const inForce = ({ entries }: InForceDecision): readonly string[] =>
  entries.map(({ name, addresses, deleted, keptNamespaces: kept }) =>
    [name, ...addresses, ...(deleted ? ['(remnant)'] : []), ...(kept ? [`(keeps ${kept})`] : [])].join(' '),
  );
const messageOf = ({ refusals }: InForceDecision): string => refusals.get('herald-system/a')?.message ?? '';

const before = [wantedEntry(poolObject('a', ['10.0.0.0/24']))];
const smaller = poolObject('a', ['10.0.0.0/28']);
const allowed = (pool: IpAddressPool, hash = disruptionHash(pool)): IpAddressPool => ({
  ...pool,
  metadata: { ...pool.metadata, annotations: { 'heraldlb.io/allow-disruption': hash } },
});

spec('a change that takes addresses away', (test) => {
  const inUse = { before, held: [held('10.0.0.77')] };

  test('is refused with what it would take, and with what would allow it', () => {
    const decision = decide({ ...inUse, pools: [smaller] });
    assert.equal(inForce(decision), ['a 10.0.0.0/24']);
    assert.is(
      messageOf(decision),
      `The change would take away 10.0.0.77 of shop/web. To have it all the same, annotate the pool with heraldlb.io/allow-disruption: "${disruptionHash(smaller)}".`,
    );
  });
  test('is refused where it excludes what is in use, and taken where it excludes what is free', () => {
    const excluding = (exclude: string[]) => poolObject('a', ['10.0.0.0/24'], { exclude });
    assert.match(
      messageOf(decide({ ...inUse, pools: [excluding(['10.0.0.64/27'])] })),
      'take away 10.0.0.77 of shop/web',
    );
    const { entries, refusals } = decide({ ...inUse, pools: [excluding(['10.0.0.128/25'])] });
    assert.equal([entries[0]?.exclude, refusals.size], [['10.0.0.128/25'], 0]);
    // The address came back into the pool: that takes nothing away.
    assert.is(decide({ ...inUse, before: entries, pools: [poolObject('a', ['10.0.0.0/24'])] }).refusals.size, 0);
  });
  test('is not one that says how addresses are given', () => {
    const more = { drain: true, coolDown: '30s', spreadBy: 'hash', duplicateAddressDetection: true } as const;
    const { entries, refusals } = decide({ ...inUse, pools: [poolObject('a', ['10.0.0.0/24'], more)] });
    assert.equal([entries[0]?.drain, entries[0]?.coolDown, refusals.size], [true, '30s', 0]);
  });
  test('is refused where a Service has addresses of several pools, and loses that of one', () => {
    const both = [held('10.0.0.77', { requestedPool: 'a' }), held('10.1.0.1', { requestedPool: 'b', pool: 'b' })];
    const stored = [...before, wantedEntry(poolObject('b', ['10.1.0.0/24']))];
    const change = (...pools: IpAddressPool[]) => decide({ before: stored, held: both, pools });
    const { refusals } = change(poolObject('a', ['10.0.0.0/24']), poolObject('b', ['10.1.0.128/25']));
    assert.match(refusals.get('herald-system/b')?.message ?? '', 'take away 10.1.0.1 of shop/web');
    assert.is(refusals.size, 1);
    assert.match(messageOf(change(smaller, poolObject('b', ['10.1.0.0/24']))), 'take away 10.0.0.77 of shop/web');
  });
  test('names three Services and counts the others', () => {
    const many = ['10.0.0.77', '10.0.0.78', '10.0.0.79', '10.0.0.80'].map((address, at) =>
      held(address, { service: `shop/s${at}` }),
    );
    assert.match(messageOf(decide({ before, held: many, pools: [smaller] })), '10.0.0.79 of shop/s2 and 1 more.');
  });
  test('is in force when the annotation allows this very spec', () => {
    const decision = decide({ ...inUse, pools: [allowed(smaller)] });
    assert.equal([inForce(decision), decision.refusals.size], [['a 10.0.0.0/28'], 0]);
  });
  test('is refused when the annotation allows another spec, and says which hash is there and which fits', () => {
    const stale = disruptionHash(poolObject('a', ['10.0.0.0/27']));
    const decision = decide({ ...inUse, pools: [allowed(smaller, stale)] });
    assert.equal(inForce(decision), ['a 10.0.0.0/24']);
    assert.match(
      messageOf(decision),
      `is "${stale}", which does not allow this spec; "${disruptionHash(smaller)}" does.`,
    );
  });
  test('is in force under reassign, and then a deleted pool leaves nothing either', () => {
    const breakingChanges = 'reassign';
    assert.equal(inForce(decide({ ...inUse, breakingChanges, pools: [smaller] })), ['a 10.0.0.0/28']);
    assert.equal(inForce(decide({ ...inUse, breakingChanges })), []);
  });
  test('does not overlap another pool because it may disrupt', () => {
    const other = poolObject('b', ['10.0.1.0/24']);
    const pools = [allowed(poolObject('a', ['10.0.1.0/28'])), other];
    const decision = decide({ ...inUse, before: [...before, wantedEntry(other)], pools });
    assert.equal(inForce(decision), ['a 10.0.0.0/24', 'b 10.0.1.0/24']);
    assert.is(decision.refusals.get('herald-system/a')?.reason, 'OverlapsPool');
  });
  test('lets go of a remnant when the pool comes back and may disrupt', () => {
    const remnant = decide(inUse).entries;
    assert.equal(inForce({ entries: remnant, refusals: new Map() }), ['a 10.0.0.0/24 (remnant)']);
    assert.equal(inForce(decide({ ...inUse, before: remnant, pools: [allowed(smaller)] })), ['a 10.0.0.0/28']);
  });
});

spec('addresses are taken away as well', (test) => {
  test('by a new name of the pool, from a Service that names it', () => {
    const renamed = poolObject('b', ['10.0.0.0/24']);
    const asking = [held('10.0.0.77', { requestedPool: 'a' })];
    assert.equal(inForce(decide({ before, held: asking, pools: [renamed] })), [
      'a 10.0.0.0/24 (remnant)',
      'b 10.0.0.0/24',
    ]);
    assert.equal(inForce(decide({ before, held: [held('10.0.0.77')], pools: [renamed] })), ['b 10.0.0.0/24']);
  });
  test('by a move of one family to another pool, because a Service has addresses of one pool', () => {
    const both = [wantedEntry(poolObject('a', ['10.0.0.0/24', '2001:db8::/120']))];
    const moved = [poolObject('a', ['10.0.0.0/24']), poolObject('b', ['2001:db8::/120'])];
    const decision = decide({ before: both, held: [held('10.0.0.7'), held('2001:db8::7')], pools: moved });
    assert.equal(inForce(decision), ['a 10.0.0.0/24 2001:db8::/120']);
    assert.match(messageOf(decision), 'take away 2001:db8::7 of shop/web.');
  });
});

spec('a pool that joined Services of several namespaces', (test) => {
  const shared = poolObject('a', ['10.0.0.0/24'], { shareAcrossNamespaces: true });
  const apart = poolObject('a', ['10.0.0.0/24']);
  const older = held('10.0.0.7', { createdAt: '2026-01-01T00:00:00Z' });
  const younger = { service: 'prod/api', namespace: 'prod', createdAt: '2026-01-02T00:00:00Z' };
  const inUse = { before: [wantedEntry(shared)], held: [held('10.0.0.7', younger), older] };

  test('joins them still, until those go who would lose the address, or the annotation allows it', () => {
    const decision = decide({ ...inUse, pools: [apart] });
    assert.is(decision.entries[0]?.shareAcrossNamespaces, true);
    assert.match(messageOf(decision), 'The change would take away 10.0.0.7 of prod/api. To have it');
    for (const free of [{ pools: [allowed(apart)] }, { pools: [apart], held: [older] }]) {
      const { entries, refusals } = decide({ ...inUse, ...free });
      assert.equal([entries[0]?.shareAcrossNamespaces, refusals.size], [undefined, 0]);
    }
  });
  test('may cease to where nobody uses it: within a namespace, or where they never could', () => {
    const within = [older, held('10.0.0.7', { service: 'shop/api' }), held('10.0.0.8', younger)];
    assert.is(decide({ ...inUse, held: within, pools: [apart] }).refusals.size, 0);
    const never = { ...inUse, before: [wantedEntry(apart)] };
    assert.is(decide({ ...never, pools: [poolObject('a', ['10.0.0.0/25'])] }).refusals.size, 0);
  });
});

spec('labels of a namespace that a pool selects by', (test) => {
  const serviceAllocation: IpAddressPoolSpec['serviceAllocation'] = {
    namespaceSelectors: [{ matchLabels: { team: 'shop' } }],
  };
  const pool = poolObject('a', ['10.0.0.0/24'], { serviceAllocation });
  const namespace = (team: string): readonly LabelledObject[] => [{ metadata: { name: 'shop', labels: { team } } }];
  const selected = [wantedEntry(pool)];
  const inUse = { pools: [pool], before: selected, held: [held('10.0.0.7')] };

  test('take no address away when they change', () => {
    const decision = decide({ ...inUse, namespaces: namespace('other') });
    assert.equal(inForce(decision), ['a 10.0.0.0/24 (keeps shop)']);
    assert.match(
      messageOf(decision),
      'Its selectors do not choose namespace shop any more, which would take away 10.0',
    );
    // The same when it is decided again, by somebody who knows only what is stored.
    const again = decide({ ...inUse, namespaces: namespace('other'), before: decision.entries });
    assert.equal([again.entries, messageOf(again)], [decision.entries, messageOf(decision)]);
  });
  test('count as soon as nobody holds an address, or when they are put back', () => {
    const kept: readonly PoolSetEntry[] = decide({ ...inUse, namespaces: namespace('other') }).entries;
    const free = decide({ ...inUse, held: [], before: kept, namespaces: namespace('other') });
    assert.equal([inForce(free), free.refusals.size], [['a 10.0.0.0/24'], 0]);
    const back = decide({ ...inUse, before: kept, namespaces: namespace('shop') });
    assert.equal([inForce(back), back.refusals.size], [['a 10.0.0.0/24'], 0]);
  });
  test('count when the annotation allows this spec', () => {
    const decision = decide({ ...inUse, pools: [allowed(pool)], namespaces: namespace('other') });
    assert.equal([inForce(decision), decision.refusals.size], [['a 10.0.0.0/24'], 0]);
  });
  test('were never asked for what a Service holds of elsewhere', () => {
    const elsewhere = [held('10.0.0.7', { pool: 'b' })];
    const decision = decide({ ...inUse, held: elsewhere, namespaces: namespace('other') });
    assert.equal(inForce(decision), ['a 10.0.0.0/24']);
  });
});
