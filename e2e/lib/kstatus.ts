/** What kstatus says of objects: kustomize's own Go library, which Flux, kpt and Cluster API wait by. */

import { goTool } from '../cluster/go-tool.ts';
import { run } from '../cluster/process.ts';
import type { KubeObject } from './kube-api.ts';

export interface Kstatus {
  readonly status: 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown';
  readonly message: string;
}

/** The path of the tool, built on first use: on a new machine that takes longer than a test may. */
export const kstatusTool = (): Promise<string> =>
  goTool({ name: 'kstatus', package: '.' }, (line) => console.log(line));

/** In the order of the objects, which need `apiVersion` and `kind`. */
export async function kstatusOf(objects: readonly KubeObject[]): Promise<readonly Kstatus[]> {
  const program = await kstatusTool();
  const { stdout } = await run([program], { input: JSON.stringify(objects) });
  return JSON.parse(stdout) as readonly Kstatus[];
}
