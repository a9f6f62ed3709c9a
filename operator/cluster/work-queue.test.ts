import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { eventually } from './testing/waiting.ts';
import { WorkQueue, type WorkQueueMetrics } from './work-queue.ts';

spec('work queue', (test) => {
  test('gives keys in the order in which they came, each once', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    assert.is(queue.length, 3);
    assert.equal([await queue.get(), await queue.get(), await queue.get()], ['a', 'b', 'c']);
  });

  test('newest first gives what came last, and every fourth time what waits longest', async () => {
    const queue = new WorkQueue({ order: 'NewestFirst' });
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    for (const key of keys) queue.add(key);
    const taken: (string | undefined)[] = [await queue.get()];
    queue.add('new');
    queue.add('b');
    while (queue.length > 0) taken.push(await queue.get());
    assert.equal(taken, ['h', 'new', 'g', 'a', 'f', 'e', 'd', 'b', 'c']);
  });

  test('newest first gives a key once, also one that was the oldest and came again', async () => {
    const queue = new WorkQueue({ order: 'NewestFirst' });
    for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
    const taken: (string | undefined)[] = [];
    for (let at = 0; at < 4; at += 1) taken.push(await queue.get());
    assert.equal(taken, ['e', 'd', 'c', 'a']);
    queue.done('a');
    queue.add('a');
    assert.equal([await queue.get(), await queue.get(), queue.length], ['a', 'b', 0]);
    queue.add('z');
    assert.is(await queue.get(), 'z');
  });

  test('a key that is worked on is not given again before it is done', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.add('a');
    assert.is(queue.length, 0);
    queue.done('a');
    assert.is(queue.length, 1);
    assert.is(await queue.get(), 'a');
    queue.done('a');
    assert.is(queue.length, 0);
  });

  test('whoever waits gets the next key at once', async () => {
    const queue = new WorkQueue();
    const waiting = [queue.get(), queue.get()];
    queue.add('a');
    queue.add('b');
    assert.equal(await Promise.all(waiting), ['a', 'b']);
  });

  test('failures of a key wait longer each time, up to the cap, until it is forgotten', async () => {
    const delays: number[] = [];
    class Recording extends WorkQueue {
      override addAfter(_key: string, delayMs: number): void {
        delays.push(delayMs);
      }
    }
    const queue = new Recording({ baseDelayMs: 5, maxDelayMs: 30 });
    for (let failure = 0; failure < 5; failure += 1) queue.addRateLimited('a');
    assert.equal(delays, [5, 10, 20, 30, 30]);
    assert.is(queue.retriesOf('a'), 5);
    queue.forget('a');
    queue.addRateLimited('a');
    assert.is(delays.at(-1), 5);
  });

  test('of two delays for one key the shorter counts', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 10_000);
    queue.addAfter('a', 10);
    queue.addAfter('a', 5_000);
    assert.is(queue.length, 0);
    await eventually('it is there', () => queue.length === 1, 1_000);
    queue.shutDown();
  });

  test('a shut down queue lets its workers go and takes nothing more', async () => {
    const queue = new WorkQueue();
    const waiting = queue.get();
    queue.shutDown();
    queue.add('a');
    queue.addAfter('b', 1);
    await sleep(5);
    assert.is(await waiting, undefined);
    assert.is(await queue.get(), undefined);
  });

  test('a key re-added in work stays out of a queue that was shut down', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.shutDown();
    queue.done('a');
    assert.is(await queue.get(), undefined);
  });

  test('tells depth, waiting and working times', async () => {
    let now = 0;
    const told: string[] = [];
    const metrics: WorkQueueMetrics = {
      added: (depth) => told.push(`added ${depth}`),
      taken: (depth, waitedMs) => told.push(`taken ${depth} ${waitedMs}`),
      done: (workedMs) => told.push(`done ${workedMs}`),
      retried: () => told.push('retried'),
    };
    const queue = new WorkQueue({ metrics, now: () => now });
    queue.add('a');
    now = 30;
    await queue.get();
    now = 100;
    assert.equal(queue.workedOn(), [70]);
    queue.done('a');
    assert.equal(told, ['added 1', 'taken 0 30', 'done 70']);
  });
});
