/** Clusters in which nobody hears everybody. `NODES=1000` runs them at that size and prints the figures of docs/architecture.md. */

import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { FULL_MESH_NODES, neighboursAmong } from './dissemination.ts';
import type { Heartbeat } from './heartbeat.ts';
import { nodeIdOf } from './node-id.ts';
import { SimulatedMesh } from './simulated-mesh.ts';

const COUNT = Number(process.env['NODES'] ?? 70);
const NAMES = Array.from({ length: COUNT }, (_, at) => `node-${at}`);

/** One datagram in a hundred is lost, the same ones in every run. */
function onePercentLost(mesh: SimulatedMesh): void {
  let state = 1;
  mesh.delayOf = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % 100 === 0 ? undefined : 1;
  };
}

let started: SimulatedMesh | undefined;

/** One mesh for all tests, for it costs some seconds: each leaves everybody alive. */
function running(): SimulatedMesh {
  if (started) return started;
  const mesh = new SimulatedMesh(NAMES, 1, { startMarginMs: 300 });
  for (const name of NAMES) mesh.start(name);
  until(mesh, () => mesh.now % 20 === 0 && everybodySees(mesh, COUNT), 5_000);
  started = mesh;
  return mesh;
}

const everybodySees = (mesh: SimulatedMesh, count: number, but: readonly string[] = []): boolean =>
  NAMES.every((name) => but.includes(name) || mesh.available(name).length === count);

function until(mesh: SimulatedMesh, holds: () => boolean, limit: number): number {
  const from = mesh.now;
  while (!holds() && mesh.now - from < limit) mesh.run(1);
  return mesh.now - from;
}

spec(
  'dissemination',
  (test) => {
    test('gives each node a bounded number of neighbours, that all stay but a few when a node joins', () => {
      const many = Array.from({ length: 1_000 }, (_, at) => nodeIdOf(`node-${at}`));
      const pairs = neighboursAmong(many);
      const counts = pairs.map(({ length }) => length);
      assert.ok(
        Math.min(...counts) >= 10 && Math.max(...counts) <= 40,
        `${Math.min(...counts)}-${Math.max(...counts)}`,
      );
      const joined = neighboursAmong([...many, nodeIdOf('newcomer')]);
      const changed = pairs.filter((others, at) => others.some((other) => !joined[at]?.includes(other)));
      assert.ok(changed.length <= 40, `${changed.length}`);
    });
    test('tells everybody of a dead node soon after a detection time, and accuses nobody falsely though one datagram in a hundred is lost', () => {
      assert.ok(COUNT > FULL_MESH_NODES);
      const mesh = running();
      const startedAfter = mesh.now;
      assert.ok(everybodySees(mesh, COUNT), 'all see all');
      onePercentLost(mesh);
      const [sentBefore, at] = [mesh.sent, mesh.now];
      let falsely = 0;
      mesh.run(1_000, () => {
        if (mesh.now % 20 === 0 && !everybodySees(mesh, COUNT)) falsely += 1;
      });
      const perSecond = (mesh.sent - sentBefore) / COUNT / ((mesh.now - at) / 1_000);
      assert.is(falsely, 0);
      assert.ok(perSecond < 500, `${perSecond} datagrams per second and node`);
      mesh.kill('node-7');
      const took = until(mesh, () => everybodySees(mesh, COUNT - 1, ['node-7']), 2_000);
      assert.ok(took <= 500, `${took} ms`);
      mesh.start('node-7');
      until(mesh, () => everybodySees(mesh, COUNT), 5_000);
      if (process.env['NODES']) process.stdout.write(`${JSON.stringify({ COUNT, startedAfter, perSecond, took })}\n`);
    });
    test('lets a node that starts own nothing before it knows what all others say', () => {
      const mesh = running();
      mesh.kill('node-5');
      mesh.run(500);
      mesh.start('node-5');
      while (!mesh.available('node-5').includes('node-5')) mesh.run(1);
      assert.is(mesh.available('node-5').length, COUNT);
    });
    test('tells of a node that leaves, and of its return', () => {
      const mesh = running();
      until(mesh, () => everybodySees(mesh, COUNT), 5_000);
      mesh.leave('node-3');
      const left = until(mesh, () => everybodySees(mesh, COUNT - 1, ['node-3']), 2_000);
      assert.ok(left <= 150, `${left} ms`);
      mesh.kill('node-3');
      mesh.run(500);
      mesh.start('node-3');
      const returned = until(mesh, () => everybodySees(mesh, COUNT), 5_000);
      assert.ok(returned < 5_000, `${returned} ms`);
    });
    test('keeps a node alive for a neighbour that does not hear it while others do', () => {
      const mesh = running();
      const [other = ''] = mesh.station('node-2').membership.peers.keys();
      mesh.cutLink('node-2', other);
      mesh.cutLink(other, 'node-2');
      mesh.run(1_000);
      assert.ok(everybodySees(mesh, COUNT));
      mesh.heal();
      mesh.run(500);
    });
    test('listens to one of a version that knows no neighbours, and sends to it', () => {
      const mesh = running();
      const { membership, log } = mesh.station('node-1');
      const far = NAMES.find((name) => name !== 'node-1' && !membership.peers.has(name)) as string;
      const sent = log.flatMap(({ effect }) => (effect.do === 'SendHeartbeat' ? [effect.heartbeat] : []));
      const former = { ...(sent[0] as Heartbeat), node: far, incarnation: 9_999, readsExtensions: false, heard: [] };
      mesh.inject('node-1', { kind: 'Heartbeat', now: mesh.now, heartbeat: former });
      assert.ok(mesh.station('node-1').membership.peers.has(far));
      mesh.inject('node-1', { kind: 'Heartbeat', now: mesh.now, heartbeat: { ...former, node: 'stranger' } });
      assert.not.ok(mesh.station('node-1').membership.peers.has('stranger'));
    });
  },
  { timeoutMs: process.env['NODES'] ? 3_600_000 : 120_000 },
);
