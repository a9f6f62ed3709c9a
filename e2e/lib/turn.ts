/** One at a time: scenarios, demo and benchmarks break nodes and heal them, so each waits for its turn at the cluster. */

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { places } from '../cluster/places.ts';
import { pause } from './wait-for.ts';

/** Beside the cluster, and not in the checkout: two checkouts share one cluster. */
const TURN = join(places.run, 'turn');
const ASK_EVERY_MS = 1_000;

/** Waits until no other process has its turn, and keeps the turn until this process ends. */
export async function takeTurn(who: string): Promise<void> {
  mkdirSync(places.run, { recursive: true });
  let told = '';
  while (!tryTake(who)) {
    const holder = existsSync(TURN) ? readFileSync(TURN, 'utf8') : '';
    if (holder !== told && holder !== '') console.log(`waiting for another run against the cluster to end: ${holder}`);
    told = holder;
    await pause(ASK_EVERY_MS);
  }
  process.on('exit', () => rmSync(TURN, { force: true }));
}

function tryTake(who: string): boolean {
  try {
    writeFileSync(TURN, `${process.pid} ${who}`, { flag: 'wx' });
    return true;
  } catch {
    const pid = existsSync(TURN) ? readFileSync(TURN, 'utf8').split(' ')[0] : undefined;
    // A holder that was killed could not give its turn back.
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(TURN, { force: true });
    return false;
  }
}
