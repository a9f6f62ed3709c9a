import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type MembershipEvent, stepMembership } from './membership.ts';
import { agreedAlgorithmVersion, initialMembership, isIsolated, nextWakeup } from './membership-state.ts';
import { nodeIdOf } from './node-id.ts';
import { SimulatedMesh } from './simulated-mesh.ts';

const ABC = ['a', 'b', 'c'];

/** A mesh after its start, everybody alive. */
function running(names: readonly string[] = ABC): SimulatedMesh {
  const mesh = new SimulatedMesh(names);
  mesh.startAll();
  mesh.run(2_000);
  return mesh;
}

/** Milliseconds until `holds`, at most `limit`. */
function until(mesh: SimulatedMesh, holds: () => boolean, limit = 20_000): number {
  const from = mesh.now;
  while (!holds() && mesh.now - from < limit) mesh.run(1);
  return mesh.now - from;
}
const sees = (mesh: SimulatedMesh, who: string, nodes: string) => mesh.available(who).join('') === nodes;
const publishedSince = (mesh: SimulatedMesh, name: string, since: number) =>
  mesh.station(name).log.filter(({ at, effect }) => at > since && effect.do === 'PublishAvailable');
const drops = (mesh: SimulatedMesh, name: string) =>
  mesh.station(name).log.flatMap(({ effect }) => (effect.do === 'CountDrop' ? [effect.reason] : []));
const announcedAgain = (mesh: SimulatedMesh, name: string, since: number) =>
  mesh
    .station(name)
    .log.some(({ at, effect }) => at > since && effect.do === 'PublishAvailable' && effect.announceAgain);
const lastHeartbeat = (mesh: SimulatedMesh, name: string): Heartbeat => {
  const sent = mesh
    .station(name)
    .log.flatMap(({ effect }) => (effect.do === 'SendHeartbeat' ? [effect.heartbeat] : []));
  return sent.at(-1) as Heartbeat;
};

