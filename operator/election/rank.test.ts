import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { ownerOf, rank } from './rank.ts';

spec('rank', (test) => {
  const metallb: [address: string, order: string[]][] = [
    ['10.20.30.1', ['iris2', 'iris1']],
    ['10.20.30.1', ['node-b', 'node-c', 'node-a']],
    ['10.20.30.1', ['kind-control-plane', 'kind-worker2', 'kind-worker']],
    ['10.0.0.1', ['node-b', 'node-a', 'node-c']],
    ['10.0.0.2', ['node-b', 'node-c', 'node-a']],
    ['192.168.1.100', ['node-c', 'node-b', 'node-a']],
  ];
  for (const [address, order] of metallb)
    test(`orders ${order.toSorted().join(', ')} for ${address} as MetalLB does`, () => {
      assert.equal(rank(order.toSorted(), address), order);
      assert.equal(rank(order.toReversed(), address), order);
    });
  test('hashes node, #, address', () => {
    const prefix = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
    assert.equal(
      ['iris1#10.20.30.1', 'iris2#10.20.30.1'].map(prefix),
      ['e42ad61a4159fa2d', 'af6cb4e7605814d2'], // MetalLB's own test vectors
    );
  });
});

spec('owner', (test) => {
  const cluster = fc.record({
    nodes: fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), { minLength: 1, maxLength: 12 }),
    address: fc.ipV4(),
  });
  test('is exactly one of the available nodes, whoever computes it', () => {
    fc.assert(
      fc.property(cluster, fc.infiniteStream(fc.boolean()), ({ nodes, address }, coins) => {
        const available = new Set(nodes.filter(() => coins.next().value));
        const views = [nodes, nodes.toReversed(), nodes.toSorted()];
        const owners = new Set(views.map((view) => ownerOf(rank(view, address), (node) => available.has(node))));
        assert.is(owners.size, 1);
        const [owner] = owners;
        assert.is(owner === undefined, available.size === 0);
        if (owner !== undefined) assert.ok(available.has(owner));
      }),
    );
  });
  test('changes for a lost node only if that node was the owner', () => {
    fc.assert(
      fc.property(cluster, fc.nat(), ({ nodes, address }, at) => {
        const lost = nodes[at % nodes.length];
        const before = ownerOf(rank(nodes, address), () => true);
        const after = ownerOf(rank(nodes, address), (node) => node !== lost);
        if (before !== lost) assert.is(after, before);
        else assert.is.not(after, lost);
      }),
    );
  });
  test('spreads addresses over the nodes', () => {
    const nodes = ['node-a', 'node-b', 'node-c'];
    const addresses = Array.from({ length: 250 }, (_, at) => `10.0.0.${at + 1}`);
    for (const node of nodes) {
      const owned = addresses.filter((address) => rank(nodes, address)[0] === node).length;
      assert.ok(owned > 50, `${node} owns ${owned} of 250`);
    }
  });
});
