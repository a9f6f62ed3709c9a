/** The one way to declare tests: uvu without its holes. */

import { suite, type Test } from 'uvu';

/** How long one unit test may take. uvu itself waits for ever. */
const TEST_TIMEOUT_MS = 5_000;

type Define = (test: (name: string, body: () => unknown) => void) => void;

/** `timeoutMs` bounds one test: scenarios on a real cluster ask for more than a unit test. */
export interface SpecOptions {
  readonly timeoutMs?: number;
}

/**
 * Declares a uvu suite and runs it, which closes three holes of uvu 0.5: a file that forgets `.run()` passes,
 * a `before` hook that throws passes, and a test that waits on a live socket never ends. There are no hooks here:
 * a test builds what it needs by calling a function.
 */
export function spec(name: string, define: Define, { timeoutMs = TEST_TIMEOUT_MS }: SpecOptions = {}): void {
  const tests: Test = suite(name);
  let count = 0;
  define((title, body) => {
    count += 1;
    tests(title, () => withTimeout(body, title, timeoutMs));
  });
  if (count === 0) throw new Error(`spec ${name} has no test`);
  tests.run();
}

async function withTimeout(body: () => unknown, title: string, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, rejectWith) => {
    timer = setTimeout(() => rejectWith(new Error(`${title}: no end after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([body(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error that `body` ends with; uvu's `throws` neither awaits nor takes a class. */
export async function rejection<E extends Error>(
  kind: abstract new (...args: never[]) => E,
  body: () => unknown,
): Promise<E> {
  try {
    await body();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error(`expected ${kind.name}, nothing was thrown`);
}
