import * as assert from 'uvu/assert';
import { poolObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import { type IpAddress, parseIp } from '../net/address.ts';
import { ClusterRanges, podsIn } from './cluster-ranges.ts';
import { wantedEntry } from './pool-content.ts';
import type { Surroundings } from './surroundings.ts';

const CLUSTER: Surroundings = {
  nodes: [
    {
      metadata: { name: 'n1' },
      spec: { podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.0.2.1' },
          { type: 'Hostname', address: 'n1' },
        ],
      },
    },
    {
      metadata: { name: 'n2' },
      spec: { podCIDRs: ['10.244.2.0/24'] },
      status: { addresses: [{ type: 'ExternalIP', address: '2001:db8::2' }] },
    },
    { metadata: { name: 'bare' } },
  ],
  serviceRanges: [
    { metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/16', 'fd00:96::/112'] } },
    { metadata: { name: 'unread' } },
  ],
  podAddresses: [],
};
const judged = (addresses: readonly string[], more: Partial<Surroundings> = {}) =>
  resolve({ pools: [poolObject('a', addresses)], surroundings: { ...CLUSTER, ...more } });
const alive = (address: string): Partial<Surroundings> => ({ podAddresses: [{ pod: 'shop/web-0', address }] });

spec('a pool and the ranges of its cluster', (test) => {
  for (const addresses of [['10.96.255.255/32'], ['10.95.0.0-10.97.0.0'], ['192.168.0.0/24', 'fd00:96::7/128']])
    test(`${addresses} meets the Service range and is refused`, () => {
      const config = judged(addresses);
      assert.is(verdictWords(config)['a'], 'False OverlapsServiceRange Stalled');
      assert.match(conditionWords(config, 'a', 'Accepted') ?? '', '(ServiceCIDR kubernetes)');
      assert.equal(config.inForce, []);
    });
  for (const [addresses, node] of [
    [['10.244.2.128/25'], 'n2'],
    [['fd00:1::/48'], 'n1'],
    [['10.244.0.0/16'], 'n2'],
  ] as const) {
    test(`${addresses} meets the pod range of ${node} and is warned of it`, () => {
      const config = judged(addresses);
      assert.is(verdictWords(config)['a'], 'True Serving');
      assert.match(conditionWords(config, 'a', 'Conflicting') ?? '', `True OverlapsPodRange: `);
      assert.match(conditionWords(config, 'a', 'Conflicting') ?? '', `of node ${node}`);
    });
  }
  test('is refused where a living pod has an address of it, which is named', () => {
    const config = judged(['10.244.2.0/24'], alive('10.244.2.7'));
    assert.is(verdictWords(config)['a'], 'False OverlapsPodRange Stalled');
    assert.match(conditionWords(config, 'a', 'Accepted') ?? '', 'pod shop/web-0 lives at 10.244.2.7');
  });
  test('is warned alone where living pods have other addresses', () => {
    assert.is(verdictWords(judged(['10.244.2.0/28'], alive('10.244.2.77')))['a'], 'True Serving');
  });
  for (const [address, node] of [
    ['192.0.2.1', 'n1'],
    ['2001:db8::2', 'n2'],
  ] as const)
    test(`that has ${address} is warned that it is the one of ${node}`, () => {
      const config = judged([`${address}-${address}`]);
      assert.is(verdictWords(config)['a'], 'True Serving');
      const words = `True ContainsNodeAddress: The pool has ${address}, the address of node ${node}.`;
      assert.is(conditionWords(config, 'a', 'Conflicting'), words);
    });
  test('that meets nothing is told nothing', () => {
    const config = judged(['203.0.113.0/24', '2001:db8:1::/64'], alive('203.0.113.7'));
    assert.is(verdictWords(config)['a'], 'True Serving');
    assert.is(conditionWords(config, 'a', 'Conflicting'), undefined);
  });
  test('stays in force where the cluster got the range later, and is told', () => {
    const pool = poolObject('a', ['10.96.0.0/24']);
    const config = resolve({ pools: [pool], inForce: [wantedEntry(pool)], surroundings: CLUSTER });
    assert.is(verdictWords(config)['a'], 'False OverlapsServiceRange Stalled');
    assert.is(config.pools.length, 1);
  });
  test('is looked into for pods only where it meets a range of theirs', () => {
    const ranges = new ClusterRanges(CLUSTER);
    const [met, other] = [poolObject('a', ['10.244.1.9/32']), poolObject('b', ['10.245.0.0/16', 'nonsense'])];
    assert.equal(
      [met, other].map((pool) => ranges.meetsPodRange(pool)),
      [true, false],
    );
    const pods = ['10.244.1.9', '10.244.1.8', 'fd00::1'].map((address) => ({ pod: 'shop/web-0', address }));
    assert.equal(podsIn([met], pods), pods.slice(0, 1));
  });
  test('reads nodes whose pod ranges contain each other', () => {
    const nodes = ['10.0.0.0/8', '10.1.0.0/24'].map((range) => ({
      metadata: { name: range },
      spec: { podCIDRs: [range] },
    }));
    assert.match(conditionWords(judged(['10.2.0.0/24'], { nodes }), 'a', 'Conflicting') ?? '', 'of node 10.0.0.0/8');
  });
  for (const [address, use] of [
    ['10.96.0.7', 'lies in a range that the cluster gives to Services'],
    ['fd00:1::7', 'lies in the pod range of node n1'],
    ['2001:db8::2', 'is the address of node n2'],
    ['192.0.2.2', undefined],
  ] as const)
    test(`${address} ${use ?? 'is used for nothing'}`, () => {
      assert.is(new ClusterRanges(CLUSTER).useOf(parseIp(address) as IpAddress), use);
    });
});
