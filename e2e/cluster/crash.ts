/** SIGKILL to the process of one of Herald's containers, as an out-of-memory kill would do it. */
import { exec } from './exec.ts';
import type { FaultMoment } from './faults.ts';
import type { CrashRole } from './lab-arguments.ts';
import { Problem } from './problem.ts';

const NAMESPACES = ['herald-system', 'metallb-system'];

/**
 * Kills the process of a role's container on a node.
 * @param options stay: stops the node's kubelet first, so that nothing starts it again before `heal`
 */
export async function crash(
  node: string,
  role: CrashRole,
  options: { readonly stay?: boolean } = {},
): Promise<FaultMoment> {
  const pid = await processOf(node, role);
  if (options.stay) await exec(node, ['systemctl', 'stop', 'kubelet']);
  const startedAt = performance.timeOrigin + performance.now();
  await exec(node, ['kill', '-KILL', String(pid)]);
  return { node, startedAt, endedAt: performance.timeOrigin + performance.now() };
}

/** The process number, as the node counts, of the running container of that name in one of Herald's namespaces. */
async function processOf(node: string, role: CrashRole): Promise<number> {
  const filters = NAMESPACES.map(
    (namespace) => `labels."io.kubernetes.pod.namespace"==${namespace},labels."io.kubernetes.container.name"==${role}`,
  );
  const containers = (await exec(node, ['ctr', '-n', 'k8s.io', 'containers', 'ls', '-q', ...filters])).stdout.split(
    '\n',
  );
  const tasks = (await exec(node, ['ctr', '-n', 'k8s.io', 'tasks', 'ls'])).stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const task = tasks.find(([id = '', , status]) => id !== '' && containers.includes(id) && status === 'RUNNING');
  if (task === undefined) throw new Problem('NoSuchProcess', `No container ${role} of Herald runs on ${node}.`);
  return Number(task[1]);
}
