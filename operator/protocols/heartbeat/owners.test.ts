/** Who answers for an address while nodes are lost and come back, over links that lose and delay. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, MAX_HEARTBEAT_LENGTH } from './heartbeat.ts';
import { SimulatedMesh } from './simulated-mesh.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const KEY = new Uint8Array(32).fill(3);
/** Loses `percent` and delays by up to `jitterMs`, the same for the same seed. */
function weather(mesh: SimulatedMesh, seed: number, percent: number, jitterMs: number): void {
  let state = seed + 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  mesh.delayOf = () => (random(100) < percent ? undefined : 1 + random(jitterMs + 1));
}

/** Watches the running nodes: for how long on end none, or more than one, answers for an address of this order. */
class Watch {
  readonly #mesh: SimulatedMesh;
  readonly #order: readonly string[];
  readonly longest = { none: 0, several: 0 };
  #now = { none: 0, several: 0 };

  constructor(mesh: SimulatedMesh, order: readonly string[]) {
    this.#mesh = mesh;
    this.#order = order;
  }

  readonly look = (): void => {
    const count = NAMES.filter((name) => this.#answers(name)).length;
    this.#now = {
      none: count === 0 ? this.#now.none + 1 : 0,
      several: count > 1 ? this.#now.several + 1 : 0,
    };
    for (const kind of ['none', 'several'] as const) this.longest[kind] = Math.max(this.longest[kind], this.#now[kind]);
  };

  /** The next in order may die, too: a detection time begins with each loss. */
  lost(): void {
    this.#now = { ...this.#now, none: 0 };
  }

  #answers(name: string): boolean {
    if (!this.#mesh.station(name).isRunning) return false;
    const available = this.#mesh.available(name);
    return this.#order.find((each) => available.includes(each)) === name;
  }
}

function running(seed: number, percent: number, jitterMs: number): SimulatedMesh {
  const mesh = new SimulatedMesh(NAMES, 1, { startMarginMs: 300 });
  weather(mesh, seed, percent, jitterMs);
  mesh.startAll();
  mesh.run(3_000);
  return mesh;
}

/** Kills or restarts one, and at least two go on: with nobody else a node cannot know that it is not cut off. */
function act(mesh: SimulatedMesh, name: string): void {
  if (!mesh.station(name).isRunning) mesh.start(name);
  else if (NAMES.filter((each) => mesh.station(each).isRunning).length > 2) mesh.kill(name);
}

spec('owners', (test) => {
  const story = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 1_500 })), { maxLength: 8 });
  test('are one, but for a detection time after a loss and two heartbeats after a return', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(1), fc.nat(20), fc.shuffledSubarray(NAMES, { minLength: 4 }), story, (...given) => {
        const [seed, percent, jitterMs, order, actions] = given;
        const mesh = running(seed, percent, jitterMs);
        const watch = new Watch(mesh, order);
        for (const [name, pauseMs] of actions) {
          act(mesh, name);
          if (!mesh.station(name).isRunning) watch.lost();
          mesh.run(pauseMs, watch.look);
        }
        mesh.run(2_000, watch.look);
        // a heartbeat that got lost may have told a third of a later one, which tells the others an interval later
        assert.ok(watch.longest.none <= 300 + 100 + 2 * jitterMs + 5, `nobody for ${watch.longest.none} ms`);
        assert.ok(watch.longest.several <= 200 + 2 * jitterMs + 5, `two for ${watch.longest.several} ms`);
      }),
      { numRuns: 60 },
    );
  });
});

spec('a start', (test) => {
  test('beside one that has just died delays nobody who takes over from it', () => {
    for (let phase = 0; phase < 100; phase += 7) {
      const mesh = running(0, 0, 0);
      mesh.run(phase);
      const watch = new Watch(mesh, ['c', 'b', 'd', 'a']);
      mesh.kill('b');
      mesh.run(1, watch.look);
      mesh.kill('c');
      mesh.run(99, watch.look);
      mesh.start('b');
      mesh.run(2_000, watch.look);
      assert.ok(watch.longest.none <= 305, `nobody for ${watch.longest.none} ms`);
    }
  });
});

spec('replay', (test) => {
  test('of all that a node said revives it for nobody, though all others were restarted', () => {
    const mesh = new SimulatedMesh(['a', 'b', 'c']);
    mesh.startAll();
    mesh.run(5_000);
    const recorded = mesh
      .station('c')
      .log.flatMap(({ effect }) => (effect.do === 'SendHeartbeat' ? [overTheWire(effect.heartbeat)] : []));
    mesh.kill('c');
    for (const name of ['a', 'b']) mesh.kill(name);
    mesh.run(500);
    for (const name of ['a', 'b']) mesh.start(name);
    const believed = replayed(mesh, recorded, 60_000);
    assert.equal([believed, mesh.available('a')], [[], ['a', 'b']]);
    const lostAt = mesh.now;
    mesh.kill('b');
    while (mesh.available('a').includes('b')) {
      mesh.inject('a', { kind: 'Heartbeat', now: mesh.now, heartbeat: recorded[0] as Heartbeat });
      mesh.run(1);
    }
    assert.ok(mesh.now - lostAt <= 305, 'and delays no takeover');
  });
});

/** Sends to a and b, over and over, what was recorded. @returns when one of them believed that c lives */
function replayed(mesh: SimulatedMesh, recorded: readonly Heartbeat[], milliseconds: number): readonly number[] {
  const believed: number[] = [];
  const look = (): void => {
    if (['a', 'b'].some((name) => mesh.available(name).includes('c'))) believed.push(mesh.now);
  };
  for (let at = 0; at < milliseconds / 100; at++) {
    const heartbeat = recorded[at % recorded.length] as Heartbeat;
    for (const name of ['a', 'b']) mesh.inject(name, { kind: 'Heartbeat', now: mesh.now, heartbeat });
    mesh.run(100, look);
  }
  return believed;
}

/** As the network carries it. */
function overTheWire(heartbeat: Heartbeat): Heartbeat {
  const decoded = decodeHeartbeat(encodeHeartbeat(heartbeat, KEY, new Uint8Array(MAX_HEARTBEAT_LENGTH)), [KEY]);
  if (typeof decoded === 'string') throw new Error(decoded);
  return decoded;
}
