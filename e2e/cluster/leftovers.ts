/** What a dockerd of our own and its containers are made of in this kernel: finds it, ends it, proves that it is gone. */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CGROUP_PREFIX, isRunning, namespaceOf, type PrivateEngine } from './engine.ts';
import { places } from './places.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';
const END_TIMEOUT_MS = 10_000;

/** One sentence for each thing that is still there; empty when nothing is. */
export function findLeftovers(engine: PrivateEngine): readonly string[] {
  const processes = processesOf(engine).map((pid) => `process ${pid}: ${commandOf(pid)}`);
  const mounts = mountPoints()
    .filter((point) => point.startsWith(`${places.cache}/`))
    .map((point) => `mount ${point}`);
  const namespaces = heldNamespaces([engine.networkNamespace, engine.mountNamespace]);
  const cgroups = cgroupsOf(engine).map((path) => `cgroup ${path}`);
  return [...processes, ...mounts, ...namespaces, ...cgroups];
}

/** Ends every process of the engine, containers first; returns when the kernel has let go of all. */
export async function endProcesses(engine: PrivateEngine): Promise<void> {
  const all = processesOf(engine);
  const namespaces = foreignNamespaces(all);
  // While the shims live they collect what dies in their containers; without them that waits for this machine's init.
  const contained = cgroupsOf(engine).flatMap(membersOf);
  signalAll(contained, 'SIGKILL');
  await untilGone(() => contained.every((pid) => !existsSync(`/proc/${pid}`)));
  signalAll(processesOf(engine), 'SIGTERM');
  await untilGone(() => processesOf(engine).length === 0);
  signalAll(processesOf(engine), 'SIGKILL');
  await untilGone(() => all.every((pid) => !existsSync(`/proc/${pid}`)));
  // A process leaves its cgroup before its namespaces: interfaces go with the last of these.
  await untilGone(() => allProcesses().every((pid) => !namespacesOf(pid).some((name) => namespaces.has(name))));
}

async function untilGone(isGone: () => boolean): Promise<void> {
  const deadline = performance.now() + END_TIMEOUT_MS;
  while (!isGone() && performance.now() < deadline) await delay(50);
}

function foreignNamespaces(pids: readonly number[]): ReadonlySet<string> {
  const own = namespacesOf(process.pid);
  return new Set(pids.flatMap(namespacesOf).filter((name) => !own.includes(name)));
}

function namespacesOf(pid: number): readonly string[] {
  return (['net', 'mnt'] as const).flatMap((kind) => namespace(pid, kind) ?? []);
}

/** Removes the engine's cgroups in every hierarchy; they are empty once its processes are gone. */
export function removeCgroups(engine: PrivateEngine): void {
  for (const path of cgroupsOf(engine)) removeTree(path);
}

/** Tells whether another lab runs on this machine, in a chroot or with caches of its own. */
export function isOnlyLab(engine: PrivateEngine): boolean {
  return [CGROUP_ROOT, ...subdirectories(CGROUP_ROOT)].every((root) =>
    subdirectories(root).every((path) => path.endsWith(engine.cgroup) || !path.startsWith(join(root, CGROUP_PREFIX))),
  );
}

/**
 * The processes of the engine: in its namespaces (dockerd, containerd, their shims, what `lab exec host` started) or in
 * its cgroups (all that runs in containers). Our own process and those that wait for it do not count.
 */
function processesOf(engine: PrivateEngine): readonly number[] {
  const spared = new Set(ancestors(process.pid));
  const inCgroups = new Set(cgroupsOf(engine).flatMap(membersOf));
  // An engine that was interrupted at its launch may not have left our own namespaces yet: those are never its own.
  const networks = engine.networkNamespace === namespaceOf('self', 'net') ? '' : engine.networkNamespace;
  const mounts = engine.mountNamespace === namespaceOf('self', 'mnt') ? '' : engine.mountNamespace;
  const isOurs = (pid: number) =>
    inCgroups.has(pid) ||
    (pid === engine.pid && isRunning(engine)) ||
    namespace(pid, 'net') === networks ||
    namespace(pid, 'mnt') === mounts;
  return allProcesses().filter((pid) => !spared.has(pid) && isOurs(pid));
}

function cgroupsOf(engine: PrivateEngine): readonly string[] {
  if (!existsSync(CGROUP_ROOT)) return [];
  const hierarchies = readdirSync(CGROUP_ROOT).map((name) => join(CGROUP_ROOT, name));
  return [CGROUP_ROOT, ...hierarchies].map((root) => join(root, engine.cgroup)).filter((path) => existsSync(path));
}

function membersOf(cgroup: string): readonly number[] {
  const own = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  return [...own, ...subdirectories(cgroup).flatMap(membersOf)];
}

function removeTree(path: string): void {
  for (const inner of subdirectories(path)) removeTree(inner);
  rmdirSync(path);
}

function subdirectories(path: string): readonly string[] {
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
}

function heldNamespaces(inodes: readonly string[]): readonly string[] {
  const held = mountPointsOfNamespaces().filter((root) => inodes.some((inode) => root.includes(`[${inode}]`)));
  return held.map((root) => `namespace ${root}`);
}

function mountPoints(): readonly string[] {
  return mountInfo().map((fields) => fields[4] ?? '');
}

function mountPointsOfNamespaces(): readonly string[] {
  return mountInfo()
    .map((fields) => fields[3] ?? '')
    .filter((root) => /^(net|mnt):\[/.test(root));
}

function mountInfo(): readonly (readonly string[])[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function ancestors(pid: number): readonly number[] {
  const parent = Number(/^PPid:\s*(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  return parent > 0 ? [pid, ...ancestors(parent)] : [pid];
}

function namespace(pid: number, kind: 'net' | 'mnt'): string | undefined {
  try {
    // The link, unlike the file behind it, can be read of a process that is just ending.
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))?.[1];
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 120);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** Tells whether this very process runs inside the engine's network, as in `make shell`. */
export function isInside(engine: PrivateEngine): boolean {
  return namespaceOf('self', 'net') === engine.networkNamespace;
}
