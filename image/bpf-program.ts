/**
 * Compiles the in-kernel responder (operator/host/bpf/responder.bpf.c), for the bundle and for `make netns`.
 *
 * The compiler is Debian's gcc for BPF, 10 MiB that are fetched once and run from the cache. Without it the product is
 * whole, and answers through packet sockets.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './archive.ts';
import { debianPackages, hasDebianTools, platformOf } from './debian.ts';
import { CACHE } from './platform-package.ts';

const SOURCE = 'operator/host/bpf/responder.bpf.c';
/** Where a speaker that runs from the sources looks for it. */
const TARGET = 'build/bpf/responder.bpf.o';
/** The compiler, what it calls, and the libraries of both that a machine may lack. */
const PACKAGES = ['gcc-bpf', 'binutils-bpf', 'libgmp10', 'libmpc3', 'libmpfr6', 'libzstd1', 'zlib1g'];
/** At -O2 gcc 12 spills single octets and reads eight back, which the kernel's verifier takes for a read of stack that was never written. */
const FLAGS = ['-O1', '-Wall', '-Wextra', '-Werror', '-c', SOURCE, '-o'];

/** The compiled program's path, or why there is none. */
type BpfProgram = { readonly path: string } | { readonly why: string };

/** Compiles the program, unless the cache holds what this source compiles to. @throws an Error with what the compiler says */
export function bpfProgram(): BpfProgram {
  const key = sha256(Buffer.from([readFileSync(SOURCE), FLAGS].join()));
  const cached = join(CACHE, `responder-${key.slice(0, 16)}.bpf.o`);
  if (!existsSync(cached)) {
    if (!hasDebianTools()) return { why: 'apt-get or dpkg-deb, which fetch the compiler, are missing here' };
    mkdirSync(CACHE, { recursive: true });
    const unfinished = `${cached}.${process.pid}`;
    compile(debianToolchain(), unfinished);
    renameSync(unfinished, cached);
  }
  mkdirSync(join(TARGET, '..'), { recursive: true });
  copyFileSync(cached, `${TARGET}.${process.pid}`);
  renameSync(`${TARGET}.${process.pid}`, TARGET);
  return { path: TARGET };
}

/** The folder of the unpacked compiler. */
function debianToolchain(): string {
  const folder = join(CACHE, `bpf-toolchain-${process.arch}`);
  if (existsSync(folder)) return folder;
  const packages = debianPackages(join(CACHE, 'debian-bpf', process.arch), platformOf(process.arch), PACKAGES);
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    for (const file of packages) execFileSync('dpkg-deb', ['-x', file, unfinished]);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else somebody else was faster
  }
  return folder;
}

function compile(toolchain: string, target: string): void {
  const { triplet } = platformOf(process.arch);
  const programs = join(toolchain, 'usr/bin');
  const libraries = [`lib/${triplet}`, `usr/lib/${triplet}`].map((folder) => join(toolchain, folder)).join(':');
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH'] ?? ''}`, LD_LIBRARY_PATH: libraries };
  try {
    execFileSync(join(programs, 'bpf-gcc'), [...FLAGS, target], { stdio: 'pipe', env });
  } catch (cause) {
    const said = (cause as { stderr?: Buffer }).stderr?.toString() ?? '';
    throw new Error(`${SOURCE} does not compile\n${said}`, { cause });
  }
}
