/** Reads settings from arguments and environment by a table of flags, and collects every mistake instead of the first. */

import type { Flag, FlagTable, ValuesOf } from './flag.ts';
import { METALLB_ONLY_FLAGS } from './metallb-flags.ts';
import { nearest } from './nearest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was read, or what is wrong with it; `mistakes` are sentences that name the place first. */
export interface ReadFlags<Table extends FlagTable> {
  readonly values: Partial<ValuesOf<Table>>;
  readonly mistakes: readonly string[];
}

/** Settings that cannot be used. The process ends with code 2 after printing the message, which lists every mistake. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly mistakes: readonly string[];

  constructor(role: string, mistakes: readonly string[]) {
    const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
    const list = mistakes.map((mistake) => `  ${mistake}\n`).join('');
    super(`herald ${role}: ${count} in its settings\n${list}herald ${role} --help lists every setting.`);
    this.mistakes = mistakes;
  }
}

/** Reads every flag of `table`; a flag wins over the environment, which wins over the default. */
export function readFlags<Table extends FlagTable>(
  table: Table,
  args: readonly string[],
  env: Environment,
): ReadFlags<Table> {
  const { given, mistakes } = splitArguments(table, args);
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(table)) {
    const { text, place } = sourceOf(name, flag, given, env);
    if (text === undefined) {
      mistakes.push(missing(name, flag));
      continue;
    }
    const read = flag.schema.safeParse(text);
    if (read.success) values[name] = read.data;
    else mistakes.push(`${place}=${text} ${read.error.issues.map((issue) => issue.message).join(', ')}`);
  }
  return { values: values as Partial<ValuesOf<Table>>, mistakes };
}

/** Splits `--name=value`, `--name value` and switches; what is none of these is a mistake. */
function splitArguments(table: FlagTable, args: readonly string[]): { given: Map<string, string>; mistakes: string[] } {
  const given = new Map<string, string>();
  const mistakes: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const { name, text, mistake, hasTakenNext } = readArgument(table, args[at] ?? '', args[at + 1]);
    if (hasTakenNext) at += 1;
    if (mistake !== undefined) mistakes.push(mistake);
    if (name === undefined) continue;
    if (given.has(name)) mistakes.push(`--${name} is given twice: keep one`);
    given.set(name, text ?? '');
  }
  return { given, mistakes };
}

interface ReadArgument {
  /** Absent when no flag of the table was meant. */
  readonly name?: string;
  readonly text?: string;
  readonly mistake?: string;
  readonly hasTakenNext?: boolean;
}

function readArgument(table: FlagTable, argument: string, next: string | undefined): ReadArgument {
  const [, name = '', inline] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument) ?? [];
  const flag = Object.hasOwn(table, name) ? table[name] : undefined;
  const hasValueNext = inline === undefined && next !== undefined && !next.startsWith('-');
  // The value of a flag we do not know is not a mistake of its own.
  if (!flag) return { mistake: unknown(table, argument, name), hasTakenNext: name !== '' && hasValueNext };
  if (inline !== undefined) return { name, text: inline };
  if (flag.placeholder === '') return { name, text: 'true' };
  if (hasValueNext) return { name, text: next, hasTakenNext: true };
  // With the default in its place, the missing value is one mistake and not two.
  return { name, text: flag.default ?? ' ', mistake: `--${name} has no value: write --${name}=${flag.placeholder}` };
}

function sourceOf(
  name: string,
  flag: Flag,
  given: ReadonlyMap<string, string>,
  env: Environment,
): { text: string | undefined; place: string } {
  const fromFlag = given.get(name);
  if (fromFlag !== undefined) return { text: fromFlag, place: `--${name}` };
  // An empty variable is an unset one: manifests often leave a value out that way.
  const fromEnvironment = flag.env === undefined ? undefined : env[flag.env] || undefined;
  if (fromEnvironment !== undefined) return { text: fromEnvironment, place: `${flag.env}` };
  return { text: flag.default, place: `--${name}` };
}

const missing = (name: string, flag: Flag): string =>
  `--${name} is missing: set it${flag.env ? `, or ${flag.env}` : ''}${flag.remedy ? ` (${flag.remedy})` : ''}`;

function unknown(table: FlagTable, argument: string, name: string): string {
  const bare = name || argument.replace(/^-+/, '').replace(/=.*/s, '');
  const meant = nearest(bare, Object.keys(table));
  const hint = meant ? `: did you mean --${meant}?` : '';
  if (name === '') return `${argument} is not a flag${hint || ': a flag is written --name=value'}`;
  const moved = Object.hasOwn(METALLB_ONLY_FLAGS, name) ? METALLB_ONLY_FLAGS[name] : undefined;
  return moved ? `--${name} ${moved}` : `--${name} does not exist${hint}`;
}
