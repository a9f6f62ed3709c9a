/** Every command, in the order of `herald --help`. */

import type { Command } from './command.ts';
import { convert } from './convert.ts';
import { explain } from './explain.ts';
import { migrate } from './migrate.ts';
import { status } from './status.ts';

export const commands: readonly Command[] = [status, explain, convert, migrate];
