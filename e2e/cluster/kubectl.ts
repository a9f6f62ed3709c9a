/** kubectl against the lab's cluster. */
import { type ExecOptions, exec } from './exec.ts';
import type { RunResult } from './process.ts';

/** Runs kubectl where it reaches the cluster. */
export function kubectl(argv: readonly string[], options: ExecOptions = {}): Promise<RunResult> {
  return exec('host', ['kubectl', ...argv], options);
}

/** Runs kubectl with `-o json` and returns what it said; the shape is the caller's word. */
export async function kubectlJson<T>(argv: readonly string[], options: ExecOptions = {}): Promise<T> {
  const { stdout } = await kubectl([...argv, '-o', 'json'], options);
  return JSON.parse(stdout) as T;
}
