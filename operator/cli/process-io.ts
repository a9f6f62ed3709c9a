/** The world of a command as the process finds it: its streams, its files, and the cluster of the user's kubeconfig. */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HttpConnection } from '../cluster/api-connection.ts';
import { CredentialsError } from '../cluster/credentials.ts';
import { personCredentials } from '../cluster/person-credentials.ts';
import { CommandError, type CommandIo } from './command.ts';

const DEFAULT_COLUMNS = 80;
const STDIN = 0;

export function processIo(): CommandIo {
  const { stdout, stderr, env } = process;
  return {
    stdout: (text) => stdout.write(text),
    stderr: (text) => stderr.write(text),
    isTerminal: stdout.isTTY === true,
    columns: stdout.columns ?? DEFAULT_COLUMNS,
    env,
    now: () => new Date(),
    readFile,
    listFiles,
    writeFile,
    async connect(choice) {
      try {
        return new HttpConnection(await personCredentials(choice, env));
      } catch (error) {
        if (error instanceof CredentialsError) throw new CommandError(error.message);
        throw error;
      }
    },
  };
}

function readFile(path: string): string {
  return orSay(() => readFileSync(path === '-' ? STDIN : path, 'utf8'), path === '-' ? 'standard input' : path, 'read');
}

function listFiles(path: string): readonly string[] {
  if (path === '-') return [path];
  return orSay(() => (statSync(path).isDirectory() ? filesBelow(path) : [path]), path, 'read');
}

function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const below = join(path, entry.name);
      return entry.isDirectory() ? filesBelow(below) : [below];
    });
}

function writeFile(path: string, text: string): void {
  orSay(
    () => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
    path,
    'written',
  );
}

const ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'access is denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
};

function orSay<T>(act: () => T, path: string, done: string): T {
  try {
    return act();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new CommandError(`${path} cannot be ${done}: ${ERRORS[code] ?? message}`);
  }
}
