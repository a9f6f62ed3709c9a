import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { ApiError, ConflictError } from './api-error.ts';
import { Controller, type Outcome } from './controller.ts';
import { eventually, memoryLogger } from './testing/waiting.ts';
import { WorkQueue } from './work-queue.ts';

const WAIT: Outcome = { next: 'WaitForChange' };

/** A controller over `reconcile` with two workers, until the test is over. */
async function running(
  reconcile: (key: string, signal: AbortSignal) => Promise<Outcome>,
  body: (parts: {
    controller: Controller;
    stop: AbortController;
    run: Promise<void>;
    results: string[];
    lines: string[];
  }) => Promise<void>,
): Promise<void> {
  const results: string[] = [];
  const log = memoryLogger();
  const metrics = { reconciled: (_name: string, result: string) => void results.push(result) };
  const queue = new WorkQueue({ baseDelayMs: 1, maxDelayMs: 4 });
  const controller = new Controller({ name: 'test', reconcile }, { workers: 2, log, queue, metrics });
  const stop = new AbortController();
  const run = controller.run(stop.signal);
  await body({ controller, stop, run, results, lines: log.lines });
  stop.abort();
  await run;
}

spec('controller', (test) => {
  test('reconciles several keys at once and one key never twice', async () => {
    const busy = new Set<string>();
    let most = 0;
    let isDouble = false;
    const reconcile = async (key: string) => {
      isDouble ||= busy.has(key);
      busy.add(key);
      most = Math.max(most, busy.size);
      await sleep(5);
      busy.delete(key);
      return WAIT;
    };
    await running(reconcile, async ({ controller, results }) => {
      for (const key of ['a', 'b', 'a', 'c']) controller.enqueue(key);
      await sleep(1);
      for (const key of ['a', 'b']) controller.enqueue(key);
      await eventually('all are done', () => results.length === 5);
      assert.is(most, 2);
      assert.not(isDouble);
    });
  });

  test('tries again what threw, and tells it once', () => {
    let tries = 0;
    const reconcile = async () => {
      tries += 1;
      if (tries < 4) throw new Error('not yet');
      return WAIT;
    };
    return running(reconcile, async ({ controller, results, lines }) => {
      controller.enqueue('a');
      await eventually('it went well', () => results.includes('success'));
      assert.equal(results, ['error', 'error', 'error', 'success']);
      assert.equal(lines, ['error reconcile failed']);
    });
  });

  test('a success ends the count of failures', () => {
    let tries = 0;
    const reconcile = async () => {
      tries += 1;
      if (tries !== 2) throw new Error('every time but the second');
      return WAIT;
    };
    return running(reconcile, async ({ controller, results, lines }) => {
      controller.enqueue('a');
      await eventually('it went well once', () => results.includes('success'));
      controller.enqueue('a');
      await eventually('it failed again', () => results.length > 2);
      assert.equal(lines, ['error reconcile failed', 'error reconcile failed']);
    });
  });

  test('what fails because it was told to stop is no error', () => {
    const reconcile = async (_key: string, signal: AbortSignal): Promise<Outcome> => {
      await sleep(1_000, undefined, { signal });
      return WAIT;
    };
    return running(reconcile, async ({ controller, stop, run, results, lines }) => {
      controller.enqueue('a');
      await sleep(1);
      stop.abort();
      await run;
      assert.equal([results, lines], [['retry'], []]);
    });
  });

  test('decides again after a conflict, which is no error', () => {
    let tries = 0;
    const reconcile = async () => {
      tries += 1;
      if (tries === 1) throw new ConflictError('changed');
      return WAIT;
    };
    return running(reconcile, async ({ controller, results, lines }) => {
      controller.enqueue('a');
      await eventually('it went well', () => results.includes('success'));
      assert.equal(results, ['retry', 'success']);
      assert.equal(lines, []);
    });
  });

  test('waits as long as the API server asks for', () => {
    const at: number[] = [];
    const reconcile = async () => {
      at.push(performance.now());
      if (at.length === 1) throw new ApiError(429, 'TooManyRequests', 'busy', { retryAfterMs: 60 });
      return WAIT;
    };
    return running(reconcile, async ({ controller, results }) => {
      controller.enqueue('a');
      await eventually('it ran twice', () => results.length === 2);
      const [first = 0, second = 0] = at;
      assert.ok(second - first > 55, `waited ${second - first} ms`);
    });
  });

  test('waits as after any failure where the API server asks for no wait', () => {
    let tries = 0;
    const reconcile = async () => {
      tries += 1;
      await new Promise(setImmediate);
      throw new ApiError(503, 'ServiceUnavailable', 'busy', { retryAfterMs: 0 });
    };
    return running(reconcile, async ({ controller }) => {
      controller.enqueue('a');
      await sleep(100);
      // At 1, 3, 7, 11 ... ms after the first.
      assert.ok(tries > 1 && tries < 40, `${tries} tries`);
    });
  });

  test('comes back after the time that the reconciler asks for', () => {
    const outcomes: Outcome[] = [{ next: 'RetryAfter', milliseconds: 10, because: 'a peer is down' }];
    return running(
      async () => outcomes.pop() ?? WAIT,
      async ({ controller, results }) => {
        controller.enqueue('a');
        await eventually('it ran twice', () => results.length === 2);
      },
    );
  });

  test('ends when what was under way has ended', async () => {
    let isDone = false;
    const reconcile = async () => {
      await sleep(20);
      isDone = true;
      return WAIT;
    };
    await running(reconcile, async ({ controller, stop, run }) => {
      controller.enqueue('a');
      await sleep(1);
      stop.abort();
      await run;
      assert.ok(isDone);
    });
  });
});
