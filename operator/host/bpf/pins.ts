/** The pins of maps and links in a bpffs: what outlives the process, so that the next one adopts it. */

import { mkdirSync, readdirSync, rmdirSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Where the pins are, unless a test says otherwise; the name changes when keys or values of the maps change their meaning. */
export const PIN_FOLDER = '/sys/fs/bpf/herald/v1';
/** BPF_FS_MAGIC (linux/magic.h). */
const BPF_FS = 0xcafe4a11;
const LINK_PREFIX = 'link-';

/** Makes the folder. @returns whether it is on a bpffs; elsewhere nothing can be pinned */
export function preparePins(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return false;
  }
  return isPinFolder(folder);
}

/** Whether it exists and is on a bpffs, where nothing but pins can be. */
function isPinFolder(folder: string): boolean {
  try {
    return statfsSync(folder).type === BPF_FS;
  } catch {
    return false;
  }
}

export const mapPin = (folder: string, map: string): string => join(folder, map);
export const linkPin = (folder: string, interfaceIndex: number): string =>
  join(folder, `${LINK_PREFIX}${interfaceIndex}`);

/** The indices of the interfaces whose link is pinned. */
export const pinnedInterfaces = (folder: string): readonly number[] =>
  entriesOf(folder)
    .filter((name) => name.startsWith(LINK_PREFIX))
    .map((name) => Number(name.slice(LINK_PREFIX.length)));

/** Removes one pin; there may be none. */
export function unpin(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * Removes all pins of a folder on a bpffs, and the folder: programs that nothing else holds are detached by that.
 *
 * @returns how many pins there were
 * @throws the error of unlink(2), such as EACCES
 */
export function removePins(folder: string): number {
  if (!isPinFolder(folder)) return 0;
  // links first: no program is attached to maps that nobody can reach any more
  const names = entriesOf(folder).toSorted((a, b) => Number(isLink(b)) - Number(isLink(a)));
  for (const name of names) unpin(join(folder, name));
  try {
    rmdirSync(folder);
  } catch {
    // it was not there, or the bpffs is not ours to change
  }
  return names.length;
}

const isLink = (name: string): boolean => name.startsWith(LINK_PREFIX);

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
