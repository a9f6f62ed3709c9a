/** Tells a person what is being done, for how long already and how long it usually takes. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const REMIND_EVERY_MS = 20_000;

/** A step's log file, for tools whose output nobody needs while all is well. */
export interface StepLog {
  readonly log: string;
}

/** Prints one line when a step starts, one every 20 s while it runs, one at its end. */
export class Progress {
  readonly #began = performance.now();
  readonly #logs: string;
  readonly #write: (line: string) => void;

  constructor(logs: string, write: (line: string) => void) {
    this.#logs = logs;
    this.#write = write;
    mkdirSync(logs, { recursive: true });
  }

  /** Seconds since the start. */
  get elapsed(): number {
    return (performance.now() - this.#began) / 1000;
  }

  /** Prints one line with the time since the start in front. */
  say(line: string): void {
    this.#write(`${this.elapsed.toFixed(1).padStart(6)} s  ${line}`);
  }

  /** Runs one step; `expectedSeconds` is what it took when it was measured (two cores, nothing cached). */
  async step<T>(title: string, expectedSeconds: number, body: (step: StepLog) => Promise<T>): Promise<T> {
    const log = join(this.#logs, `${title.replaceAll(/[^a-z0-9]+/gi, '-')}.log`);
    rmSync(log, { force: true });
    const began = performance.now();
    const soFar = () => ((performance.now() - began) / 1000).toFixed(1);
    this.say(`${title} ... (about ${expectedSeconds} s)`);
    const reminder = setInterval(() => this.say(`${title}: ${soFar()} of about ${expectedSeconds} s`), REMIND_EVERY_MS);
    try {
      const result = await body({ log });
      this.say(`${title}: done in ${soFar()} s`);
      return result;
    } catch (error) {
      this.say(`${title}: failed after ${soFar()} s`);
      throw error;
    } finally {
      clearInterval(reminder);
    }
  }
}
