/** The files that -f names, as kubectl takes them. */

import { CommandError, type CommandIo, type OptionTable } from '../command.ts';
import { type ReadManifests, readManifests } from './manifest.ts';

export const filesOption = {
  filename: {
    short: 'f',
    placeholder: 'FILE',
    help: 'Manifests: a file, a directory with all below it, or - for standard input. May be given several times.',
    isList: true,
  },
} as const satisfies OptionTable;

/** Of a directory, the files that hold manifests. */
const MANIFEST_FILE = /\.(ya?ml|json)$/;

/** @throws {CommandError} when nothing is named, or a file cannot be read */
export function manifestsIn(paths: readonly string[] | undefined, io: CommandIo): ReadManifests {
  if (!paths) throw new CommandError('no manifests are named: write -f FILE, -f DIR or -f -');
  const files = paths.flatMap((path) => manifestFiles(path, io));
  if (files.length === 0) throw new CommandError(`${paths.join(', ')} holds no .yaml, .yml or .json file`);
  const unique = [...new Set(files)];
  return readManifests(unique.map((file) => namedText(file, io)));
}

/** A file itself, whatever its name is; of a directory the files that kubectl would read. */
export function manifestFiles(path: string, io: CommandIo): readonly string[] {
  const found = io.listFiles(path);
  return found.length === 1 && found[0] === path ? found : found.filter((file) => MANIFEST_FILE.test(file));
}

/** The text of a file, and what it is called in messages. */
export const namedText = (file: string, io: CommandIo): { readonly name: string; readonly text: string } => ({
  name: file === '-' ? 'stdin' : file,
  text: io.readFile(file),
});
