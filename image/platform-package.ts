/** npm packages that exist once for each platform: this machine's are installed, another one's are fetched. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what was fetched for images stays. */
export const CACHE = join(process.env['HERALD_CACHE'] ?? join(homedir(), '.cache', 'herald'), 'image');

interface LockedPackage {
  readonly version: string;
  /** Subresource Integrity, such as `sha512-...`. */
  readonly integrity: string;
}

/**
 * The folder of such a package, of the version and content that package-lock.json pins.
 * @throws an Error where the lock file does not name it, or the registry gives something else
 */
export function platformPackage(name: string): string {
  const installed = join('node_modules', name);
  if (existsSync(installed)) return installed;
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const locked = packages[installed];
  if (!locked) throw new Error(`package-lock.json does not name ${name}`);
  const folder = join(CACHE, 'npm', `${name.replace('/', '-')}-${locked.version}`);
  if (!existsSync(folder)) fetchPackage(name, locked, folder);
  return folder;
}

/** Fetches beside the cache and moves in at the end, so that an interrupt leaves nothing half done. */
function fetchPackage(name: string, { version, integrity }: LockedPackage, folder: string): void {
  mkdirSync(join(folder, '..'), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    const pack = ['pack', '--silent', '--pack-destination', unfinished, `${name}@${version}`];
    const archive = join(unfinished, execFileSync('npm', pack, { encoding: 'utf8' }).trim());
    const [algorithm = '', digest] = integrity.split(/-(.*)/s);
    const found = createHash(algorithm).update(readFileSync(archive)).digest('base64');
    if (found !== digest) throw new Error(`${name}@${version} from the registry is not what package-lock.json pins`);
    execFileSync('tar', ['-xzf', archive, '-C', unfinished]);
    renameSync(join(unfinished, 'package'), folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
