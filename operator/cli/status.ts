/** `herald status`: the cluster at a glance. */

import { noArguments, readArguments } from './arguments.ts';
import { type Command, type CommandIo, clusterOptions, outputOption } from './command.ts';
import { gather } from './gather.ts';
import { structured } from './output.ts';

const options = { ...clusterOptions, ...outputOption } as const;

export const status: Command = {
  name: 'status',
  summary: 'the cluster at a glance, problems first',
  usage: '',
  options,
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    noArguments(positionals);
    const { installation } = await gather(io, values);
    io.stdout(structured('yaml', installation));
    return 0;
  },
};
