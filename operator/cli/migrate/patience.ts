/** Patience with an API server that has just been given another definition. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError } from '../../cluster/api-error.ts';

const PAUSE_MS = 250;
const WITHIN_MS = 30_000;

/** Asks again while the answer is 429, "storage is (re)initializing", or as told. @throws {ApiError} when that does not end */
export async function patiently<T>(ask: () => Promise<T>, meanwhile: readonly number[] = [429]): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isBusy = error instanceof ApiError && meanwhile.includes(error.status);
      if (!isBusy || performance.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
