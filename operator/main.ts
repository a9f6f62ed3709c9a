#!/usr/bin/env node
/** The entry of every process: finds the role, reads its settings, runs it, and turns its end into an exit code. */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createLogger } from './observability/log.ts';
import { VERSION } from './observability/version.ts';
import type { Surroundings } from './settings/common.ts';
import { nearest } from './settings/nearest.ts';
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

const isRole = (word: string): word is RoleName => Object.hasOwn(ROLES, word);

async function main([word = '', ...args]: readonly string[]): Promise<number> {
  if (word === '--help' || word === 'help') return say(usage());
  if (word === '--version' || word === 'version') return say(`herald ${VERSION}\n`);
  if (!isRole(word)) return refuse(word);
  if (args.includes('--help')) return say(await helpOf(word));
  try {
    return await RUN[word]({ args, env: process.env, hostname: hostname(), readFile: readTextFile });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_SETTINGS;
  }
}

/** Says that a word is no role; 2 as for every mistake in the arguments. */
function refuse(word: string): number {
  const meant = nearest(word, Object.keys(ROLES));
  const problem = word === '' ? 'say which role to run' : `there is no role ${word}`;
  process.stderr.write(`herald: ${problem}${meant ? `: did you mean ${meant}?` : ''}\n\n${usage()}`);
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
main(process.argv.slice(2)).then((code) => process.exit(code), stopOn);
