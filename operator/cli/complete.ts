/** Completes a command line: the words that may stand where the cursor is, for the scripts of `herald completion`. */

import { ROLES } from '../settings/roles.ts';
import type { Command, CommandIo, Option } from './command.ts';
import { commands } from './commands.ts';

/** What may follow; the scripts of cobra, and so kubectl, know the same numbers. */
export interface Candidates {
  readonly words: readonly string[];
  /** `:0` lets the shell offer files too, `:4` does not. */
  readonly directive: ':0' | ':4';
}

const only = (words: readonly string[]): Candidates => ({ words, directive: ':4' });
const FILES: Candidates = { words: [], directive: ':0' };
/** Placeholders of options whose values are paths. */
const IS_PATH = /^(FILE|DIR|PATH)/;

/** @param words what stands after `herald`; the last one is the word that is being written, perhaps empty */
export async function candidatesFor(words: readonly string[], io: CommandIo): Promise<Candidates> {
  const [name = '', ...rest] = words;
  if (rest.length === 0) return only(startingWith(name, [...commands.map((one) => one.name), ...Object.keys(ROLES)]));
  const command = commands.find((one) => one.name === name);
  if (!command) return only([]);
  return candidatesOf(command, rest, io);
}

async function candidatesOf(command: Command, words: readonly string[], io: CommandIo): Promise<Candidates> {
  const current = words.at(-1) ?? '';
  const before = optionNamed(command, words.at(-2) ?? '');
  if (before && before.placeholder !== '') {
    if (before.values) return only(startingWith(current, before.values));
    return IS_PATH.test(before.placeholder) ? FILES : only([]);
  }
  if (current.startsWith('-')) return only(startingWith(current, [...optionWords(command), '--help']));
  const positionals = words.filter((word, at) => !word.startsWith('-') && !takesValue(command, words[at - 1] ?? ''));
  if (/FILE|DIR/.test(command.usage)) return FILES;
  const found = await command.complete?.(positionals, io).catch(() => []);
  return only(startingWith(current, found ?? []));
}

const startingWith = (start: string, words: readonly string[]): readonly string[] =>
  words.filter((word) => word.startsWith(start));

const optionWords = ({ options }: Command): readonly string[] => Object.keys(options).map((name) => `--${name}`);

function optionNamed({ options }: Command, word: string): Option | undefined {
  if (word.startsWith('--')) return options[word.slice(2)];
  return /^-.$/.test(word) ? Object.values(options).find(({ short }) => short === word.slice(1)) : undefined;
}

function takesValue(command: Command, word: string): boolean {
  const option = optionNamed(command, word);
  return option !== undefined && option.placeholder !== '';
}
