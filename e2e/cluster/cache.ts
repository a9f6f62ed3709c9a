/** Caches by content: a key is a hash of all that goes into a thing, and a thing is there whole or not at all. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Hashes the parts in order; a length before each part keeps ('ab', 'c') apart from ('a', 'bc'). */
export function keyOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Hashes the contents of files; their names count by their last component, so a checkout may move. */
export function keyOfFiles(paths: readonly string[]): string {
  return keyOf(...paths.toSorted().flatMap((path) => [basename(path), readFileSync(path)]));
}

/** Every regular file under a directory, sorted. */
export function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

/**
 * Makes `path` by `build` unless it is there: built under another name and renamed, so that an interrupted build
 * leaves nothing that looks finished.
 */
export async function once(path: string, build: (unfinished: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) {
    utimesSync(path, new Date(), new Date());
    return;
  }
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  await build(unfinished);
  renameSync(unfinished, path);
}

/** Removes what was used longest ago, until `keep` entries are left; an unfinished one always goes. */
export function prune(directory: string, prefix: string, keep: number): void {
  if (!existsSync(directory)) return;
  const entries = readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ path: join(directory, name), used: statSync(join(directory, name)).mtimeMs }))
    .toSorted((a, b) => b.used - a.used);
  const finished = entries.filter(({ path }) => !path.includes('.unfinished'));
  for (const { path } of entries) {
    if (!finished.slice(0, keep).some((kept) => kept.path === path)) rmSync(path, { recursive: true, force: true });
  }
}
