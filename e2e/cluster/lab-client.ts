/** The lab as a library: what scenarios, benchmarks and `lab` itself call. */
import { labEngine, nodeNames } from './container.ts';
import { exec } from './exec.ts';
import { freeRanges, HOSTS } from './hosts.ts';
import { readClusterState } from './kind-cluster.ts';
import type { NodeAddresses } from './node-addresses.ts';

export { crash } from './crash.ts';
export { exec, startOn } from './exec.ts';
export { cut, type FaultMoment, kill, loss, oneway, pause, resume, unplug } from './faults.ts';
export { heal, startNode as start } from './healing.ts';
export { kubectl, kubectlJson } from './kubectl.ts';
export { load } from './load.ts';
export { type NodeAddresses, nodeAddresses } from './node-addresses.ts';
export { CommandError, type RunResult } from './process.ts';

/** The names of the cluster's nodes, the control plane first. */
export function nodes(): Promise<readonly string[]> {
  return nodeNames(labEngine());
}

/** Free ranges of the network, `a-b`, one per family. */
export function addresses(): Promise<{ readonly ipv4: string; readonly ipv6: string }> {
  return freeRanges(labEngine());
}

/** What runs, where, and which faults are in force. */
export interface LabStatus {
  readonly engine: 'private' | 'system';
  readonly nodeImage: string;
  readonly nodes: Readonly<Record<string, NodeAddresses>>;
  readonly hosts: Readonly<Record<string, string>>;
}

/** Tells what the lab consists of at the moment. */
export async function status(): Promise<LabStatus> {
  const engine = labEngine();
  const state = readClusterState();
  const addressOf = async (host: string) => {
    const { stdout } = await exec(host, ['ip', '-brief', 'address', 'show', 'eth0'], { check: false });
    return stdout.trim();
  };
  const hosts = await Promise.all(HOSTS.map(async (host) => [host, await addressOf(host)] as const));
  return {
    engine: engine.kind,
    nodeImage: state?.nodeImage ?? '',
    nodes: state?.addresses ?? {},
    hosts: Object.fromEntries(hosts),
  };
}