spec('membership', (test) => {
  test('sees everybody soon after a common start', () => {
    const mesh = new SimulatedMesh(ABC);
    mesh.startAll();
    const took = until(mesh, () => ABC.every((name) => sees(mesh, name, 'abc')));
    assert.ok(took < 400, `${took} ms`);
  });
  test('owns at once where there are no peers', () => {
    const mesh = new SimulatedMesh(['a']);
    mesh.start('a');
    assert.equal(mesh.available('a'), ['a']);
  });
  test('waits for the peers it does not hear before it owns, then goes without them', () => {
    const mesh = new SimulatedMesh(ABC);
    mesh.start('a');
    const took = until(mesh, () => sees(mesh, 'a', 'a'));
    assert.ok(took >= 1_300 && took <= 1_400, `${took} ms`);
  });
  test('takes a dead peer out within 3 intervals after its last heartbeat', () => {
    const mesh = running();
    mesh.kill('c');
    const took = until(mesh, () => sees(mesh, 'a', 'ab') && sees(mesh, 'b', 'ab'));
    assert.ok(took > 190 && took <= 305, `${took} ms`);
  });
  test('takes over from the only peer, because nobody else can', () => {
    const mesh = running(['a', 'b']);
    mesh.cut('b');
    assert.ok(until(mesh, () => sees(mesh, 'a', 'a')) <= 305);
  });
  test('takes over from two peers that die one soon after the other', () => {
    const mesh = running();
    mesh.kill('b');
    until(mesh, () => sees(mesh, 'a', 'ac'));
    mesh.kill('c');
    assert.ok(until(mesh, () => sees(mesh, 'a', 'a')) <= 305);
  });
  test('does not take over when it is itself cut off, until the hold is over', () => {
    const mesh = new SimulatedMesh(ABC);
    for (const name of ABC) {
      mesh.start(name);
      mesh.run(30); // so that their heartbeats do not come, and end, at the same time
    }
    mesh.run(2_000);
    const cutAt = mesh.now;
    mesh.cut('a');
    mesh.run(1_000);
    assert.equal(publishedSince(mesh, 'a', cutAt), [], 'not even for a moment');
    assert.equal(mesh.available('a'), ABC);
    assert.ok(isIsolated(mesh.station('a').membership));
    assert.equal(mesh.available('b'), ['b', 'c']);
    mesh.run(9_000);
    assert.equal(mesh.available('a'), ABC);
    mesh.run(1_000);
    assert.equal(mesh.available('a'), ['a']);
    assert.not.ok(isIsolated(mesh.station('a').membership));
  });
  test('announces again when a peer comes back that was cut off, and not when it was restarted', () => {
    const mesh = running();
    mesh.cut('a');
    mesh.run(1_000);
    const healedAt = mesh.now;
    mesh.heal();
    assert.ok(until(mesh, () => ABC.every((name) => sees(mesh, name, 'abc'))) < 300);
    for (const name of ABC) assert.ok(announcedAgain(mesh, name, healedAt), name);

    mesh.kill('c');
    mesh.run(1_000);
    const restartedAt = mesh.now;
    mesh.start('c');
    mesh.run(2_000);
    assert.equal(mesh.available('a'), ABC);
    for (const name of ABC) assert.not.ok(announcedAgain(mesh, name, restartedAt), name);
  });
  test('counts a returning peer only once it is ready', () => {
    const mesh = running();
    mesh.kill('c');
    mesh.run(1_000);
    mesh.start('c');
    mesh.inject('c', { kind: 'Ready', now: mesh.now, ready: false });
    mesh.run(2_000);
    assert.equal(mesh.available('a'), ['a', 'b']);
    mesh.inject('c', { kind: 'Ready', now: mesh.now, ready: true });
    assert.ok(until(mesh, () => sees(mesh, 'a', 'abc')) <= 2, 'the flag does not wait for the interval');
  });
  test('hands over at once when a node leaves, and tells it when everybody knows', () => {
    const mesh = running();
    mesh.leave('b');
    const left = () => mesh.station('b').log.find(({ effect }) => effect.do === 'LeaveAcknowledged');
    const took = until(mesh, () => left() !== undefined);
    assert.ok(took <= 4, `${took} ms`);
    assert.equal(left()?.effect, { do: 'LeaveAcknowledged', missing: [] });
    assert.equal(
      [mesh.available('a'), mesh.available('c')],
      [
        ['a', 'c'],
        ['a', 'c'],
      ],
    );
    assert.ok(mesh.available('b').includes('b'), 'the leaving node answers until the process stops it');
  });
  test('leaves after a second though a peer that lives does not answer', () => {
    const mesh = running();
    mesh.cutLink('b', 'c');
    mesh.freeze('c', 60_000);
    mesh.leave('b');
    const left = () => mesh.station('b').log.some(({ effect }) => effect.do === 'LeaveAcknowledged');
    assert.ok(until(mesh, left) <= 1_100);
  });
  test('does not count a peer that hears nobody, though all hear it', () => {
    const mesh = running();
    for (const name of ['a', 'b']) mesh.cutLink(name, 'c');
    mesh.run(1_000);
    assert.equal(
      [mesh.available('a'), mesh.available('b')],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    );
  });
  test('does not take its own stall for the death of others', () => {
    for (const stall of [150, 400, 1_000, 5_000]) {
      const mesh = running();
      const frozenAt = mesh.now;
      mesh.freeze('a', stall);
      mesh.run(stall + 1_000);
      const lost = mesh
        .station('a')
        .log.filter(({ at, effect }) => at > frozenAt && effect.do === 'PublishAvailable' && effect.nodes.length < 2);
      assert.equal(lost, [], `${stall} ms`);
      assert.equal(mesh.available('a'), ABC);
    }
  });
  test('takes nothing over after a stall, though its peers have buried it, and announces again what they took', () => {
    for (const phase of [0, 30])
      for (const stall of [400, 5_000]) {
        const mesh = new SimulatedMesh(ABC);
        for (const name of ABC) {
          mesh.start(name);
          mesh.run(phase);
        }
        mesh.run(2_000);
        const frozenAt = mesh.now;
        mesh.freeze('a', stall);
        mesh.run(stall - 10);
        assert.equal(mesh.available('b'), ['b', 'c']);
        mesh.run(1_000);
        const published = publishedSince(mesh, 'a', frozenAt).flatMap(({ effect }) =>
          effect.do === 'PublishAvailable' ? [effect.nodes.join('')] : [],
        );
        assert.equal(
          published.filter((nodes) => nodes !== 'abc'),
          [],
          `${stall} ms`,
        );
        assert.ok(announcedAgain(mesh, 'a', frozenAt + stall - 1));
      }
  });
  test('takes nothing over while nobody hears it, until the hold is over', () => {
    const mesh = running();
    const cutAt = mesh.now;
    for (const other of ['b', 'c']) mesh.cutLink('a', other);
    mesh.run(9_000);
    assert.equal([mesh.available('a'), mesh.available('b')], [ABC, ['b', 'c']]);
    assert.equal(publishedSince(mesh, 'a', cutAt), []);
    mesh.heal();
    mesh.run(500);
    assert.equal([mesh.available('a'), mesh.available('b')], [ABC, ABC]);
    assert.ok(announcedAgain(mesh, 'a', cutAt));
  });
  test('doubts itself before it buries a peer while its own timer is late, even with no input waiting', () => {
    const mesh = running();
    const { membership } = mesh.station('a');
    const lateBy = 250;
    const now = nextWakeup(membership) + lateBy;
    const [late] = stepMembership(membership, { kind: 'Tick', now });
    assert.equal(late.available, ABC);
    const [later] = stepMembership(late, { kind: 'Tick', now: now + 300 });
    assert.equal(later.peers.get('c')?.health, 'Dead');
  });
  test('finds a dead peer at most one detection time later when its own timer is late', () => {
    const mesh = running();
    mesh.kill('c');
    mesh.freeze('a', 2_000);
    mesh.run(2_000);
    assert.ok(until(mesh, () => sees(mesh, 'a', 'ab')) <= 305);
  });
  test('keeps a late joiner out until it was heard', () => {
    const mesh = running();
    mesh.inject('a', { kind: 'Peers', now: mesh.now, nodes: [...ABC, 'd'] });
    mesh.run(500);
    assert.equal(mesh.available('a'), ABC);
    assert.is(mesh.station('a').membership.peers.get('d')?.health, 'Dead');
  });
  test('uses the lowest algorithm version among the living', () => {
    const mesh = running();
    const newer = { ...lastHeartbeat(mesh, 'b'), sequence: 1_000_000, algorithmVersion: 3 };
    mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: newer });
    assert.is(agreedAlgorithmVersion(mesh.station('a').membership), 1);
  });
});

