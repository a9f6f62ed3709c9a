#!/usr/bin/env node
/** The entry of every process: finds the role, reads its settings, runs it, and turns its end into an exit code. */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createLogger } from './observability/log.ts';
import { VERSION } from './observability/version.ts';
import type { Surroundings } from './settings/common.ts';
import { SettingsError } from './settings/read.ts';
import { helpOf, ROLES, type RoleName, usage } from './settings/roles.ts';

/** Settings or arguments that cannot be used: retrying does not help. */
const EXIT_SETTINGS = 2;

/** Each role's modules are loaded only when it runs, because the speaker should not hold the operator's code in memory. */
const RUN: Record<RoleName, (surroundings: Surroundings) => Promise<number>> = {
  operator: async (surroundings) => {
    const { readOperatorSettings } = await import('./settings/operator.ts');
    const settings = readOperatorSettings(surroundings);
    const { runOperator } = await import('./roles/operator.ts');
    return runOperator(settings);
  },
  speaker: async (surroundings) => {
    const { readSpeakerSettings } = await import('./settings/speaker.ts');
    const settings = readSpeakerSettings(surroundings);
    const { runSpeaker } = await import('./roles/speaker.ts');
    return runSpeaker(settings);
  },
};

/** What people and pipelines ask for; loaded only then. */
async function runNamedCommand(word: string, args: readonly string[]): Promise<number> {
  const { commandNamed, nearestWord, runCommand, runCompletion } = await import('./cli/run.ts');
  const { processIo } = await import('./cli/process-io.ts');
  if (word === '__complete') return runCompletion(args, processIo());
  const command = commandNamed(word);
  if (command) return runCommand(command, args, processIo());
  return refuse(word, nearestWord(word, Object.keys(ROLES)));
}

async function help([word = '']: readonly string[]): Promise<number> {
  const { commandHelp, commandList, commandNamed } = await import('./cli/run.ts');
  const command = commandNamed(word);
  if (command) return say(commandHelp(command));
  return say(isRole(word) ? await helpOf(word) : usage(commandList()));
}

const isRole = (word: string): word is RoleName => Object.hasOwn(ROLES, word);

async function main([word = '', ...args]: readonly string[]): Promise<number> {
  if (word === '--help' || word === '-h' || word === 'help') return help(args);
  if (word === '--version' || word === 'version') return say(`herald ${VERSION}\n`);
  if (word === '') return refuse('', undefined);
  if (!isRole(word)) return runNamedCommand(word, args);
  if (args.includes('--help')) return say(await helpOf(word));
  try {
    return await RUN[word]({ args, env: process.env, hostname: hostname(), readFile: readTextFile });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_SETTINGS;
  }
}

/** Says that a word is neither role nor command; 2 as for every mistake in the settings of a role. */
async function refuse(word: string, meant: string | undefined): Promise<number> {
  const { commandList } = await import('./cli/run.ts');
  const problem = word === '' ? 'say which role or command to run' : `there is no role or command ${word}`;
  const hint = meant ? `: did you mean ${meant}?\n` : `\n\n${usage(commandList())}`;
  process.stderr.write(`herald: ${problem}${hint}`);
  return EXIT_SETTINGS;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A programmer's mistake stops the process: the pod restarts, and others take over meanwhile. */
function stopOn(error: unknown): never {
  createLogger({ level: 'error' }).error('stopped by an error that nothing expected', { error });
  process.exit(1);
}

/** Node prints warnings as text of several lines; deprecations inside of dependencies are nobody's concern in a cluster. */
function logWarning(warning: Error): void {
  if (warning.name !== 'DeprecationWarning')
    createLogger({ level: 'warn' }).warn('the runtime warns', { error: warning });
}

process.removeAllListeners('warning');
process.on('warning', logWarning);
process.on('uncaughtException', stopOn);
// Whoever reads no further, as `head` does, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
main(process.argv.slice(2)).then((code) => process.exit(code), stopOn);
