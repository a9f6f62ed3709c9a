/**
 * `make test`: every suite once, each as its own make target, shown with its time; `make test-all` adds the long ones.
 * A suite that fails does not stop the next unless it needs what the failed one makes. The last line counts all tests of all suites together.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';

interface Suite {
  readonly name: string;
  readonly target: string;
  /** Where the suite leaves its counts; a suite without one counts as a single test. */
  readonly counts?: string;
  readonly needs?: readonly string[];
  /** Only in `make test-all`. */
  readonly isLong?: boolean;
}

const suites: readonly Suite[] = [
  { name: 'checks and unit tests', target: 'check', counts: 'check' },
  { name: 'packets in namespaces', target: 'netns', counts: 'netns' },
  { name: 'image', target: 'image' },
  { name: 'cluster', target: 'cluster' },
  { name: 'door to the API server', target: 'api-contract', counts: 'api-contract', needs: ['cluster'] },
  { name: 'scenarios', target: 'e2e', counts: 'e2e', needs: ['image', 'cluster'] },
  { name: 'long scenarios', target: 'e2e-long', counts: 'e2e-long', needs: ['image', 'cluster'], isLong: true },
  { name: 'image for arm64', target: 'image-arm64', isLong: true },
  { name: 'Helm and Lua of Argo CD', target: 'charts-test', counts: 'charts', isLong: true },
  { name: 'faults of the lab', target: 'lab-test', counts: 'lab', needs: ['cluster'], isLong: true },
  { name: 'nothing left behind', target: 'cluster-down-test', counts: 'cluster-down', isLong: true },
];
const chosen = suites.filter(({ isLong }) => !isLong || process.argv.includes('--all'));

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(0)} s`;

/** A suite that leaves no counts behind, or counts nothing, has failed: nothing passes that did not run. */
function countsOf({ counts }: Suite, exitCode: number | null): Counts {
  if (counts === undefined) return exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const file = `build/results/${counts}.json`;
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const found = JSON.parse(readFileSync(file, 'utf8')) as Counts;
  const isSilentFailure = found.failed === 0 && (exitCode !== 0 || found.passed === 0);
  return isSilentFailure ? { ...found, failed: 1 } : found;
}

rmSync('build/results', { recursive: true, force: true });
const startedAt = Date.now();
const failedTargets = new Set<string>();
const report: string[] = [];
let total: Counts = { passed: 0, failed: 0 };

for (const suite of chosen) {
  const missing = suite.needs?.find((need) => failedTargets.has(need));
  const suiteStartedAt = Date.now();
  console.log(`\n== ${suite.name} (make ${suite.target})`);
  const exitCode = missing ? 1 : spawnSync('make', [suite.target], { stdio: ['ignore', 'inherit', 'inherit'] }).status;
  const counts = countsOf(suite, exitCode);
  if (counts.failed > 0) failedTargets.add(suite.target);
  total = { passed: total.passed + counts.passed, failed: total.failed + counts.failed };
  const remark = missing ? ` (not run: ${missing} failed)` : '';
  report.push(
    `${suite.name.padEnd(24)} ${counts.passed} passed, ${counts.failed} failed, ${seconds(suiteStartedAt)}${remark}`,
  );
}

console.log(`\n${report.join('\n')}\nall suites: ${seconds(startedAt)}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