spec('replay guard', (test) => {
  test('drops a heartbeat that comes twice, and one of an earlier incarnation', () => {
    const mesh = running();
    const recorded = lastHeartbeat(mesh, 'c');
    mesh.run(200);
    mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: recorded });
    mesh.kill('c');
    mesh.run(1_000);
    mesh.start('c');
    mesh.run(2_000);
    mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: recorded });
    assert.equal(drops(mesh, 'a'), ['Replayed', 'OldIncarnation']);
  });
  test('drops strangers and echoes of itself', () => {
    const mesh = running();
    mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: { ...lastHeartbeat(mesh, 'c'), node: 'x' } });
    mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: lastHeartbeat(mesh, 'a') });
    assert.equal(drops(mesh, 'a'), ['UnknownPeer', 'OwnHeartbeat']);
  });
  test('believes a peer whose clock was set back, because its receipts are fresh', () => {
    const mesh = running();
    mesh.kill('c');
    mesh.run(1_000);
    mesh.start('c', 5);
    assert.ok(until(mesh, () => ABC.every((name) => sees(mesh, name, 'abc'))) < 1_500);
  });
  test('revives no dead peer by what was recorded of it', () => {
    const mesh = running();
    const recorded = lastHeartbeat(mesh, 'c');
    mesh.kill('c');
    mesh.run(1_000);
    mesh.kill('a');
    mesh.run(1_000);
    mesh.start('a'); // a new incarnation has no memory of sequences
    mesh.run(2_000);
    mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: recorded });
    assert.equal(mesh.available('a'), ['a', 'b']);
  });
});

