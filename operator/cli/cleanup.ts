/** `herald cleanup`: takes out of a node's kernel what a speaker left there for its successor. */

import { PIN_FOLDER, removePins } from '../host/bpf/pins.ts';
import { readArguments } from './arguments.ts';
import { type Command, CommandError } from './command.ts';

export const cleanup: Command = {
  name: 'cleanup',
  summary: "removes what a speaker left in this node's kernel",
  usage: '[FOLDER]',
  options: {},
  notes:
    'A speaker that answers in the kernel pins its program and maps, so that a restart loses nothing. They act only while\n' +
    'a speaker renews its lease, at most 30 s after it has ended; this removes them for good, after Herald was uninstalled.\n' +
    `Run it on the node, as root. FOLDER is ${PIN_FOLDER} unless given. A speaker that runs goes on.`,
  run: async (args, io) => {
    const { positionals } = readArguments(args, {});
    if (positionals.length > 1) throw new CommandError('at most one folder can be given');
    const [folder = PIN_FOLDER] = positionals;
    const removed = pinsRemovedFrom(folder);
    io.stdout(removed === 0 ? `nothing is pinned in ${folder}\n` : `removed ${removed} pins from ${folder}\n`);
    return 0;
  },
};

function pinsRemovedFrom(folder: string): number {
  try {
    return removePins(folder);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CommandError(`the pins in ${folder} cannot be removed: ${why}; run it as root`, { cause });
  }
}
