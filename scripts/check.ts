/**
 * `make check`: every gate that needs no root, each shown with its time; all run, so that one failure hides no other.
 * Counts go to build/results/check.json for the total of `make test`.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const UNIT_FOLDERS = ['operator', 'crds', 'cdk8s', 'e2e', 'bench', 'image', 'testing', 'scripts'].filter((f) =>
  existsSync(f),
);

const gates: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'layers', command: ['node', 'scripts/check-layers.ts'] },
  { name: 'unused code', command: ['knip', '--no-progress'] },
  { name: 'unit tests', command: ['node', 'scripts/run-tests.ts', 'unit', ...UNIT_FOLDERS] },
];

let failed = 0;
for (const { name, command } of gates) {
  const startedAt = Date.now();
  const [program = '', ...args] = command;
  const run = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const isGood = run.status === 0;
  if (!isGood) failed += 1;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!isGood) console.log(`${run.stdout}${run.stderr}`);
}

const unit = JSON.parse(readFileSync('build/results/unit.json', 'utf8')) as { passed: number; failed: number };
// A unit test that failed is counted once: as itself, not also as the gate.
const gatesFailed = failed - (unit.failed > 0 ? 1 : 0);
const counts = { passed: gates.length - 1 - gatesFailed + unit.passed, failed: gatesFailed + unit.failed };
mkdirSync('build/results', { recursive: true });
writeFileSync('build/results/check.json', JSON.stringify(counts));
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
