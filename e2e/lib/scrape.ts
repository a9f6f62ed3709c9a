/** The metrics of Herald's processes, as somebody in the cluster reads them. */

import type { KubeObject } from './kube-api.ts';
import { kubectl, tryExec } from './lab.ts';
import type { World } from './world.ts';

const ROLE = 'e2e-metrics-reader';

interface Scrape {
  readonly status: string;
  readonly body: string;
}

/** Asks a pod for its metrics from its own node, where every pod's address can be reached. */
export async function scrape(pod: KubeObject, headers: readonly string[]): Promise<Scrape> {
  const { podIP } = pod['status'] as { podIP: string };
  const { nodeName } = pod['spec'] as { nodeName: string };
  // The header comes by standard input, because arguments can be read by everybody on the node.
  const argv = ['curl', '-sk', '-m', '10', '-H', '@-', '-w', '\n%{http_code}', `https://${podIP}:9120/metrics`];
  const { stdout } = await tryExec(nodeName, argv, { input: headers.join('\n') });
  const at = stdout.lastIndexOf('\n');
  return { status: stdout.slice(at + 1), body: stdout.slice(0, at) };
}

/** Creates a ServiceAccount in the scenario's namespace; a token of it. */
export async function tokenOf({ namespace }: World, account: string): Promise<string> {
  await kubectl('-n', namespace, 'create', 'serviceaccount', account);
  return (await kubectl('-n', namespace, 'create', 'token', account)).trim();
}

/** Lets an account read metrics while `body` runs. */
export async function allowed({ namespace }: World, account: string, body: () => Promise<void>): Promise<void> {
  const subject = `--serviceaccount=${namespace}:${account}`;
  await kubectl('create', 'clusterrole', ROLE, '--verb=get', '--non-resource-url=/metrics');
  try {
    await kubectl('create', 'clusterrolebinding', ROLE, `--clusterrole=${ROLE}`, subject);
    await body();
  } finally {
    await kubectl('delete', '--ignore-not-found', `clusterrole/${ROLE}`, `clusterrolebinding/${ROLE}`);
  }
}
