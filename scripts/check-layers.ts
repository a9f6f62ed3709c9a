/**
 * Runs dependency-cruiser and refuses its silence: next to TypeScript 7 it finds "0 modules" and is content when its
 * parser is missing, so the number of modules it read must reach the number of source files. Randomness and clocks
 * that no import shows are looked for in the text of the pure folders.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOTS = ['crds', 'cdk8s', 'operator', 'e2e', 'bench', 'image', 'testing', 'scripts'].filter((root) =>
  existsSync(root),
);
const PURE = /^operator\/(net|protocols|config|allocator|election|advertising)\//;
const IMPURE = /\bMath\.random\(|\bprocess\.|\bperformance\.|\bsetTimeout\(|\bsetInterval\(/;

const sources = ROOTS.flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(^|\/)(dist|node_modules)\//.test(name))
    .map((name) => join(root, name)),
);

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { from: string; to: string; rule: { name: string } }[];
  };
}
const { summary } = JSON.parse(
  execFileSync(
    'node_modules/.bin/depcruise',
    ['--output-type', 'json', '--config', '.dependency-cruiser.cjs', ...ROOTS],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  ),
) as Cruise;

const problems = summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} imports ${to}`);
if (summary.totalCruised < sources.length)
  problems.push(
    `the rules read ${summary.totalCruised} modules, but there are ${sources.length} files: is the parser missing?`,
  );
for (const file of sources.filter((name) => PURE.test(name) && !name.endsWith('.test.ts')))
  for (const [at, line] of readFileSync(file, 'utf8').split('\n').entries())
    if (IMPURE.test(line)) problems.push(`pure-is-deterministic: ${file}:${at + 1} ${line.trim()}`);

for (const problem of problems) console.log(problem);
console.log(`layers: ${summary.totalCruised} modules read, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
