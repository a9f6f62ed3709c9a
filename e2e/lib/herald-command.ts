/** The command `herald` as people run it: the built product, with the lab's kubeconfig. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { places, repository } from '../cluster/places.ts';

const PROGRAM = join(repository, 'dist/main.js');
const TIMEOUT_MS = 30_000;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end, whatever that is. */
export function herald(...args: readonly string[]): Promise<CommandResult> {
  const env = { ...process.env, KUBECONFIG: places.kubeconfig };
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env,
    timeout: TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** What the command says as JSON. @throws an Error when it ends with another code than 0 */
export async function heraldJson<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await herald(...args, '-o', 'json');
  if (code !== 0) throw new Error(`herald ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
