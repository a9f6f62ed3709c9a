/** The world of a command in memory: what it printed, files that it may read, and no cluster unless one is given. */

import type { ApiConnection } from '../../cluster/api-connection.ts';
import { CommandError, type CommandIo } from '../command.ts';
import { NOW } from './cluster.ts';

export interface MemoryIo extends CommandIo {
  readonly printed: { stdout: string; stderr: string };
}

export interface MemoryIoOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly connection?: ApiConnection;
  readonly isTerminal?: boolean;
  readonly env?: CommandIo['env'];
}

export function memoryIo({ files = {}, connection, isTerminal = false, env = {} }: MemoryIoOptions = {}): MemoryIo {
  const printed = { stdout: '', stderr: '' };
  const written = new Map(Object.entries(files));
  return {
    printed,
    stdout: (text) => {
      printed.stdout += text;
    },
    stderr: (text) => {
      printed.stderr += text;
    },
    isTerminal,
    columns: 80,
    env,
    now: () => NOW,
    readFile(path) {
      const text = written.get(path);
      if (text === undefined) throw new CommandError(`${path} cannot be read: it does not exist`);
      return text;
    },
    listFiles: (path) =>
      written.has(path) ? [path] : [...written.keys()].filter((name) => name.startsWith(`${path}/`)),
    writeFile: (path, text) => written.set(path, text),
    async connect() {
      if (!connection) throw new CommandError('there is no cluster here');
      return connection;
    },
  };
}
