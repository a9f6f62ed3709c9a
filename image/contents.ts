/** What lies where in the image: the runtime layer changes with Node and Debian, the product layer with every build. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUNDLE } from './bundle.ts';
import { platformPackage } from './platform-package.ts';
import type { TarEntry } from './tar.ts';

const HOME = 'opt/herald';

/**
 * `herald` is a script that the kernel starts by its first line, because the image has no shell. Its one flag is all
 * that such a line can carry: young generations of 1 MiB. Measured with Node 24: parsing 60,000 Services takes the same
 * time with 1, 4 and 16 MiB, and the smallest keeps the process some MiB smaller.
 */
const LAUNCHER = `#!/usr/local/bin/node --max-semi-space-size=1\nimport('/${HOME}/main.js');\n`;

const text = (path: string, content: string, mode?: number): TarEntry => ({
  type: 'file',
  path,
  content: Buffer.from(content),
  ...(mode !== undefined && { mode }),
});

/** The pinned Node without its debug symbols, which are a tenth of it; another platform's keeps them where strip cannot read it. */
export function nodeBinary(arch: string): Buffer {
  const path = join(platformPackage(`node-linux-${arch}`), 'bin/node');
  const directory = mkdtempSync(join(tmpdir(), 'herald-node-'));
  try {
    const stripped = join(directory, 'node');
    execFileSync('strip', ['-o', stripped, path], { stdio: 'pipe' });
    return readFileSync(stripped);
  } catch {
    return readFileSync(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Node, its licence, and the few files that the C library wants to see. */
export function runtimeEntries(arch: string): TarEntry[] {
  return [
    { type: 'file', path: 'usr/local/bin/node', content: nodeBinary(arch), mode: 0o755 },
    text(
      'usr/local/share/doc/node/LICENSE',
      readFileSync(join(platformPackage(`node-linux-${arch}`), 'LICENSE'), 'utf8'),
    ),
    text(
      'etc/passwd',
      'root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\nherald:x:65532:65532:herald:/:/sbin/nologin\n',
    ),
    text('etc/group', 'root:x:0:\nnogroup:x:65534:\nherald:x:65532:\n'),
    text('etc/nsswitch.conf', 'hosts: files dns\n'),
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    { type: 'directory', path: 'run' },
  ];
}

/** The bundle, the launcher, and koffi with its one binary for this platform. */
export function productEntries(arch: string, version: string): TarEntry[] {
  const bundled = readdirSync(BUNDLE).map((name): TarEntry => {
    return { type: 'file', path: `${HOME}/${name}`, content: readFileSync(join(BUNDLE, name)) };
  });
  const native = `@koromix/koffi-linux-${arch}`;
  return [
    text('usr/local/bin/herald', LAUNCHER, 0o755),
    text(`${HOME}/package.json`, `${JSON.stringify({ name: 'herald', version, type: 'module' })}\n`),
    text(`${HOME}/LICENSE`, existsSync('LICENSE') ? readFileSync('LICENSE', 'utf8') : ''),
    ...bundled,
    ...packageFiles('koffi', (path) => /\.(c?js|json|txt)$/.test(path) && !/^(doc|vendor|lib|cnoke)/.test(path)),
    ...packageFiles(native, (path) => !path.startsWith('musl')),
  ].filter(({ path }) => path !== `${HOME}/LICENSE` || existsSync('LICENSE'));
}

function packageFiles(name: string, isWanted: (path: string) => boolean): TarEntry[] {
  const directory = platformPackage(name);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .filter(isWanted)
    .map((path): TarEntry => {
      return {
        type: 'file',
        path: `${HOME}/node_modules/${name}/${path}`,
        content: readFileSync(join(directory, path)),
      };
    });
}
