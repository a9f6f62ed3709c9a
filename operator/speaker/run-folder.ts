/** What a speaker keeps on its node, so that one that restarts without the API server goes on: /run/herald. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { L2Announcement } from '../advertising/announcement.ts';
import type { PeerAddress } from './messages.ts';

const keptState = z.object({
  version: z.literal(1),
  node: z.string(),
  savedAt: z.string(),
  peers: z.array(z.object({ node: z.string(), address: z.string() })),
  announcements: z.array(
    z.object({
      service: z.string(),
      address: z.string(),
      candidates: z.array(z.string()),
      interfaces: z.union([z.literal('all'), z.array(z.string())]),
    }),
  ),
});

/** The last desired state and peers. */
export interface KeptState {
  /** RFC 3339. */
  readonly savedAt: string;
  readonly peers: readonly PeerAddress[];
  readonly announcements: readonly L2Announcement[];
}

/** Files of one speaker; each is replaced as a whole. */
export class RunFolder {
  readonly #folder: string;
  readonly #node: string;

  constructor(folder: string, node: string) {
    this.#folder = folder;
    this.#node = node;
  }

  /** @throws {Error} when the folder cannot be written: the caller says so and goes on */
  save(state: KeptState): void {
    this.#write('desired.json', JSON.stringify({ version: 1, node: this.#node, ...state }));
  }

  /** Undefined when there is none, or none that this version and this node can use. */
  load(): KeptState | undefined {
    try {
      const kept = keptState.parse(JSON.parse(readFileSync(join(this.#folder, 'desired.json'), 'utf8')));
      return kept.node === this.#node ? kept : undefined;
    } catch {
      return undefined;
    }
  }

  /** A number above every earlier one of this node, and not below `now`: a clock set back must not look like a replay. */
  nextIncarnation(now: number): number {
    const last = this.#readNumber('incarnation');
    const incarnation = Math.max(now, last + 1);
    try {
      this.#write('incarnation', String(incarnation));
    } catch {
      // peers then rely on receipts when the clock is set back
    }
    return incarnation;
  }

  #readNumber(name: string): number {
    try {
      const number = Number(readFileSync(join(this.#folder, name), 'utf8'));
      return Number.isSafeInteger(number) ? number : 0;
    } catch {
      return 0;
    }
  }

  #write(name: string, content: string): void {
    if (!existsSync(this.#folder)) mkdirSync(this.#folder);
    const temporary = join(this.#folder, `.${name}.new`);
    writeFileSync(temporary, content, { mode: 0o600 });
    renameSync(temporary, join(this.#folder, name));
  }
}
