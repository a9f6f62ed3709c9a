import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { SpeakerThreads } from './threads.ts';

/** Set in the process that does it: starts the real threads, lets them open their sockets, stops them and ends. */
const CHILD = 'start-and-stop';

async function startAndStop(): Promise<never> {
  const config = { node: 'a', incarnation: 1, algorithmVersion: 1, intervalMs: 100, missed: 3, startMarginMs: 1000 };
  const limits = { isolationHoldMs: 10_000, leaveTimeoutMs: 1000 };
  const threads = new SpeakerThreads(
    { config: { ...config, ...limits }, port: 0, bindAddress: '127.0.0.1' },
    (error) => {
      throw error;
    },
  );
  threads.toWire({ kind: 'Desired', node: 'a', announcements: [], excludeInterfaces: '^$' });
  threads.toWire({ kind: 'Available', nodes: ['a'], view: 1, announceAgain: false });
  await new Promise((resolve) => setTimeout(resolve, 700));
  await threads.stop();
  await threads.stop();
  process.exit(0);
}

if (process.argv[2] === CHILD) await startAndStop();

spec(
  'threads of the speaker',
  (test) => {
    test('end without ending the process by a signal, every time', () => {
      const ends = Array.from({ length: 4 }, () => {
        const { status, signal, stderr } = spawnSync(process.execPath, [import.meta.filename, CHILD], {
          encoding: 'utf8',
        });
        return `${status} ${signal} ${stderr}`.trim();
      });
      assert.equal(ends, Array(4).fill('0 null'));
    });
  },
  { timeoutMs: 30_000 },
);
