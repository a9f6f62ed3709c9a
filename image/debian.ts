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

const LIBRARY_PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6'];
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

/** @param arch as Node names it */
export function platformOf(arch: string): Platform {
  const platform = PLATFORMS[arch];
  if (!platform) throw new Error(`images are built for amd64 and arm64, not for ${arch}`);
  return platform;
}

/** The platform to build for, as Node names it: the variable ARCH says it as Go or Node do, else it is this machine's. */
export function targetArch(asked: string = process.env['ARCH'] ?? ''): string {
  if (asked === '') return process.arch;
  const arch = Object.keys(PLATFORMS).find((name) => name === asked || PLATFORMS[name]?.architecture === asked);
  if (arch === undefined) throw new Error(`ARCH=${asked}: images are built for amd64 and arm64`);
  return arch;
}

/** Where the archive goes; only this machine's own is found without its platform's name. */
export const archivePathOf = (arch: string): string =>
  arch === process.arch ? 'build/herald-image.tar' : `build/herald-image-${platformOf(arch).architecture}.tar`;

/** Whether this machine can fetch and open Debian packages. */
export const hasDebianTools = (): boolean =>
  ['apt-get', 'dpkg-deb'].every((tool) =>
    (process.env['PATH'] ?? '').split(':').some((at) => existsSync(join(at, tool))),
  );

/** The package files, downloaded once into `cache`; delete that directory to take newer ones. */
export function debianPackages(
  cache: string,
  platform: Platform,
  packages: readonly string[] = LIBRARY_PACKAGES,
): string[] {
  const complete = (): string[] => {
    const names = existsSync(cache) ? readdirSync(cache).filter((name) => name.endsWith('.deb')) : [];
    const found = packages.map((name) => names.find((file) => file.startsWith(`${name}_`)));
    return found.every((file) => file !== undefined) ? found.map((file) => join(cache, file)) : [];
  };
  if (complete().length === 0) download(cache, platform, packages);
  return complete();
}

/** Downloads beside the cache and moves in at the end, so that an interrupt leaves nothing half done. */
function download(cache: string, { architecture }: Platform, packages: readonly string[]): void {
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${cache}.`);
  const isForeign = platformOf(process.arch).architecture !== architecture;
  const attempt = (options: readonly string[]): void => {
    execFileSync('apt-get', [...options, 'download', '-qq', ...packages], { cwd: unfinished, stdio: 'pipe' });
  };
  try {
    if (isForeign || !succeeds(() => attempt([]))) {
      // The lists of packages are missing, older than the mirror or of another platform: fetch them into a place of our
      // own, without root.
      const options = [...privateLists(unfinished), ...(isForeign ? ofPlatform(architecture) : [])];
      execFileSync('apt-get', [...options, 'update', '-qq'], { stdio: 'pipe' });
      attempt(options);
    }
    for (const name of readdirSync(unfinished).filter((file) => file.endsWith('.deb')))
      renameSync(join(unfinished, name), join(cache, name));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Makes apt-get think of another platform, and of nothing that is installed here. */
const ofPlatform = (architecture: string): string[] =>
  ['Architecture', 'Architectures'].flatMap((name) => ['-o', `APT::${name}=${architecture}`]);

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
