/** What tests of this folder wait with, and a log that keeps its lines. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../observability/log.ts';

/** Waits until `holds` is true. @throws when it is not within `withinMs` */
export async function eventually(what: string, holds: () => unknown, withinMs = 3_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

export interface MemoryLogger extends Logger {
  /** `warn watch interrupted`, one for each line. */
  readonly lines: string[];
}

export function memoryLogger(lines: string[] = []): MemoryLogger {
  const log = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return {
    lines,
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: () => memoryLogger(lines),
  };
}
