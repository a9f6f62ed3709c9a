/**
 * `make bench`: runs the scenarios that ONLY picks, writes bench/results/latest.json and latest.md, and shows the table.
 *
 *   [ONLY=l2.cut,alloc.*] [RUNS=3] node bench/main.ts
 *
 * It ends with 1 when a scenario could not be measured; a bar that does not hold is a result, not an error.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { places, repository } from '../e2e/cluster/places.ts';
import { startApiServer } from '../e2e/lib/faults.ts';
import { install } from '../e2e/lib/herald.ts';
import { KubeApi } from '../e2e/lib/kube-api.ts';
import { healAll } from '../e2e/lib/lab.ts';
import { takeTurn } from '../e2e/lib/turn.ts';
import { World } from '../e2e/lib/world.ts';
import { selected } from '../e2e/runner/select.ts';
import { type Entry, entryOf, merged, tableOf } from './report.ts';
import { coldStart1000, coldStart5000 } from './scenarios/alloc-cold.ts';
import { change, decide } from './scenarios/alloc-decide.ts';
import { behindDelete, leaderKill, single } from './scenarios/alloc-single.ts';
import { memory, restartWrites, writes } from './scenarios/alloc-writes.ts';
import { l2Cut, l2Kill } from './scenarios/l2.ts';
import { l2AnswerKernel, l2AnswerPacket, l2Flood } from './scenarios/l2-answers.ts';
import type { Scenario } from './scenarios/scenario.ts';

const SCENARIOS: readonly Scenario[] = [
  l2Cut,
  l2Kill,
  l2AnswerKernel,
  l2AnswerPacket,
  l2Flood,
  coldStart1000,
  coldStart5000,
  single,
  behindDelete,
  writes,
  restartWrites,
  decide,
  change,
  leaderKill,
  memory,
];
const RESULTS = join(repository, 'bench/results');
const say = (line: string): void => console.log(line);

async function measure(scenario: Scenario, commit: string): Promise<Entry> {
  const { name, unit, bar, explanation } = scenario;
  const runs = Number(process.env['RUNS'] || scenario.runs);
  say(`\n-- ${name}: ${explanation} (${runs} runs)`);
  const world = await World.open('bench');
  const details: unknown[] = [];
  try {
    const measured = await scenario.run({
      world,
      runs,
      say: (line) => say(`   ${line}`),
      detail: (of) => details.push(of),
    });
    return entryOf(name, unit, bar, measured, commit);
  } finally {
    if (details.length > 0) writeFileSync(join(RESULTS, `${name}.details.json`), JSON.stringify(details));
    await healAll();
    await world.clear();
  }
}

/** After each scenario, so that an interrupt loses only the one under way. */
function write(entries: readonly Entry[]): Entry[] {
  const file = join(RESULTS, 'latest.json');
  const older = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Entry[]) : [];
  const all = merged(older, entries);
  writeFileSync(file, `${JSON.stringify(all, null, 1)}\n`);
  writeFileSync(join(RESULTS, 'latest.md'), tableOf(all));
  return all;
}

async function main(): Promise<number> {
  const names = selected(
    SCENARIOS.map(({ name }) => name),
    process.env['ONLY'] ?? '',
  );
  mkdirSync(RESULTS, { recursive: true });
  await takeTurn('benchmarks');
  const api = new KubeApi(places.kubeconfig);
  await startApiServer(api);
  await healAll();
  await install(api, say);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: repository }).trim();
  const entries: Entry[] = [];
  let failed = 0;
  for (const scenario of SCENARIOS.filter(({ name }) => names.includes(name))) {
    try {
      entries.push(await measure(scenario, commit));
      write(entries);
    } catch (error) {
      failed += 1;
      say(`FAILED ${scenario.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  say(`\n${tableOf(entries)}`);
  say(`${entries.length} of ${names.length} scenarios measured; bench/results/latest.json and latest.md`);
  return failed === 0 && entries.length === names.length ? 0 : 1;
}

process.exitCode = await main();
