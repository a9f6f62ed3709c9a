import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import type { L2Announcement } from '../../advertising/announcement.ts';
import { ownerOf } from '../../election/rank.ts';
import { addressIdOf } from '../../protocols/heartbeat/extension.ts';
import { Ownership } from './ownership.ts';

const announce = (address: string, ...candidates: string[]): L2Announcement => ({
  service: `default/${address}`,
  address,
  candidates,
  interfaces: 'all',
});
const owned = (ownership: Ownership): string[] =>
  ownership
    .owned()
    .map(({ address }) => address)
    .sort();

spec('ownership', (test) => {
  const desired = [announce('1', 'a', 'b', 'c'), announce('2', 'b', 'a', 'c'), announce('3', 'c', 'b')];
  const rows: [name: string, available: string[][], gives: string[]][] = [
    ['nothing before anybody is available', [], []],
    ['what it is first for', [['a', 'b', 'c']], ['2']],
    [
      'what a lost node leaves it',
      [
        ['a', 'b', 'c'],
        ['b', 'c'],
      ],
      ['1', '2'],
    ],
    ['what several lost nodes leave it', [['a', 'b', 'c'], ['b']], ['1', '2', '3']],
    ['no longer what a returning node is better for', [['b'], ['a', 'b', 'c']], ['2']],
    [
      'nothing when it is not available itself',
      [
        ['a', 'b', 'c'],
        ['a', 'c'],
      ],
      [],
    ],
    [
      'all of it again when it returns',
      [
        ['a', 'c'],
        ['b', 'c'],
      ],
      ['1', '2'],
    ],
  ];
  for (const [name, views, gives] of rows)
    test(`of node b is ${name}`, () => {
      const ownership = new Ownership();
      ownership.setDesired('b', desired);
      for (const view of views) ownership.setAvailable(view);
      assert.equal(owned(ownership), gives);
    });

  test('of a node is, when sticky, what it had when a better node returns', () => {
    const ownership = new Ownership();
    ownership.setDesired('b', desired);
    ownership.setSticky(true);
    ownership.setAvailable(['b', 'c']);
    assert.ok(ownership.claim());
    assert.equal(ownership.claims(), ['1'], 'only what another is first for');
    ownership.setAvailable(['a', 'b', 'c']);
    assert.equal(owned(ownership), ['1', '2']);
    assert.not.ok(ownership.claim());
    ownership.setSticky(false);
    assert.equal(owned(ownership), ['2']);
    assert.ok(ownership.claim());
    assert.equal(ownership.claims(), []);
  });
  test('of a returning node is, when sticky, what no other claims', () => {
    const ownership = new Ownership();
    ownership.setDesired('a', desired);
    ownership.setSticky(true);
    ownership.setClaims('b', [addressIdOf('1')]);
    ownership.setAvailable(['a', 'b', 'c']);
    assert.equal(owned(ownership), []);
    ownership.setAvailable(['a', 'c']);
    assert.equal(owned(ownership), ['1', '2'], 'a claim dies with who made it');
  });
  test('of two that claim the same after a cut is what the better one claims', () => {
    const both = ['b', 'c'].map((node) => {
      const ownership = new Ownership();
      ownership.setDesired(node, desired);
      ownership.setSticky(true);
      ownership.setAvailable([node]);
      ownership.claim();
      return ownership;
    });
    const claims = both.map((ownership) => ownership.claims().map(addressIdOf));
    for (const ownership of both) ownership.setAvailable(['a', 'b', 'c']);
    both[0]?.setClaims('c', claims[1] ?? []);
    both[1]?.setClaims('b', claims[0] ?? []);
    // b claims 1 and 3, c claims 1 and 2: of 1 b is the better one, and 2 and 3 have one claim each
    assert.equal(both.map(owned), [['1', '3'], ['2']]);
  });

  test('says whether anything of this node has changed', () => {
    const ownership = new Ownership();
    ownership.setDesired('b', desired);
    const views = [['a', 'b', 'c'], ['a', 'b'], ['b'], ['b'], ['a', 'b']];
    assert.equal(
      views.map((view) => ownership.setAvailable(view)),
      [true, true, true, false, true],
    );
  });

  test('is, after any history, what one look at the last state gives', () => {
    const nodes = fc.subarray(['a', 'b', 'c', 'd']);
    const lists = fc.array(fc.shuffledSubarray(['a', 'b', 'c', 'd']), { maxLength: 8 });
    const steps = fc.array(
      fc.oneof(
        nodes.map((available) => ({ available })),
        lists.map((candidates) => ({ candidates })),
      ),
    );
    fc.assert(
      fc.property(steps, (history) => {
        const ownership = new Ownership();
        let available: string[] = [];
        let announcements: L2Announcement[] = [];
        for (const step of history) {
          if ('available' in step) {
            available = step.available;
            ownership.setAvailable(available);
          } else {
            announcements = step.candidates.map((candidates, n) => announce(`${n}`, ...candidates));
            ownership.setDesired('b', announcements);
          }
        }
        const expected = announcements
          .filter(({ candidates }) => ownerOf(candidates, (node) => available.includes(node)) === 'b')
          .map(({ address }) => address);
        assert.equal(owned(ownership), expected.sort());
      }),
    );
  });
});
