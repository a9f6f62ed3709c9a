/** Runs commands on the lab's hosts, its nodes, and where kubectl reaches the cluster. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { containerName, findContainer, labEngine } from './container.ts';
import { type Engine, engineEnv, networkPrefix } from './engine.ts';
import { places } from './places.ts';
import { CommandError, ending, killGroup, type RunResult, start } from './process.ts';

/** How a command on a host is run. */
export interface ExecOptions {
  readonly stdin?: string | Uint8Array;
  /** The command and its children are killed after so many milliseconds and the code is 137. */
  readonly timeoutMs?: number;
  /** `false` returns a result whatever the exit code is. */
  readonly check?: boolean;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A command line and its environment that together run something on a host. */
export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to run `argv` on `host`: `client`, `router`, a node, or `host`, where KUBECONFIG and kubectl reach the cluster. */
export async function launchOn(host: string, argv: readonly string[]): Promise<Launch> {
  const engine = labEngine();
  if (host === 'host') return { argv: [...networkPrefix(engine), ...argv], env: hostEnv(engine) };
  if (engine.kind === 'system') {
    return { argv: ['docker', 'exec', '-i', containerName(host), ...argv], env: process.env };
  }
  const { pid } = await findContainer(engine, host);
  const env = {
    PATH,
    HOME: '/root',
    TERM: process.env['TERM'] ?? 'dumb',
    LANG: 'C.UTF-8',
    KUBECONFIG: '/etc/kubernetes/admin.conf',
  };
  return { argv: ['nsenter', '-t', String(pid), '-m', '-u', '-i', '-n', '-p', '--', ...argv], env };
}

/**
 * Runs a command on a host to its end.
 * @throws CommandError when it ends with something else than 0, unless `check` is false
 */
export async function exec(host: string, argv: readonly string[], options: ExecOptions = {}): Promise<RunResult> {
  const launch = await launchOn(host, argv);
  const child = start(launch.argv, { env: launch.env, stdio: 'pipe', detached: true });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.stdin);
  const result = await ending(child, options.timeoutMs);
  if (result.code !== 0 && options.check !== false) throw new CommandError([host, ...argv], result);
  return result;
}

/** A command that runs on a host until it ends or is stopped. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when it ended, with what it wrote. */
  readonly ended: Promise<RunResult>;
  /** Sends a signal (SIGTERM unless told) to it and its children, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<RunResult>;
}

/** Starts a command on a host, to read its output as it comes (`child.stdout`) or to stop it later. */
export async function startOn(host: string, argv: readonly string[]): Promise<Running> {
  const launch = await launchOn(host, argv);
  const child = start(launch.argv, { env: launch.env, stdio: 'pipe', detached: true });
  const ended = ending(child);
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    killGroup(child, signal);
    return ended;
  };
  return { child, ended, stop };
}

/** The environment of `host`: this process', with kubectl and kind on PATH, KUBECONFIG, and where docker is. */
function hostEnv(engine: Engine): Launch['env'] {
  const directories = [join(places.run, 'bin'), process.env['PATH'] ?? PATH];
  return { ...process.env, ...engineEnv(engine), KUBECONFIG: places.kubeconfig, PATH: directories.join(':') };
}
