/** kind, Kubernetes and pause, built from their Go modules (`tools/go.mod` pins all of them). */
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { filesUnder, keyOf, keyOfFiles, once, prune } from './cache.ts';
import { KUBERNETES_VERSION, places } from './places.ts';
import { Problem } from './problem.ts';
import { run, tryRun } from './process.ts';

const SOURCE = join(import.meta.dirname, 'tools');
const OLDEST_GO = [1, 24] as const;
const ENV = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };

/** Where the built binaries are: kind, hyperkube (every Kubernetes component and etcd) and pause. */
export interface GoTools {
  readonly key: string;
  readonly directory: string;
  readonly kind: string;
  readonly hyperkube: string;
  readonly pause: string;
}

/** The binaries' places; whether they are built says `existsSync(directory)` of each. */
export function goTools(): GoTools {
  const key = keyOf(keyOfFiles(filesUnder(SOURCE)), KUBERNETES_VERSION, process.arch);
  const directory = join(places.binaries, key);
  return {
    key,
    directory,
    kind: join(directory, 'kind'),
    hyperkube: join(directory, 'hyperkube'),
    pause: join(directory, 'pause'),
  };
}

/** Tells whether everything is built. */
export function areBuilt(tools: GoTools): boolean {
  return [tools.kind, tools.hyperkube, tools.pause].every((path) => existsSync(path));
}

/** Builds kind (a minute at most); enough where the published node image is used. */
export async function buildKind(tools: GoTools, log: string): Promise<void> {
  await build(tools.kind, ['-ldflags', '-s -w', 'sigs.k8s.io/kind'], log);
}

/** Builds Kubernetes (minutes, the longest step of all) and pause. */
export async function buildKubernetes(tools: GoTools, log: string): Promise<void> {
  await build(tools.pause, ['-ldflags', '-s -w', './pause'], log);
  const [major, minor] = KUBERNETES_VERSION.replace('v', '').split('.');
  const stamp = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((target) => [
    `-X ${target}.gitVersion=${KUBERNETES_VERSION}`,
    `-X ${target}.gitMajor=${major}`,
    `-X ${target}.gitMinor=${minor}`,
    `-X ${target}.gitTreeState=clean`,
    `-X ${target}.buildDate=2026-01-01T00:00:00Z`,
  ]);
  await build(tools.hyperkube, ['-ldflags', ['-s -w', ...stamp].join(' '), '.'], log);
  prune(places.binaries, '', 2);
}

/** The directory of kind's own files for a node (entrypoint, units, containerd's configuration), from its module. */
export async function kindNodeFiles(): Promise<string> {
  const go = await findGo();
  const download = [go, 'mod', 'download', '-json', 'sigs.k8s.io/kind'];
  const { stdout } = await run(download, { cwd: SOURCE, env: ENV });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  return join(Dir, 'images', 'base', 'files');
}

async function build(target: string, args: readonly string[], log: string): Promise<void> {
  await once(target, async (unfinished) => {
    const go = await findGo();
    mkdirSync(join(target, '..'), { recursive: true });
    await run(
      [go, 'build', '-trimpath', '-buildvcs=false', ...args.slice(0, -1), '-o', unfinished, ...args.slice(-1)],
      {
        cwd: SOURCE,
        env: ENV,
        log,
      },
    );
  });
}

/**
 * Finds Go on PATH or where its own installer puts it.
 * @throws Problem when there is none or it is too old
 */
export async function findGo(directories: readonly string[] = goDirectories()): Promise<string> {
  const needed = OLDEST_GO.join('.');
  const go = directories.map((directory) => join(directory, 'go')).find((path) => existsSync(path));
  if (go === undefined) {
    throw new Problem(
      'NoGo',
      `No published images can be pulled here, so Kubernetes is built from its Go modules, and that needs Go ${needed} or newer: install it on PATH or in /usr/local/go.`,
    );
  }
  const { stdout } = await tryRun([go, 'env', 'GOVERSION'], { cwd: SOURCE });
  const [major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
  if (major < OLDEST_GO[0] || (major === OLDEST_GO[0] && minor < OLDEST_GO[1])) {
    throw new Problem(
      'OldGo',
      `${go} is ${stdout.trim() || 'unusable'}, and Kubernetes ${KUBERNETES_VERSION} needs Go ${needed} or newer: install a newer one in front of it on PATH.`,
    );
  }
  return go;
}

function goDirectories(): readonly string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin'];
}
