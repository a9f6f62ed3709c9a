/** Reads the arguments of a command by its table of options: by Node's own parser, with a sentence for every mistake. */

import { parseArgs } from 'node:util';
import { nearest } from '../settings/nearest.ts';
import { CommandError, type Option, type OptionTable } from './command.ts';

type ValueOf<O extends Option> = O extends { isList: true }
  ? readonly string[]
  : O extends { placeholder: '' }
    ? boolean
    : string;

/** What was given, by the name of the option; an option that was not given is missing. */
export type Values<Table extends OptionTable> = { readonly [Name in keyof Table]?: ValueOf<Table[Name]> };

export interface Arguments<Table extends OptionTable> {
  readonly values: Values<Table>;
  readonly positionals: readonly string[];
}

/** @throws {CommandError} for what is no option of the table, lacks a value or has one that is not allowed */
export function readArguments<Table extends OptionTable>(args: readonly string[], table: Table): Arguments<Table> {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { short, placeholder, isList }]) => [
      name,
      { type: placeholder === '' ? 'boolean' : 'string', multiple: isList === true, ...(short && { short }) } as const,
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, string | boolean | string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind === 'option') set(values, table, token);
  }
  return { values: values as Values<Table>, positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
}

function set(
  values: Record<string, string | boolean | string[]>,
  table: OptionTable,
  { name, rawName, value }: OptionToken,
): void {
  const option = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!option) throw new CommandError(unknown(table, name, rawName));
  if (option.placeholder === '') {
    if (value !== undefined) throw new CommandError(`${rawName} is a switch: write it without a value`);
    values[name] = true;
    return;
  }
  if (value === undefined) throw new CommandError(`${rawName} has no value: write ${rawName}=${option.placeholder}`);
  if (option.values && !option.values.includes(value))
    throw new CommandError(notAllowed(rawName, value, option.values));
  if (!option.isList && values[name] !== undefined) throw new CommandError(`${rawName} is given twice: keep one`);
  values[name] = option.isList ? [...((values[name] as string[] | undefined) ?? []), value] : value;
}

function unknown(table: OptionTable, name: string, rawName: string): string {
  const meant = nearest(name, Object.keys(table));
  return `${rawName} does not exist${meant ? `: did you mean --${meant}?` : ''}`;
}

function notAllowed(rawName: string, value: string, allowed: readonly string[]): string {
  const meant = nearest(value, allowed);
  return `${rawName}=${value} must be one of ${allowed.join(', ')}${meant ? `: did you mean ${meant}?` : ''}`;
}

/** The one argument that a command takes. @throws {CommandError} when there is none, or more */
export function onlyArgument(positionals: readonly string[], what: string): string {
  const [one, ...more] = positionals;
  if (one === undefined) throw new CommandError(`${what} is missing`);
  if (more.length > 0) throw new CommandError(`one ${what} at a time: ${more.join(' ')} is too much`);
  return one;
}

/** @throws {CommandError} when there is any */
export function noArguments(positionals: readonly string[]): void {
  if (positionals.length > 0) throw new CommandError(`${positionals.join(' ')} is too much: it takes no arguments`);
}
