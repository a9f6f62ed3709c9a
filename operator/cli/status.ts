/** `herald status`: the cluster at a glance. */

import { noArguments, readArguments } from './arguments.ts';
import { type Command, type CommandIo, clusterOptions, outputOption } from './command.ts';
import { gather } from './gather.ts';
import { formatOf, paintOf, structured } from './output.ts';
import { statusText } from './status/print.ts';
import { statusReport } from './status/status-report.ts';

const options = { ...clusterOptions, ...outputOption } as const;

export const status: Command = {
  name: 'status',
  summary: 'the cluster at a glance, problems first',
  usage: '',
  options,
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    noArguments(positionals);
    const report = statusReport(await gather(io, values));
    const format = formatOf(values);
    io.stdout(format === 'table' ? statusText(report, paintOf(io)) : structured(format, report));
    return 0;
  },
};
