/** `herald events`: what Herald told about Services and nodes, oldest first. */

import { readArguments, type Values } from './arguments.ts';
import {
  type Command,
  CommandError,
  type CommandIo,
  clusterOptions,
  namespaceOption,
  outputOption,
} from './command.ts';
import { type EventChoice, type HeraldEvent, lastSeen, listHeraldEvents } from './event-list.ts';
import { ageOf, formatOf, type Paint, paintOf, structured, table } from './output.ts';

const { 'herald-namespace': _, from: __, ...connectionOptions } = clusterOptions;
const options = { ...connectionOptions, ...namespaceOption, ...outputOption } as const;

export const events: Command = {
  name: 'events',
  summary: 'what Herald told about a Service, or about all of them, oldest first',
  usage: '[[NAMESPACE/]NAME]',
  options,
  notes:
    'Without a name the events of every object, or with -n those of one namespace. Kubernetes keeps events for an hour.',
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    const [name, ...more] = positionals;
    if (more.length > 0) throw new CommandError(`one object at a time: ${more.join(' ')} is too much`);
    const found = await readEvents(io, values, askedFor(name, values.namespace));
    const format = formatOf(values);
    io.stdout(format === 'table' ? eventsText(found, io.now(), paintOf(io)) : structured(format, found));
    return 0;
  },
};

function askedFor(text: string | undefined, namespace: string | undefined): EventChoice {
  if (text === undefined) return { namespace };
  const [left = '', right] = text.split('/');
  return right === undefined ? { namespace: namespace ?? 'default', name: left } : { namespace: left, name: right };
}

async function readEvents(
  io: CommandIo,
  values: Values<typeof options>,
  choice: EventChoice,
): Promise<readonly HeraldEvent[]> {
  const connection = await io.connect(values);
  try {
    return await listHeraldEvents(connection, choice);
  } finally {
    connection.close();
  }
}

/** A table, or one sentence where there are none. */
export function eventsText(found: readonly HeraldEvent[], now: Date, paint: Paint): string {
  if (found.length === 0) return 'no events of Herald; Kubernetes keeps them for an hour\n';
  const rows = found.map((event) => [
    ageOf(lastSeen(event), now),
    event.type === 'Warning' ? paint('warn', 'Warning') : (event.type ?? ''),
    event.reason ?? '',
    objectOf(event),
    String(event.series?.count ?? 1),
    event.note ?? '',
  ]);
  return table(['AGO', 'TYPE', 'REASON', 'OBJECT', 'TIMES', 'MESSAGE'], rows);
}

const objectOf = ({ regarding }: HeraldEvent): string =>
  [regarding?.kind?.toLowerCase(), regarding?.namespace, regarding?.name].filter(Boolean).join('/');
