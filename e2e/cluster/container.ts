/** Containers of the lab by their place in a command: found once, entered by their namespaces because `docker exec` costs 80 ms. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, engineEnv, namespaceOf, runningEngine, startTimeOf } from './engine.ts';
import { containerOf, HOSTS, type HostName } from './hosts.ts';
import { CLUSTER, places } from './places.ts';
import { Problem } from './problem.ts';
import { run } from './process.ts';

/** A running container as the kernel knows it. */
export interface Container {
  readonly id: string;
  /** Its first process. */
  readonly pid: number;
  readonly startTime: string;
  readonly networkNamespace: string;
}

/**
 * The engine that carries the lab.
 * @throws Problem when there is none
 */
export function labEngine(): Engine {
  const engine = runningEngine();
  if (engine === undefined) throw new Problem('NoCluster', 'There is no cluster: run `make cluster` first.');
  return engine;
}

/** Tells whether a name is one of the two hosts beside the cluster. */
export function isHostName(name: string): name is HostName {
  return (HOSTS as readonly string[]).includes(name);
}

/** The container's name for a host or node. */
export function containerName(host: string): string {
  return isHostName(host) ? containerOf(host) : host;
}

/** The names of the cluster's nodes, running or not, the control plane first. */
export async function nodeNames(engine: Engine): Promise<readonly string[]> {
  const argv = ['docker', 'ps', '-a', '--filter', `label=io.x-k8s.kind.cluster=${CLUSTER}`, '--format', '{{.Names}}'];
  const { stdout } = await run(argv, { env: engineEnv(engine) });
  return stdout
    .split('\n')
    .filter((name) => name !== '')
    .toSorted();
}

/**
 * Finds a running container; what the last look found is taken while its first process still is the same.
 * @throws Problem when no such host or node runs
 */
export async function findContainer(engine: Engine, host: string): Promise<Container> {
  const path = join(places.run, 'containers', `${host}.json`);
  if (existsSync(path)) {
    const known = JSON.parse(readFileSync(path, 'utf8')) as Container;
    if (startTimeOf(known.pid) === known.startTime) return known;
  }
  const container = await inspect(engine, host);
  mkdirSync(join(places.run, 'containers'), { recursive: true });
  writeFileSync(path, JSON.stringify(container));
  return container;
}

async function inspect(engine: Engine, host: string): Promise<Container> {
  const format = '{{.Id}} {{.State.Pid}}';
  const argv = ['docker', 'inspect', '--type', 'container', '--format', format, containerName(host)];
  const result = await run(argv, { env: engineEnv(engine) }).catch(() => undefined);
  if (result === undefined) {
    const names = ['host', ...HOSTS, ...(await nodeNames(engine))];
    throw new Problem('NoSuchHost', `There is no host ${host}; there are ${names.join(', ')}.`);
  }
  const [id = '', text = '0'] = result.stdout.trim().split(' ');
  const pid = Number(text);
  const startTime = startTimeOf(pid);
  if (pid === 0 || startTime === undefined)
    throw new Problem('NotRunning', `${host} is not running: \`lab start ${host}\` starts a node again.`);
  return { id, pid, startTime, networkNamespace: namespaceOf(pid, 'net') };
}
