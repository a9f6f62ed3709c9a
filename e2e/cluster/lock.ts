/** One `make cluster` or `make cluster-down` at a time on a machine. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { startTimeOf } from './engine.ts';
import { places } from './places.ts';
import { Problem } from './problem.ts';

/**
 * Runs `body` while this process holds the lock; a lock whose holder is gone is taken over.
 * @throws Problem while another process holds it
 */
export async function withLock<T>(body: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(places.lock), { recursive: true });
  acquire();
  try {
    return await body();
  } finally {
    rmSync(places.lock, { force: true });
  }
}

function acquire(): void {
  const mine = `${process.pid} ${startTimeOf(process.pid)}`;
  try {
    writeFileSync(places.lock, mine, { flag: 'wx' });
  } catch {
    const [pid = '', startTime = ''] = readFileSync(places.lock, 'utf8').split(' ');
    if (startTimeOf(Number(pid)) === startTime) {
      throw new Problem(
        'Busy',
        `Process ${pid} is making or removing the cluster right now: wait for it, or end it by \`kill ${pid}\`.`,
      );
    }
    writeFileSync(places.lock, mine);
  }
}
