/** Every command, in the order of `herald --help`. */

import { cleanup } from './cleanup.ts';
import type { Command } from './command.ts';
import { completion } from './completion.ts';
import { convert } from './convert.ts';
import { drain } from './drain.ts';
import { events } from './events.ts';
import { explain } from './explain.ts';
import { lint } from './lint.ts';
import { migrate } from './migrate.ts';
import { plan } from './plan.ts';
import { status } from './status.ts';

export const commands: readonly Command[] = [
  status,
  explain,
  plan,
  lint,
  events,
  drain,
  convert,
  migrate,
  cleanup,
  completion,
];
