/** A second lab with caches of its own comes up, is left in a bad state, goes down, and the kernel holds nothing of it. */

import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { places } from './places.ts';
import { run, tryRun } from './process.ts';

const SCRATCH = `${places.cache}-down-e2e`;
const env = { HERALD_CACHE: SCRATCH };
const script = (name: string) => [process.execPath, join(import.meta.dirname, name)];
const labCommand = (...words: readonly string[]) => [join(import.meta.dirname, 'lab'), ...words];

/** What the kernel holds of the second lab; other labs may come and go meanwhile. */
interface Holdings {
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
}

/** The names of all namespaces that the second lab was ever seen in, such as `net:[4026532744]`. */
const namespaces = new Set<string>();
/** The names of its cgroups, as seen while it was up. */
const cgroupNames = new Set<string>();

function holdings(): Holdings {
  const mounts = read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return {
    mounts: mounts.filter((point) => point.startsWith(SCRATCH)),
    interfaces: readdirSync('/sys/class/net').toSorted(),
    cgroups: cgroupRoots().flatMap((root) =>
      [...cgroupNames].map((name) => join(root, name)).filter((path) => existsSync(path)),
    ),
    processes: processes()
      .filter(isOfSecondLab)
      .map(
        (pid) => `${pid} ${read(`/proc/${pid}/comm`)} ${read(`/proc/${pid}/cmdline`)} ${read(`/proc/${pid}/cgroup`)}`,
      ),
  };
}

/** Notes which namespaces and cgroups the second lab lives in. */
function look(): void {
  // The kernel uses the numbers of namespaces again: those of an earlier life may be somebody else's by now.
  namespaces.clear();
  const engine = JSON.parse(read(join(SCRATCH, 'run', 'engine.json'))) as { pid: number; cgroup: string };
  cgroupNames.add(engine.cgroup);
  const members = processes().filter(
    (pid) => pid === engine.pid || read(`/proc/${pid}/cgroup`).includes(`:${engine.cgroup}/`),
  );
  for (const name of members.flatMap(namespacesOf)) namespaces.add(name);
}

function isOfSecondLab(pid: number): boolean {
  return namespacesOf(pid).some((name) => namespaces.has(name)) || read(`/proc/${pid}/cmdline`).includes(SCRATCH);
}

function cgroupRoots(): readonly string[] {
  return ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))];
}

function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The namespaces of a process that it does not share with us. */
function namespacesOf(pid: number): readonly string[] {
  return ['net', 'mnt', 'pid'].flatMap((kind) => {
    try {
      const name = readlinkSync(`/proc/${pid}/ns/${kind}`);
      return name === readlinkSync(`/proc/self/ns/${kind}`) ? [] : [name];
    } catch {
      return [];
    }
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Gives the second lab the first one's caches without a second copy. */
function shareCaches(): void {
  for (const directory of [places.binaries, places.rootfs]) {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const source = join(entry.parentPath, entry.name);
      const target = join(SCRATCH, source.slice(places.cache.length));
      mkdirSync(dirname(target), { recursive: true });
      linkSync(source, target);
    }
  }
  // The engine's store of images is taken as it is, where no engine is using it.
  if (!existsSync(places.engineState)) cpSync(places.docker, join(SCRATCH, 'docker'), { recursive: true });
}

spec(
  'cluster-down',
  (test) => {
    const before = holdings();

    test('a second lab comes up beside the first', async () => {
      rmSync(SCRATCH, { recursive: true, force: true });
      shareCaches();
      await run(script('up.ts'), { env });
      look();
      const held = holdings();
      assert.ok(held.processes.some((process) => /dockerd/.test(process)));
      assert.ok(held.processes.some((process) => /kube-apiserver/.test(process)));
      assert.ok(namespaces.size >= 3 * 5 + 2, `${namespaces.size} namespaces for five containers and the engine`);
      assert.ok(held.cgroups.length > 0);
    });

    test('a second `make cluster` finds it within 5 s', async () => {
      const began = performance.now();
      assert.match((await run(script('up.ts'), { env })).stdout, 'is up already');
      assert.ok(performance.now() - began < 5_000);
    });

    test('it goes down with a frozen node, a dead one and a command still running', async () => {
      await run(labCommand('pause', 'herald-worker'), { env });
      await run(labCommand('kill', 'herald-worker2'), { env });
      const left = tryRun(labCommand('exec', 'host', '--', 'sleep', '1000'), { env });
      await run(script('down.ts'), { env });
      assert.is.not((await left).code, 0);
    });

    test('no process, mount, namespace, interface or cgroup of it is left, but the caches are', () => {
      assert.equal(holdings(), before);
      assert.equal(readdirSync(join(SCRATCH, 'run')), []);
      assert.ok(existsSync(join(SCRATCH, 'docker', 'image')));
    });

    test('a dockerd that was killed outright leaves nothing either', async () => {
      await run(script('up.ts'), { env });
      look();
      const { pid } = JSON.parse(readFileSync(join(SCRATCH, 'run', 'engine.json'), 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
      await run(script('down.ts'), { env });
      assert.equal(holdings(), before);
    });

    test('going down twice is no error', async () => {
      assert.match((await run(script('down.ts'), { env })).stdout, 'there is no cluster');
      rmSync(SCRATCH, { recursive: true });
    });
  },
  { timeoutMs: 300_000 },
);
