/** Runs a command by its name: help, mistakes and failures in one sentence each. */

import { ApiError } from '../cluster/api-error.ts';
import { nearest } from '../settings/nearest.ts';
import { type Command, CommandError, type CommandIo, type Option } from './command.ts';
import { commands } from './commands.ts';
import { candidatesFor } from './complete.ts';

/** Whatever hinders a command from doing its work. */
const EXIT_FAILURE = 1;

export const commandNamed = (name: string): Command | undefined => commands.find((command) => command.name === name);

/** Runs the command; its mistakes and what it cannot reach end with 1, never with a trace. */
export async function runCommand(command: Command, args: readonly string[], io: CommandIo): Promise<number> {
  if (asksForHelp(args)) {
    io.stdout(commandHelp(command));
    return 0;
  }
  try {
    return await command.run(args, io);
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof ApiError)) throw error;
    io.stderr(`herald ${command.name}: ${error.message}\n`);
    return EXIT_FAILURE;
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((word) => word === '--help' || word === '-h');
}

/** Answers the scripts of `herald completion`: candidates, one on each line, and last what the shell may add. */
export async function runCompletion(words: readonly string[], io: CommandIo): Promise<number> {
  const { words: found, directive } = await candidatesFor(words, io);
  io.stdout([...found, directive, ''].join('\n'));
  return 0;
}

/** The lines of `herald --help` about commands. */
export function commandList(): string {
  return commands.map(({ name, summary }) => `  herald ${name.padEnd(10)} ${summary}\n`).join('');
}

/** The command that a misspelt word probably means. */
export const nearestWord = (word: string, roles: readonly string[]): string | undefined =>
  nearest(word, [...roles, ...commands.map(({ name }) => name)]);

/** `-o, --output=FORMAT`. */
export function written(name: string, { short, placeholder }: Option): string {
  return `${short ? `-${short}, ` : ''}--${name}${placeholder && `=${placeholder}`}`;
}

/** What `herald COMMAND --help` prints. */
export function commandHelp({ name, summary, usage, options, notes }: Command): string {
  const lines = Object.entries(options).map(([option, table]) => `  ${written(option, table)}\n      ${table.help}\n`);
  const head = `herald ${name}: ${summary}\n\n  herald ${[name, usage].filter(Boolean).join(' ')}\n`;
  return `${head}\n${lines.join('')}${notes ? `\n${notes}\n` : ''}`;
}
