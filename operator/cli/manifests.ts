/** Reads Kubernetes objects from files: several documents, JSON or YAML, lists flattened, each with its place. */

import { isMap, LineCounter, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../cluster/objects.ts';
import { CommandError, type CommandIo } from './command.ts';

/** One object and where it stands. */
export interface Manifest {
  readonly object: KubernetesObject & { readonly kind: string; readonly apiVersion: string };
  /** `path:line` of its first line, for messages. */
  readonly place: string;
}

/** A document that cannot be an object. */
export interface ManifestProblem {
  readonly place: string;
  /** A sentence without a full stop. */
  readonly message: string;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ManifestProblem[];
}

/** Directories hold other files too: only these are read there. */
const MANIFEST_FILE = /\.(ya?ml|json)$/;

/** The objects of files, directories and standard input (`-`). @throws {CommandError} for what cannot be read */
export function readManifests(io: Pick<CommandIo, 'readFile' | 'listFiles'>, paths: readonly string[]): Manifests {
  const files = paths.flatMap((path) => {
    const found = io.listFiles(path);
    const isFile = found.length === 1 && found[0] === path;
    return isFile ? found : found.filter((file) => MANIFEST_FILE.test(file));
  });
  if (files.length === 0) throw new CommandError(`${paths.join(', ')} holds no .yaml, .yml or .json file`);
  const parts = files.map((file) => manifestsOf(io.readFile(file), file === '-' ? 'standard input' : file));
  return {
    manifests: parts.flatMap(({ manifests }) => manifests),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

/** The objects of one text. */
export function manifestsOf(text: string, path: string): Manifests {
  const lines = new LineCounter();
  const manifests: Manifest[] = [];
  const problems: ManifestProblem[] = [];
  const placeAt = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
  for (const document of parseAllDocuments(text, { lineCounter: lines, logLevel: 'silent' })) {
    const [error] = document.errors;
    if (error) {
      problems.push({
        place: placeAt(error.pos[0]),
        message: error.message.split('\n')[0]?.replace(/ at line.*$/, '') ?? '',
      });
      continue;
    }
    const value = document.toJS() as unknown;
    if (value === null || value === undefined) continue; // only comments, or nothing
    const offset = isMap(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
    collect(value, placeAt(offset), manifests, problems);
  }
  return { manifests, problems };
}

function collect(value: unknown, place: string, manifests: Manifest[], problems: ManifestProblem[]): void {
  const problem = problemOf(value);
  if (problem !== undefined) {
    problems.push({ place, message: problem });
    return;
  }
  const object = value as Manifest['object'] & { readonly items?: unknown };
  if (object.kind.endsWith('List') && Array.isArray(object.items)) {
    const [itemKind, itemVersion] = [object.kind.slice(0, -'List'.length), object.apiVersion];
    for (const item of object.items) {
      // Items of a typed list come without their kind.
      const typed = itemKind && isObject(item) ? { apiVersion: itemVersion, kind: itemKind, ...item } : item;
      collect(typed, place, manifests, problems);
    }
    return;
  }
  if (!isObject(object.metadata) || typeof object.metadata.name !== 'string')
    problems.push({ place, message: `this ${object.kind} has no metadata.name` });
  else manifests.push({ object, place });
}

function problemOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'this is no Kubernetes object';
  for (const field of ['apiVersion', 'kind'])
    if (typeof value[field] !== 'string' || value[field] === '') return `this object has no ${field}`;
  return undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
