/** The lab as scenarios use it: commands on its hosts, faults on its nodes, free addresses. All through e2e/cluster/lab. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as client from '../cluster/lab-client.ts';
import { repository } from '../cluster/places.ts';

/** The nodes that somebody broke and nobody mended yet: the runner heals them, whatever became of the scenario. */
const FAULTS = join(repository, 'build/e2e/faults.json');

/** `client`, `router`, `host` or the name of a node. */
export type Host = string;

export interface ExecOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

const EXEC_TIMEOUT_MS = 60_000;

/** Runs a command on a host to its end, whatever that is. */
export function tryExec(host: Host, argv: readonly string[], options: ExecOptions = {}): Promise<client.RunResult> {
  const { input, timeoutMs = EXEC_TIMEOUT_MS } = options;
  return client.exec(host, argv, { timeoutMs, check: false, ...(input === undefined ? {} : { stdin: input }) });
}

/** Runs a command on a host to its end and returns what it printed. @throws CommandError unless it ends with 0 */
export async function exec(host: Host, argv: readonly string[], options?: ExecOptions): Promise<string> {
  const result = await tryExec(host, argv, options);
  if (result.code !== 0) throw new client.CommandError([host, ...argv], result);
  return result.stdout;
}

/** Starts a command on a host, to read what it prints as it comes, or to stop it later. */
export const startOn = client.startOn;

/** Writes a file on a host, and the directories above it. */
export async function put(host: Host, path: string, content: string): Promise<void> {
  await exec(host, ['sh', '-c', `mkdir -p "$(dirname ${path})" && cat > ${path}`], { input: content });
}

export const kubectl = (...argv: string[]): Promise<string> => exec('host', ['kubectl', ...argv]);

/** Puts an image archive on every node. */
export const load = client.load;
/** Free addresses of the nodes' network, `first-last` per family. */
export const freeAddresses = client.addresses;

/** Silences a node: the host end of its link leaves the bridge, the carrier stays. Tells when exactly. */
export function cut(node: string): Promise<client.FaultMoment> {
  remember([...brokenNodes(), node]);
  return client.cut(node);
}

/** Kills the process of a role on a node and keeps the kubelet from starting it again until `heal`. */
export async function crashToStay(node: string, role: 'operator' | 'speaker'): Promise<void> {
  remember([...brokenNodes(), node]);
  await client.crash(node, role, { stay: true });
}

/** Mends a node and returns when it is Ready and both families answer. */
export async function heal(node: string): Promise<void> {
  await client.heal(node);
  remember(brokenNodes().filter((name) => name !== node));
}

/** Mends what earlier scenarios left broken. */
export async function healAll(): Promise<void> {
  for (const node of new Set(brokenNodes())) await heal(node);
}

function brokenNodes(): string[] {
  try {
    return JSON.parse(readFileSync(FAULTS, 'utf8')) as string[];
  } catch {
    return [];
  }
}

function remember(nodes: readonly string[]): void {
  mkdirSync(join(repository, 'build/e2e'), { recursive: true });
  if (nodes.length === 0) rmSync(FAULTS, { force: true });
  else writeFileSync(FAULTS, JSON.stringify(nodes));
}
