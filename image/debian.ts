/** The C and C++ libraries that Node needs, taken out of Debian's packages: what a distroless base image holds. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TarEntry } from './tar.ts';

const PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6'];
/** What of these packages goes into the image; character tables, locales and tools stay out. */
const LIBRARIES = /^(ld-linux-.+|lib(c|m|dl|pthread|rt|resolv|nss_dns|nss_files|stdc\+\+|gcc_s))\.so\.\d+$/;

interface Platform {
  /** As Go and Debian name it. */
  readonly architecture: 'amd64' | 'arm64';
  readonly triplet: string;
  /** Where the kernel looks for the dynamic loader: written into every program. */
  readonly loader: string;
}

const PLATFORMS: Readonly<Record<string, Platform>> = {
  x64: { architecture: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'lib64/ld-linux-x86-64.so.2' },
  arm64: { architecture: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'lib/ld-linux-aarch64.so.1' },
};

/** The platform of this machine, which is also the image's: the runtime from npm exists only for it. */
export function platformOf(arch: string): Platform {
  const platform = PLATFORMS[arch];
  if (!platform) throw new Error(`images are built for x64 and arm64, and this machine is ${arch}`);
  return platform;
}

/** Whether this machine can fetch and open Debian packages. */
export const hasDebianTools = (): boolean =>
  ['apt-get', 'dpkg-deb'].every((tool) =>
    (process.env['PATH'] ?? '').split(':').some((at) => existsSync(join(at, tool))),
  );

/** The package files, downloaded once into `cache`; delete that directory to take newer ones. */
export function debianPackages(cache: string): string[] {
  const complete = (): string[] => {
    const names = existsSync(cache) ? readdirSync(cache).filter((name) => name.endsWith('.deb')) : [];
    const found = PACKAGES.map((name) => names.find((file) => file.startsWith(`${name}_`)));
    return found.every((file) => file !== undefined) ? found.map((file) => join(cache, file)) : [];
  };
  if (complete().length === 0) download(cache);
  return complete();
}

/** Downloads beside the cache and moves in at the end, so that an interrupt leaves nothing half done. */
function download(cache: string): void {
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${cache}.`);
  const attempt = (options: readonly string[]): void => {
    execFileSync('apt-get', [...options, 'download', '-qq', ...PACKAGES], { cwd: unfinished, stdio: 'pipe' });
  };
  try {
    try {
      attempt([]);
    } catch {
      // The lists of packages are missing or older than the mirror: fetch them into a place of our own, without root.
      const options = privateLists(unfinished);
      execFileSync('apt-get', [...options, 'update', '-qq'], { stdio: 'pipe' });
      attempt(options);
    }
    for (const name of readdirSync(unfinished).filter((file) => file.endsWith('.deb')))
      renameSync(join(unfinished, name), join(cache, name));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function privateLists(directory: string): string[] {
  mkdirSync(join(directory, 'state/lists/partial'), { recursive: true });
  mkdirSync(join(directory, 'cache/archives/partial'), { recursive: true });
  return ['-o', `Dir::State=${directory}/state`, '-o', `Dir::Cache=${directory}/cache`];
}

/** The libraries out of the package files, at the places where the dynamic loader looks. */
export function librariesOf(packageFiles: readonly string[], { triplet, loader }: Platform): TarEntry[] {
  const directory = mkdtempSync(join(tmpdir(), 'herald-image-'));
  try {
    for (const file of packageFiles) execFileSync('dpkg-deb', ['-x', file, directory]);
    const folders = [`lib/${triplet}`, `usr/lib/${triplet}`].map((folder) => join(directory, folder));
    const files = folders.filter(existsSync).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    const entries = files
      .filter((file) => LIBRARIES.test(basename(file)))
      .map((file): TarEntry => {
        const content = readFileSync(realpathSync(file));
        return { type: 'file', path: `lib/${triplet}/${basename(file)}`, content, mode: 0o755 };
      });
    if (!entries.some(({ path }) => path.endsWith('/libc.so.6')))
      throw new Error('the Debian packages hold no libc.so.6');
    return [...entries, { type: 'symlink', path: loader, target: `/lib/${triplet}/${basename(loader)}` }];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
