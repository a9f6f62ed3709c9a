/**
 * The container engine of the lab: this machine's Docker where it can pull the published node image, else a dockerd of
 * our own in network and mount namespaces of its own, which can neither reach nor disturb this machine's network.
 */
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keyOf } from './cache.ts';
import { places } from './places.ts';
import { Problem } from './problem.ts';
import { run, start, tryRun } from './process.ts';

/** What the names of all labs' parent cgroups begin with. */
export const CGROUP_PREFIX = '/herald-lab-';
const CAP_SYS_RESOURCE = 24n;
/** How many inotify instances a user may have; `make cluster` raises it and `make cluster-down` puts it back. */
export const INOTIFY = '/proc/sys/fs/inotify/max_user_instances';
/** Three nodes with systemd and kubelet each exhaust the kernel's default of 128. */
const INOTIFY_INSTANCES = 1024;
const START_TIMEOUT_MS = 30_000;

/** What is remembered of a dockerd of our own, so that it is found, entered and ended again. */
export interface PrivateEngine {
  readonly kind: 'private';
  readonly pid: number;
  /** Clock ticks from boot to the process' start: a pid alone may be somebody else's by now. */
  readonly startTime: string;
  /** The namespaces that everything of the engine lives in. */
  readonly networkNamespace: string;
  readonly mountNamespace: string;
  /** The parent cgroup of every container. */
  readonly cgroup: string;
  /** What fs.inotify.max_user_instances was, where we raised it. */
  readonly inotifyBefore?: string;
}

/** This machine's own Docker. */
export interface SystemEngine {
  readonly kind: 'system';
}

export type Engine = PrivateEngine | SystemEngine;

/** The environment in which `docker` and `kind` reach the engine. */
export function engineEnv(engine: Engine): Readonly<Record<string, string>> {
  return engine.kind === 'private' ? { DOCKER_HOST: `unix://${places.socket}` } : {};
}

/** The engine that is running for the lab, if any. */
export function runningEngine(): Engine | undefined {
  const engine = rememberedEngine();
  return engine?.kind === 'private' && !isRunning(engine) ? undefined : engine;
}

/** The engine that was used last, even when its dockerd has died since. */
export function rememberedEngine(): Engine | undefined {
  return existsSync(places.engineState) ? (JSON.parse(readFileSync(places.engineState, 'utf8')) as Engine) : undefined;
}

/** Tells whether the dockerd that was started is still that process. */
export function isRunning(engine: PrivateEngine): boolean {
  return startTimeOf(engine.pid) === engine.startTime;
}

/** Remembers that this machine's own Docker carries the cluster. */
export function useSystemEngine(): SystemEngine {
  const engine: SystemEngine = { kind: 'system' };
  remember(engine);
  return engine;
}

/**
 * Starts a dockerd of our own, or finds it running.
 * @throws Problem without root
 */
export async function startPrivateEngine(log: string): Promise<PrivateEngine> {
  const last = rememberedEngine();
  if (last?.kind === 'private' && isRunning(last) && (await answers(last.pid))) return ready(last);
  if (process.getuid?.() !== 0) {
    throw new Problem(
      'NotRoot',
      'There is no Docker here that can pull images, and only root can run one of our own: run this as root, or install Docker.',
    );
  }
  rmSync(join(places.run, 'exec'), { recursive: true, force: true });
  for (const path of [places.socket, join(places.run, 'docker.pid')]) rmSync(path, { force: true });
  mkdirSync(places.docker, { recursive: true });
  const inotifyBefore = raiseInotify() ?? (last?.kind === 'private' ? last.inotifyBefore : undefined);
  const pid = launch(await dockerdCommand(), log);
  const launched: PrivateEngine = {
    kind: 'private',
    pid,
    startTime: startTimeOf(pid) ?? '',
    networkNamespace: '',
    mountNamespace: '',
    cgroup: cgroupParent(),
    ...(inotifyBefore === undefined ? {} : { inotifyBefore }),
  };
  // Before it answers: an interrupt from here on must not leave a dockerd that nobody knows of.
  remember(launched);
  if (!(await answers(pid))) throw new Problem('EngineDown', `dockerd did not start; its last words are in ${log}`);
  return ready(launched);
}

/** Fills in the namespaces of a running engine, which it has not had yet when it was launched. */
export function withNamespaces(engine: PrivateEngine): PrivateEngine {
  const { pid } = engine;
  return { ...engine, networkNamespace: namespaceOf(pid, 'net'), mountNamespace: namespaceOf(pid, 'mnt') };
}

