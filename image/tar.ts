/** Writes tar archives (POSIX ustar) that are the same octets for the same content: no times, no owners but root. */

export type TarEntry =
  | { readonly type: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly type: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

const BLOCK = 512;
const TYPE_FLAG = { file: '0', symlink: '2', directory: '5' } as const;
const DEFAULT_MODE = { file: 0o644, symlink: 0o777, directory: 0o755 } as const;
/** A name longer than its field would need the prefix field, which nothing here uses. */
const MAX_NAME = 100;

/** Writes the entries, sorted by path, with every parent directory that they need before them. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  const all = new Map(withParents(entries).map((entry) => [entry.path, entry]));
  const sorted = [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const parts = sorted.flatMap((entry) => {
    const content = entry.type === 'file' ? entry.content : new Uint8Array();
    return [header(entry, content.length), content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** Entries given explicitly come last, so that they win over the directories made here. */
function withParents(entries: readonly TarEntry[]): TarEntry[] {
  const parents = entries.flatMap(({ path }) => {
    const steps = path.split('/').slice(0, -1);
    return steps.map((_, at): TarEntry => ({ type: 'directory', path: steps.slice(0, at + 1).join('/') }));
  });
  return [...parents, ...entries];
}

/**
 *   0 name   100 mode  108 uid    116 gid  124 size  136 mtime  148 checksum
 * 156 type  157 link  257 "ustar" 263 version "00"
 */
function header(entry: TarEntry, size: number): Buffer {
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const link = entry.type === 'symlink' ? entry.target : '';
  if (name.length > MAX_NAME || link.length > MAX_NAME) throw new Error(`too long for a tar header: ${name} ${link}`);
  const mode = (entry.type === 'symlink' ? undefined : entry.mode) ?? DEFAULT_MODE[entry.type];
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(TYPE_FLAG[entry.type], 156);
  block.write(link, 157);
  block.write('ustar\0' + '00', 257, 'latin1');
  // The checksum is taken with its own field full of spaces.
  block.fill(' ', 148, 156);
  const checksum = block.reduce((sum, octet) => sum + octet, 0);
  block.write(`${octal(checksum, 6)}\0 `, 148, 'latin1');
  return block;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
