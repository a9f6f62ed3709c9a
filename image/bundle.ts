/** Bundles the product into dist/: one entry point per process and thread, flat, so that threads find each other, and the program for the kernel. */

import { copyFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bpfProgram } from './bpf-program.ts';

export const BUNDLE = 'dist';

/** Packages that stay outside of the bundle, because they load native code from beside their own files. */
export const EXTERNAL = ['koffi'];

/** CommonJS packages inside the bundle call require, which an ECMAScript module does not have. */
const REQUIRE =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

/**
 * The constructor of the operator's base class makes a client of @kubernetes/client-node that nothing of ours calls:
 * every request goes through operator/cluster/api-connection.ts, and a test watches over it. The package is 6.6 MB of
 * code, which took a starting operator 200 ms of CPU and 27 MB. The command line, which does read kubeconfigs with it, has it.
 */
const UNUSED_CLIENT = `
export class KubeConfig { loadFromDefault() {} makeApiClient() { return {}; } }
export class CoreV1Api {}
`;
const withoutUnusedClient: Plugin = {
  name: 'without-unused-client',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ importer }) =>
      importer.includes('/@dot-i/k8s-operator/') ? { path: 'unused-client', namespace: 'herald' } : undefined,
    );
    onLoad({ filter: /^unused-client$/, namespace: 'herald' }, () => ({ contents: UNUSED_CLIENT, loader: 'js' }));
  },
};

/** `main` and every `*-thread.ts`, by the name that the bundle gives them. */
function entryPoints(): Record<string, string> {
  const threads = readdirSync('operator', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('-thread.ts'))
    .toSorted();
  return {
    main: 'operator/main.ts',
    ...Object.fromEntries(threads.map((name) => [basename(name, '.ts'), join('operator', name)])),
  };
}

/** Writes dist/ anew. Roles are split into chunks, so that a process loads only what its role needs. */
export async function bundle(): Promise<void> {
  // Beside its place and under a name of its own, so that two builds at once do not mix their chunks.
  const unfinished = `build/${BUNDLE}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  await build({
    entryPoints: entryPoints(),
    outdir: unfinished,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    // Identifiers stay, so that the frames of an error in a log can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: 'none',
    plugins: [withoutUnusedClient],
    logLevel: 'warning',
  });
  const program = bpfProgram();
  if ('path' in program) copyFileSync(program.path, join(unfinished, basename(program.path)));
  else process.stdout.write(`without the in-kernel responder: ${program.why}\n`);
  rmSync(BUNDLE, { recursive: true, force: true });
  renameSync(unfinished, BUNDLE);
}

if (import.meta.main) await bundle();
