/**
 * Runs test files, each in a process of its own, and counts what really ran.
 *
 *   node scripts/run-tests.ts NAME DIRECTORY... [--match SUFFIX] [--one-by-one] [--minutes N]
 *
 * It fails for a test that fails, a file that registered no test, a skipped test, a file that ended without a count,
 * and when fewer files ran than exist. Counts go to build/results/NAME.json.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  /** What to show when something is wrong; empty when all is well. */
  readonly trouble: string;
}

/** Reads uvu's totals out of what a test file printed. */
export function resultOf(file: string, exitCode: number | null, output: string): FileResult {
  const count = (label: string): number => Number(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'm').exec(output)?.[1] ?? 0);
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')];
  const notPassed = total - passed;
  const complaint = complaintOf({ exitCode, total, skipped, notPassed });
  return {
    file,
    passed,
    failed: Math.max(notPassed, complaint ? 1 : 0),
    trouble: complaint && `${complaint}\n${output}`,
  };
}

function complaintOf(run: { exitCode: number | null; total: number; skipped: number; notPassed: number }): string {
  if (run.total === 0) return 'registered no test';
  if (run.skipped > 0) return `skipped ${run.skipped}`;
  if (run.notPassed > 0) return `${run.notPassed} failed`;
  return run.exitCode === 0 ? '' : `ended with ${run.exitCode ?? 'a signal'}`;
}

const running = new Set<ChildProcess>();

/** A file leads a process group of its own, so that whatever it started ends with it. */
function endGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined) process.kill(-pid, signal);
}

/** A test has a limit of its own; `timeout` (milliseconds) ends a file that does not end, with all that it started. */
function runFile(file: string, timeout: number): Promise<FileResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    const timer = setTimeout(() => endGroup(child, 'SIGKILL'), timeout);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      running.delete(child);
      resolve(resultOf(file, exitCode, output));
    });
  });
}

function testFiles(directories: readonly string[], suffix: string): string[] {
  const isWanted = (name: string): boolean =>
    name.endsWith(suffix) && (suffix !== '.test.ts' || !name.endsWith('.netns.test.ts'));
  return directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => isWanted(name) && !name.includes('node_modules'))
      .map((name) => join(directory, name)),
  );
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '3' },
      match: { type: 'string', default: '.test.ts' },
      'one-by-one': { type: 'boolean', default: false },
    },
  });
  const [name = 'unit', ...directories] = positionals;
  const files = testFiles(directories, values.match).toSorted();
  const waiting = [...files];
  const results: FileResult[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      waiting.length = 0;
      for (const child of running) endGroup(child, signal);
    });
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const result = await runFile(file, Number(values.minutes) * 60_000);
      results.push(result);
      console.log(`${result.trouble ? 'FAILED' : 'ok    '} ${result.file} (${result.passed})`);
      if (result.trouble) console.log(result.trouble);
    }
  };
  await Promise.all(Array.from({ length: values['one-by-one'] ? 1 : 2 }, worker));

  const sum = (of: 'passed' | 'failed'): number => results.reduce((total, result) => total + result[of], 0);
  const missing = files.length === 0 ? 1 : files.length - results.length;
  const counts = { passed: sum('passed'), failed: sum('failed') + missing };
  mkdirSync('build/results', { recursive: true });
  writeFileSync(`build/results/${name}.json`, JSON.stringify(counts));
  console.log(`${name}: ${results.length} of ${files.length} files ran`);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
