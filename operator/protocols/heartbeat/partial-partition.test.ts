/** Networks that are split in part: some nodes do not hear each other while the same clients hear them all. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { SimulatedMesh } from './simulated-mesh.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];

function running(names: readonly string[], latencyMs = 1): SimulatedMesh {
  const mesh = new SimulatedMesh(names, latencyMs);
  for (const name of names) {
    mesh.start(name);
    mesh.run(17); // so that their heartbeats do not come at the same time
  }
  mesh.run(2_000);
  return mesh;
}

const views = (mesh: SimulatedMesh, names: readonly string[]): string[] =>
  names.map((name) => mesh.available(name).join(''));

function cutBetween(mesh: SimulatedMesh, one: string, other: string): void {
  mesh.cutLink(one, other);
  mesh.cutLink(other, one);
}

/** Milliseconds until `holds`, at most 20 s. */
function until(mesh: SimulatedMesh, holds: () => boolean): number {
  const from = mesh.now;
  while (!holds() && mesh.now - from < 20_000) mesh.run(1);
  return mesh.now - from;
}

/** Numbers from 0 to 1, the same ones for a seed (a linear congruential generator). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

spec('partial partition', (test) => {
  test('two nodes that do not hear each other are alive for each other while a third hears both', () => {
    const mesh = running(['a', 'b', 'c']);
    const wrong = new Set<string>();
    cutBetween(mesh, 'a', 'b');
    mesh.run(5_000, () => {
      for (const view of views(mesh, ['a', 'b', 'c'])) if (view !== 'abc') wrong.add(view);
    });
    assert.equal([...wrong], [], 'not even for a moment');
  });
  test('so are two of which one hears the other', () => {
    const mesh = running(['a', 'b', 'c']);
    mesh.cutLink('a', 'b');
    mesh.run(5_000);
    assert.equal(views(mesh, ['a', 'b', 'c']), ['abc', 'abc', 'abc']);
  });
  test('so is everybody along a chain', () => {
    const mesh = running(NAMES);
    for (const [at, one] of NAMES.entries()) for (const other of NAMES.slice(at + 2)) cutBetween(mesh, one, other);
    mesh.run(5_000);
    assert.equal(views(mesh, NAMES), Array(5).fill('abcde'));
  });
  test('nor for a moment where datagrams are late, and one in a hundred gets lost', () => {
    for (const seed of [2, 4, 8, 10]) {
      const random = seeded(seed);
      const mesh = running(['a', 'b', 'c']);
      cutBetween(mesh, 'a', 'b');
      mesh.delayOf = () => (random() < 0.01 ? undefined : 1 + Math.floor(random() * 40));
      const wrong = new Set<string>();
      mesh.run(60_000, () => {
        for (const view of views(mesh, ['a', 'b', 'c'])) if (view !== 'abc') wrong.add(view);
      });
      assert.equal([...wrong], [], `seed ${seed}`);
    }
  });
  test('one that dies then is missed by all, one interval per hop and one more later', () => {
    const mesh = running(NAMES);
    for (const [at, one] of NAMES.entries()) for (const other of NAMES.slice(at + 2)) cutBetween(mesh, one, other);
    mesh.run(2_000);
    mesh.kill('e');
    const took = until(mesh, () => NAMES.slice(0, 4).every((name) => mesh.available(name).join('') === 'abcd'));
    assert.ok(took <= 300 + 4 * 100 + 20, `${took} ms`);
  });
  test('one that leaves then is succeeded within an interval', () => {
    const mesh = running(['a', 'b', 'c']);
    cutBetween(mesh, 'a', 'b');
    mesh.run(2_000);
    mesh.leave('a');
    assert.ok(until(mesh, () => mesh.available('b').join('') === 'bc') <= 5, 'the third hands it on at once');
  });
  test('one that is restarted then owns nothing until it may', () => {
    const mesh = running(['a', 'b', 'c']);
    cutBetween(mesh, 'a', 'b');
    mesh.run(2_000);
    mesh.kill('a');
    until(mesh, () => mesh.available('b').join('') === 'bc');
    mesh.start('a');
    mesh.inject('a', { kind: 'Ready', now: mesh.now, ready: false });
    mesh.run(2_000);
    assert.equal(views(mesh, ['b', 'c']), ['bc', 'bc']);
    mesh.inject('a', { kind: 'Ready', now: mesh.now, ready: true });
    mesh.run(150);
    assert.equal(views(mesh, ['a', 'b', 'c']), ['abc', 'abc', 'abc']);
  });
  test('nobody is kept alive by what others say of each other in a circle', () => {
    const mesh = running(NAMES);
    for (const name of NAMES.slice(1)) mesh.cutLink(name, 'a'); // all hear a, and a hears nobody
    const took = until(mesh, () => NAMES.slice(1).every((name) => mesh.available(name).join('') === 'bcde'));
    assert.ok(took <= 650, `two detection times: ${took} ms`);
    mesh.run(3_000);
    assert.equal(views(mesh, NAMES.slice(1)), Array(4).fill('bcde'));
  });
  test('a word of a third does not delay the takeover from one that is cut off whole', () => {
    for (const phase of [0, 7, 33, 71]) {
      const mesh = running(NAMES);
      mesh.run(phase);
      mesh.cut('c');
      const took = until(mesh, () => ['a', 'b', 'd', 'e'].every((name) => mesh.available(name).join('') === 'abde'));
      assert.ok(took <= 305, `${took} ms`);
    }
  });

  const pair = fc.subarray(NAMES, { minLength: 2, maxLength: 2 });
  test('all who are connected by mutual hearing agree, whatever links are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pair, fc.boolean()), { maxLength: 9 }), (cuts) => {
        const mesh = running(NAMES);
        const broken = new Set<string>();
        for (const [[one = '', other = ''], isOneWay] of cuts) {
          mesh.cutLink(one, other);
          if (!isOneWay) mesh.cutLink(other, one);
          broken.add(`${one}${other}`).add(`${other}${one}`);
        }
        mesh.run(12_000); // longer than a node that is cut off waits
        for (const name of NAMES)
          assert.is(mesh.available(name).join(''), reachableFrom(name, broken), JSON.stringify(cuts));
      }),
      { numRuns: 40 },
    );
  });
});

function reachableFrom(start: string, broken: ReadonlySet<string>): string {
  const reached = new Set([start]);
  for (const one of reached) for (const other of NAMES) if (!broken.has(`${one}${other}`)) reached.add(other);
  return [...reached].toSorted().join('');
}
