/** `herald explain`: why a Service has no address or is not announced, or why an object of the configuration does not work. */

import type { ApiConnection } from '../cluster/api-connection.ts';
import { ApiError } from '../cluster/api-error.ts';
import { type KubernetesObject, keyOf, type Service, splitKey } from '../cluster/objects.ts';
import { getObject } from '../cluster/requests.ts';
import { resources } from '../cluster/resource.ts';
import { nearest } from '../settings/nearest.ts';
import { onlyArgument, readArguments, type Values } from './arguments.ts';
import {
  type Command,
  CommandError,
  type CommandIo,
  clusterOptions,
  namespaceOption,
  outputOption,
} from './command.ts';
import { type EventChoice, type HeraldEvent, listHeraldEvents } from './event-list.ts';
import { type ConfigWord, configLists, explainConfigObject } from './explain/config-object.ts';
import type { Explanation } from './explain/explanation.ts';
import { explanationText } from './explain/print.ts';
import { explainService } from './explain/service.ts';
import { type ClusterSnapshot, gather, warnOfUnread } from './gather.ts';
import { formatOf, paintOf, structured } from './output.ts';

const options = { ...clusterOptions, ...namespaceOption, ...outputOption } as const;

export const explain: Command = {
  name: 'explain',
  summary: 'why a Service has no address or nobody announces it, or why a pool does not work',
  usage: '[NAMESPACE/]SERVICE | pool/NAME | l2advertisement/NAME | ...',
  options,
  notes:
    'A Service without a namespace is looked for in that of -n, else in default. Besides Services: ' +
    `${Object.keys(configLists).join(', ')}.`,
  complete: async (positionals, io) => (positionals.length === 1 ? namesOf(await gather(io, {})) : []),
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    const name = onlyArgument(positionals, 'the Service');
    const explanation = await explanationOf(name, values, io);
    const format = formatOf(values);
    io.stdout(format === 'table' ? explanationText(explanation, paintOf(io)) : structured(format, explanation));
    return 0;
  },
};

async function explanationOf(name: string, values: Values<typeof options>, io: CommandIo): Promise<Explanation> {
  const snapshot = await gather(io, values);
  warnOfUnread(io, snapshot);
  const asked = askedFor(name, values.namespace);
  if ('word' in asked) return explainConfigObject(asked.word, findConfig(asked.word, asked.name, snapshot), snapshot);
  const known = snapshot.services.find((one) => keyOf(one) === asked.key);
  const { service = known, events } = await readMore(asked.key, values, io, known === undefined);
  if (!service) throw new CommandError(noService(asked.key, snapshot));
  return explainService(service, snapshot, events);
}

type Asked = { readonly key: string } | { readonly word: ConfigWord; readonly name: string };

/** The names of the kinds, as kubectl accepts them too. */
function askedFor(name: string, namespace = 'default'): Asked {
  const [left = '', right, ...more] = name.split('/');
  if (more.length > 0 || left === '' || right === '')
    throw new CommandError(`${name} is no name of a Service: write NAMESPACE/NAME`);
  if (right === undefined) return { key: `${namespace}/${name}` };
  const word = left
    .toLowerCase()
    .replace(/^ipaddresspool/, 'pool')
    .replace(/ies$/, 'y')
    .replace(/s$/, '');
  if (word in configLists) return { word: word as ConfigWord, name: right };
  if (word === 'service' || word === 'svc') return { key: `${namespace}/${right}` };
  return { key: name };
}

/** Of two objects with one name that of Herald's own namespace, which is the one that counts. */
function findConfig(word: ConfigWord, name: string, snapshot: ClusterSnapshot): KubernetesObject {
  const list: readonly KubernetesObject[] = snapshot[configLists[word]];
  const named = list.filter(({ metadata }) => metadata.name === name);
  const order = [...snapshot.installation.configNamespaces];
  const rankOf = ({ metadata }: KubernetesObject): number => {
    const at = order.indexOf(metadata.namespace ?? '');
    return at < 0 ? order.length : at;
  };
  const [found] = named.toSorted((a, b) => rankOf(a) - rankOf(b));
  if (found) return found;
  const meant = nearest(
    name,
    list.map(({ metadata }) => metadata.name),
  );
  throw new CommandError(`there is no ${word} ${name}${meant ? `: did you mean ${meant}?` : ''}`);
}

interface More {
  readonly service?: Service | undefined;
  readonly events: readonly HeraldEvent[];
}

/** What is not in a snapshot: the Service's events, and Services of other types, which are many and none of ours. */
async function readMore(key: string, values: Values<typeof options>, io: CommandIo, isUnknown: boolean): Promise<More> {
  if (values.from !== undefined) return { events: [] };
  const [namespace = '', name = ''] = key.split('/');
  const connection = await io.connect(values);
  try {
    const service = isUnknown ? await getObject(connection, resources.services, { namespace, name }) : undefined;
    return { service, events: await eventsOrNone(connection, { namespace, name }) };
  } finally {
    connection.close();
  }
}

/** Who may not read events learns the rest. */
async function eventsOrNone(connection: ApiConnection, choice: EventChoice): Promise<readonly HeraldEvent[]> {
  try {
    return await listHeraldEvents(connection, choice);
  } catch (error) {
    if (error instanceof ApiError && error.status > 0) return [];
    throw error;
  }
}

function noService(key: string, snapshot: ClusterSnapshot): string {
  const { name } = splitKey(key);
  // Whoever forgets the namespace means the Service of that name.
  const namesake = snapshot.services.find(({ metadata }) => metadata.name === name);
  const meant = namesake ? keyOf(namesake) : nearest(key, snapshot.services.map(keyOf));
  return `there is no Service ${key}${meant ? `: did you mean ${meant}?` : ''}`;
}

function namesOf(snapshot: ClusterSnapshot): readonly string[] {
  const config = (Object.keys(configLists) as ConfigWord[]).flatMap((word) =>
    (snapshot[configLists[word]] as readonly KubernetesObject[]).map(({ metadata }) => `${word}/${metadata.name}`),
  );
  return [...snapshot.services.map(keyOf).sort(), ...config.sort()];
}
