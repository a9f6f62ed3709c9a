/** Brings a node back from every fault, and waits until it is really there: Ready in the API, reached by both families. */
import { setTimeout as delay } from 'node:timers/promises';
import { findContainer, labEngine } from './container.ts';
import { engineEnv } from './engine.ts';
import { exec } from './exec.ts';
import { mendLink, resume } from './faults.ts';
import { kubectlJson } from './kubectl.ts';
import { nodeAddresses } from './node-addresses.ts';
import { NETWORK } from './places.ts';
import { Problem } from './problem.ts';
import { run } from './process.ts';

const RETURN_TIMEOUT_MS = 120_000;
const POLL_MS = 200;

/** When a node was mended and when it was seen Ready and answering, in milliseconds since 1970. */
export interface Return {
  readonly node: string;
  readonly startedAt: number;
  readonly readyAt: number;
}

/** Undoes every fault of a node: stopped, frozen, link gone or lossy, kubelet stopped; waits for its return. */
export async function heal(node: string): Promise<Return> {
  const startedAt = Date.now();
  const state = await stateOf(node);
  if (state === 'stopped') return startNode(node);
  if (state === 'paused') await resume(node);
  await mendLink(node);
  const kubelet = await exec(node, ['systemctl', 'is-active', '--quiet', 'kubelet'], { check: false });
  if (kubelet.code !== 0) await exec(node, ['systemctl', 'start', 'kubelet']);
  await returned(node, kubelet.code === 0 ? 0 : startedAt);
  return { node, startedAt, readyAt: Date.now() };
}

/** Starts a killed node again, with the addresses it had; waits for its return. */
export async function startNode(node: string): Promise<Return> {
  const startedAt = Date.now();
  const env = engineEnv(labEngine());
  if ((await stateOf(node)) !== 'stopped') throw new Problem('Running', `${node} runs already.`);
  const { ipv4, ipv6 } = nodeAddresses(node);
  // Docker gives a started container the next free address: naming its old ones keeps them whatever else has started.
  await run(['docker', 'network', 'disconnect', '--force', NETWORK, node], { env }).catch(() => undefined);
  await run(['docker', 'network', 'connect', '--ip', ipv4, '--ip6', ipv6, NETWORK, node], { env });
  await run(['docker', 'start', node], { env });
  await findContainer(labEngine(), node);
  await returned(node, startedAt);
  return { node, startedAt, readyAt: Date.now() };
}

/** Waits until the node is Ready, by a word of its kubelet that is newer than `since`, and both families answer. */
async function returned(node: string, since: number): Promise<void> {
  const deadline = Date.now() + RETURN_TIMEOUT_MS;
  let missing = 'nothing was asked';
  while (Date.now() < deadline) {
    missing = (await whatIsMissing(node, since)) ?? '';
    if (missing === '') return;
    await delay(POLL_MS);
  }
  throw new Error(`${node} did not come back within ${RETURN_TIMEOUT_MS / 1000} s: ${missing}`);
}

async function whatIsMissing(node: string, since: number): Promise<string | undefined> {
  const { ipv4, ipv6 } = nodeAddresses(node);
  for (const address of [ipv4, ipv6]) {
    const ping = await exec('client', ['ping', '-n', '-q', '-c', '1', '-W', '1', address], { check: false });
    if (ping.code !== 0) return `client reaches no ${address}`;
  }
  try {
    const { status } = await kubectlJson<NodeStatus>(['get', 'node', node]);
    const ready = status.conditions.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True') return `Ready is ${ready?.status ?? 'absent'}: ${ready?.message ?? ''}`;
    const { spec } = await kubectlJson<Lease>(['-n', 'kube-node-lease', 'get', 'lease', node]);
    return Date.parse(spec.renewTime) >= since ? undefined : 'its kubelet has not been heard since';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function stateOf(node: string): Promise<'running' | 'paused' | 'stopped'> {
  const argv = ['docker', 'inspect', '--format', '{{.State.Running}} {{.State.Paused}}', node];
  const { stdout } = await run(argv, { env: engineEnv(labEngine()) });
  const [isRunning, isPaused] = stdout.trim().split(' ');
  if (isPaused === 'true') return 'paused';
  return isRunning === 'true' ? 'running' : 'stopped';
}

interface NodeStatus {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}
interface Lease {
  readonly spec: { readonly renewTime: string };
}