/** Completes what is remembered, now that the engine answers, and prepares its network. */
async function ready(launched: PrivateEngine): Promise<PrivateEngine> {
  const engine = withNamespaces(launched);
  remember(engine);
  // Frames between containers are bridged: no packet filter or connection table of ours looks into them.
  const bridged = 'for f in /proc/sys/net/bridge/bridge-nf-call-*tables; do [ ! -e $f ] || echo 0 > $f; done';
  await inEngineNetwork(engine, ['sh', '-c', bridged]);
  return engine;
}

function remember(engine: Engine): void {
  writeFileSync(places.engineState, JSON.stringify(engine));
}

/** Runs a command in the engine's network namespace. */
export function inEngineNetwork(engine: Engine, argv: readonly string[]): ReturnType<typeof run> {
  return run([...networkPrefix(engine), ...argv]);
}

/** What to put before a command so that it runs in the engine's network namespace. */
export function networkPrefix(engine: Engine): readonly string[] {
  return engine.kind === 'private' ? ['nsenter', '-t', String(engine.pid), '-n', '--'] : [];
}

/** The parent cgroup's name: one per cache directory, by inode because a chroot has paths of its own but not cgroups. */
export function cgroupParent(): string {
  const { dev, ino } = statSync(places.cache);
  return `${CGROUP_PREFIX}${keyOf(`${dev}:${ino}`).slice(0, 8)}`;
}

/** The inode that names a process' namespace. */
export function namespaceOf(pid: number | 'self', kind: 'net' | 'mnt' | 'pid'): string {
  return String(statSync(`/proc/${pid}/ns/${kind}`).ino);
}

/** The process' start in clock ticks after boot; undefined when there is no such process or it is a zombie. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Tells whether this machine's own Docker answers. */
export async function systemDockerWorks(): Promise<boolean> {
  const { code } = await tryRun(['docker', 'info', '--format', '{{.ID}}'], { timeoutMs: 10_000 });
  return code === 0;
}

async function dockerdCommand(): Promise<readonly string[]> {
  const scripts = join(places.run, 'node');
  // A copy: a running engine must not depend on where the checkout is.
  cpSync(join(import.meta.dirname, 'node'), scripts, { recursive: true });
  const runtime = lacksSysResource()
    ? ['--add-runtime', `wrapped=${join(scripts, 'runc-wrapper')}`, '--default-runtime', 'wrapped']
    : [];
  return [
    ...['unshare', '--net', '--mount', '--propagation', 'unchanged'],
    ...[join(scripts, 'rooted'), places.run, join(scripts, 'engine.sh'), places.run],
    ...['dockerd', '--data-root', places.docker, '--exec-root', join(places.run, 'exec')],
    ...['--pidfile', join(places.run, 'docker.pid'), '--host', `unix://${places.socket}`],
    ...['--storage-driver', 'overlay2', '--cgroup-parent', cgroupParent(), ...runtime],
  ];
}

function launch(argv: readonly string[], log: string): number {
  const file = openSync(log, 'a');
  const child = start(argv, { stdio: ['ignore', file, file], detached: true, env: engineProcessEnv() });
  closeSync(file);
  child.once('error', () => undefined);
  child.unref();
  if (child.pid === undefined)
    throw new Problem('NoUnshare', 'util-linux (unshare) is missing: apt-get install util-linux');
  return child.pid;
}

function engineProcessEnv(): NodeJS.ProcessEnv {
  const path = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const { PATH: _, ...rest } = process.env;
  return { ...rest, PATH: path.join(':') };
}

/** Waits until the dockerd of that process answers; false when it ends or does not answer in time. */
async function answers(pid: number): Promise<boolean> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline && startTimeOf(pid) !== undefined) {
    const { code } = await tryRun(['docker', 'version'], { env: { DOCKER_HOST: `unix://${places.socket}` } });
    if (code === 0) return true;
    await delay(100);
  }
  return false;
}

function lacksSysResource(): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${bounding}`) >> CAP_SYS_RESOURCE) & 1n) === 0n;
}

function raiseInotify(): string | undefined {
  const before = readFileSync(INOTIFY, 'utf8').trim();
  if (Number(before) >= INOTIFY_INSTANCES) return undefined;
  writeFileSync(INOTIFY, String(INOTIFY_INSTANCES));
  return before;
}
