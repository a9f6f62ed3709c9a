/** Worker threads by name: beside their role in the sources, flat beside the entry point in the bundle. */

import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { exitAtOnce } from './libc.ts';

/** Where each thread's entry point lies in the sources, seen from this file. */
const SOURCES = {
  'clock-thread': '../speaker/clock-thread.ts',
  'wire-thread': '../speaker/wire-thread.ts',
} as const;

/** A thread of the speaker. */
export type ThreadName = keyof typeof SOURCES;

/** The module that the thread runs: `../speaker/<name>.ts` of the sources, `./<name>.js` of the bundle. */
export const threadModule = (name: ThreadName, importedFrom: string): URL =>
  new URL(importedFrom.endsWith('.ts') ? SOURCES[name] : `./${name}.js`, importedFrom);

/**
 * Starts a thread. An error that nothing in it catches is emitted as 'error' by the worker, which then ends.
 *
 * @param workerData plain data, cloned into the thread
 */
export function startThread(name: ThreadName, workerData: unknown): Worker {
  guardExit();
  return new Worker(threadModule(name, import.meta.url), { workerData, name });
}

let isExitGuarded = false;

/**
 * Makes every end of the process skip the teardown of running threads: koffi frees poll handles that libuv still uses
 * there, and the process would end by SIGSEGV instead of with its exit code. Listeners of 'exit' that are added later are not called.
 */
function guardExit(): void {
  if (isExitGuarded) return;
  isExitGuarded = true;
  // Node prints an uncaught error only after 'exit'
  process.on('uncaughtExceptionMonitor', (error) => writeSync(2, `${error.stack ?? error}\n`));
  process.on('exit', exitAtOnce);
}
