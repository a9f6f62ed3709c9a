/** Leaders on a real API server, each a process of its own: frozen, told to stop, killed. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { deleteObject } from './requests.ts';
import { resources } from './resource.ts';
import { connection, namespace, print, server } from './testing/real-cluster.ts';
import { eventually } from './testing/waiting.ts';

/** A leader in a process of its own (testing/frozen-leader.ts) and what it told. */
function startLeader(identity: string) {
  const program = join(import.meta.dirname, 'testing/frozen-leader.ts');
  const child = spawn(process.execPath, [program, server.address, identity], { stdio: ['ignore', 'pipe', 'inherit'] });
  const told: { readonly what: string; readonly at: number }[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    for (const what of chunk.toString().trim().split('\n')) told.push({ what, at: performance.now() });
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const count = (what: string) => told.filter((line) => line.what === what).length;
  const lastAt = (what: string) => told.findLast((line) => line.what === what)?.at ?? 0;
  return { identity, child, ended, count, lastAt };
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

/** Who wrote into the ConfigMap, in the order in which the API server took the writes. */
async function watchingWriters(body: (writers: string[]) => Promise<void>): Promise<void> {
  const path = '/api/v1/namespaces/default/configmaps';
  await connection.request({ method: 'POST', path, body: { metadata: { name: 'writes' } } });
  const writers: string[] = [];
  const known = new Set<string>();
  const stop = new AbortController();
  const query = { fieldSelector: 'metadata.name=writes', resourceVersion: '0' };
  const watching = (async () => {
    for await (const { object } of connection.watch<ConfigMap>(path, query, stop.signal)) {
      const keys = 'data' in object ? Object.keys(object.data ?? {}) : [];
      writers.push(...keys.filter((key) => !known.has(key)).map((key) => key.split('-')[0] ?? ''));
      for (const key of keys) known.add(key);
    }
  })();
  try {
    await body(writers);
  } finally {
    stop.abort();
    await watching;
    await connection.request({ method: 'DELETE', path: `${path}/writes` });
    const lease = { namespace, name: 'frozen' };
    await deleteObject(connection, resources.leases, lease);
  }
}

type Leader = ReturnType<typeof startLeader>;

/** Freezes one leader, lets the other one take over and write, and wakes the frozen one up. */
async function freezeUntilReplaced(frozen: Leader, other: Leader, writers: readonly string[]): Promise<void> {
  const [starts, stops] = [other.count('started'), frozen.count('stopped')];
  const frozenAt = performance.now();
  frozen.child.kill('SIGSTOP');
  await eventually('the other one leads', () => other.count('started') > starts, 6_000);
  const tookMs = other.lastAt('started') - frozenAt;
  assert.ok(tookMs > 2_400 && tookMs < 3_500, `took over after ${tookMs} ms`);
  await eventually('the other one writes', () => writers.at(-1) === other.identity);
  frozen.child.kill('SIGCONT');
  await eventually('the woken one notices', () => frozen.count('stopped') > stops);
  await sleep(700);
}

async function kill({ child, ended }: Leader): Promise<void> {
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await ended;
}

/** `a a b b a` is two changes. */
const changesOf = (writers: readonly string[]): number =>
  writers.filter((writer, at) => at > 0 && writers[at - 1] !== writer).length;

spec(
  'leaders on a real API server',
  (test) => {
    test('one that was frozen past its lease and woken writes nothing more', () =>
      watchingWriters(async (writers) => {
        const [a, b] = [startLeader('a'), startLeader('b')];
        try {
          await eventually('one writes', () => writers.length > 5, 10_000);
          const first = writers[0] === 'a' ? a : b;
          const second = first === a ? b : a;
          await freezeUntilReplaced(first, second, writers);
          assert.is(changesOf(writers), 1, writers.join(' '));
          await freezeUntilReplaced(second, first, writers);
          assert.is(changesOf(writers), 2, writers.join(' '));
        } finally {
          await Promise.all([kill(a), kill(b)]);
        }
      }));

    test('a leader that is told to stop is followed within 300 ms', () =>
      watchingWriters(async (writers) => {
        const first = startLeader('a');
        await eventually('it writes', () => writers.length > 5, 10_000);
        const second = startLeader('b');
        await sleep(1_500);
        const stoppedAt = performance.now();
        first.child.kill('SIGTERM');
        await eventually('the second one writes', () => writers.at(-1) === 'b', 5_000);
        const tookMs = performance.now() - stoppedAt;
        await first.ended;
        await sleep(300);
        second.child.kill('SIGTERM');
        await second.ended;
        print(`followed after ${Math.round(tookMs)} ms`);
        assert.ok(tookMs < 300, `took ${tookMs} ms`);
        assert.is(changesOf(writers), 1);
      }));

    test('a leader that is killed is followed within its lease', () =>
      watchingWriters(async (writers) => {
        const first = startLeader('a');
        await eventually('it writes', () => writers.length > 5, 10_000);
        const second = startLeader('b');
        await sleep(1_500);
        const killedAt = performance.now();
        first.child.kill('SIGKILL');
        await eventually('the second one writes', () => writers.at(-1) === 'b', 5_000);
        const tookMs = performance.now() - killedAt;
        second.child.kill('SIGTERM');
        await second.ended;
        print(`followed after ${Math.round(tookMs)} ms`);
        assert.ok(tookMs < 3_300, `took ${tookMs} ms`);
      }));
  },
  { timeoutMs: 60_000 },
);