const views = (mesh: SimulatedMesh) => ABC.map((name) => mesh.available(name));

function revive(mesh: SimulatedMesh): void {
  for (const name of ABC) if (!mesh.station(name).isRunning) mesh.start(name);
}

/** 'cut a' and the like, then a pause. */
function act(mesh: SimulatedMesh, what: string, pauseMs: number): void {
  const [verb, name = ''] = what.split(' ');
  if (verb === 'cut') mesh.cut(name);
  if (verb === 'kill') mesh.kill(name);
  if (verb === 'freeze') mesh.freeze(name, 700);
  if (verb === 'heal') mesh.heal();
  mesh.run(pauseMs);
}

spec('membership properties', (test) => {
  const action = fc.constantFrom(
    'cut a',
    'cut b',
    'cut c',
    'kill a',
    'kill b',
    'kill c',
    'freeze a',
    'freeze c',
    'heal',
  );
  test('everybody agrees on everybody once all faults are over', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(action, fc.integer({ min: 1, max: 1_500 })), { maxLength: 8 }), (story) => {
        const mesh = running();
        for (const [what, pause] of story) act(mesh, what, pause);
        mesh.heal();
        revive(mesh);
        mesh.run(3_500);
        assert.equal(views(mesh), [ABC, ABC, ABC], JSON.stringify(story));
      }),
      { numRuns: 40 },
    );
  });

  const word = {
    nodeId: fc.constantFrom(...['a', 'b', 'c', 'x'].map(nodeIdOf)),
    incarnation: fc.nat(9),
    sequence: fc.nat(65_535),
    ready: fc.boolean(),
    algorithmVersion: fc.nat(31),
  };
  const heartbeat: fc.Arbitrary<Heartbeat> = fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'x', ''),
    incarnation: fc.nat(5),
    sequence: fc.nat(50),
    algorithmVersion: fc.nat(255),
    intervalMs: fc.nat(65_535),
    ready: fc.boolean(),
    leaving: fc.boolean(),
    slow: fc.boolean(),
    readsExtensions: fc.boolean(),
    heard: fc.array(fc.record({ ...word, leavingSeen: fc.boolean(), alive: fc.boolean() }), { maxLength: 3 }),
    relayed: fc.array(fc.record({ ...word, leaving: fc.boolean() }), { maxLength: 3 }),
    taken: fc.array(fc.nat(3), { maxLength: 3 }),
  });
  const now = fc.nat(100_000);
  const event: fc.Arbitrary<MembershipEvent> = fc.oneof(
    fc.record({ kind: fc.constant('Heartbeat' as const), now, heartbeat }),
    fc.record({ kind: fc.constant('Tick' as const), now }),
    fc.record({ kind: fc.constant('Leave' as const), now }),
    fc.record({ kind: fc.constant('Took' as const), now, addresses: fc.array(fc.nat(3), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('Ready' as const), now, ready: fc.boolean() }),
    fc.record({ kind: fc.constant('Peers' as const), now, nodes: fc.subarray(['a', 'b', 'c', 'd']) }),
  );
  test('no event throws in any state, even when time runs backwards', () => {
    const waits = { startMarginMs: 1_000, isolationHoldMs: 10_000, leaveTimeoutMs: 1_000 };
    const config = { node: 'a', incarnation: 3, algorithmVersion: 1, intervalMs: 100, missed: 3, ...waits };
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = initialMembership(config, 0);
        for (const each of events) {
          [state] = stepMembership(state, each);
          assert.ok(Number.isFinite(nextWakeup(state)));
          assert.equal(state.available, [...new Set(state.available)].toSorted());
        }
      }),
      { numRuns: 300 },
    );
  });
});
