/**
 * Runs every scenario, each in a process of its own with a budget of time, and counts what really ran.
 *
 *   [ONLY=name,name] node e2e/runner/run-scenarios.ts [long]
 *
 * Quiet scenarios (quiet.ts) come first and side by side, all others one after the other, an outage last. A scenario
 * that fails is told once more from its start and alone, because some of what is measured here is a matter of
 * milliseconds on a machine that is shared; one that needed it is named in the report. The runner goes on after a
 * failure, removes what a scenario left behind (also after Ctrl-C), and fails for a scenario that registered no test and
 * when fewer files ran than exist. Counts go to build/results/e2e.json, and with `long`, which runs the scenarios of
 * e2e/scenarios/long instead, to e2e-long.json.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { resultOf } from '../../scripts/run-tests.ts';
import { places, repository } from '../cluster/places.ts';
import { startApiServer } from '../lib/faults.ts';
import { install, scaleOperators } from '../lib/herald.ts';
import { collection, KubeApi } from '../lib/kube-api.ts';
import { healAll } from '../lib/lab.ts';
import { restoreHerald } from '../lib/metallb.ts';
import { takeTurn } from '../lib/turn.ts';
import { World } from '../lib/world.ts';
import { LAST, QUIET } from './quiet.ts';
import { selected } from './select.ts';

const isLong = process.argv.includes('long');
const SCENARIOS = join(repository, 'e2e/scenarios', isLong ? 'long' : '');
const RESULTS = join(repository, 'build/results', isLong ? 'e2e-long.json' : 'e2e.json');
const SUFFIX = '.e2e.ts';
/** Of the namespaces that scenarios make (world.ts). */
const NAMESPACE_PREFIX = 'e2e-';
/** What one scenario may take before its process is ended. */
const BUDGET_MS = isLong ? 1_200_000 : 420_000;

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly tries: number;
}

/** Quiet scenarios that are told at once: more would only wait for the same two cores. */
const SIDE_BY_SIDE = 3;

const running = new Set<ChildProcess>();
let isInterrupted = false;

async function main(): Promise<number> {
  const all = readdirSync(SCENARIOS)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .toSorted();
  const names = selected(all, process.env['ONLY'] ?? '');
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  await takeTurn('scenarios');
  await prepare();

  const quiet = names.filter((name) => QUIET.includes(name));
  const outcomes = await runSideBySide(quiet);
  const loud = names.filter((name) => !QUIET.includes(name));
  const rest = [...loud.filter((name) => !LAST.includes(name)), ...loud.filter((name) => LAST.includes(name))];
  for (const [at, name] of rest.entries()) {
    if (isInterrupted) break;
    console.log(`\n-- ${name} (${quiet.length + at + 1} of ${names.length})`);
    outcomes.push(await runWithSecondTry(name));
  }
  return report(outcomes, names);
}

async function prepare(): Promise<void> {
  const api = new KubeApi(places.kubeconfig);
  await startApiServer(api);
  await healAll();
  await install(api, (line) => console.log(line));
  await removeLeftovers(api);
  api.close();
}

/** A run that was killed leaves Services behind, which would hold addresses and count as writes. */
async function removeLeftovers(api: KubeApi): Promise<void> {
  const namespaces = (await api.list(collection('v1', 'Namespace'))).map(({ metadata }) => metadata.name);
  const left = namespaces.filter((name) => name.startsWith(NAMESPACE_PREFIX));
  for (const name of left) console.log(`removing ${name}, which an earlier run left behind`);
  await Promise.all(left.map((name) => World.remove(name.slice(NAMESPACE_PREFIX.length))));
}

function interrupt(): void {
  isInterrupted = true;
  for (const child of running) child.kill('SIGTERM');
}

/** Those that fail beside others are told once more, alone. */
async function runSideBySide(names: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...names];
  const failed: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined && !isInterrupted; name = waiting.shift()) {
      const outcome = await runOne(name, 'SideBySide');
      (outcome.failed === 0 ? outcomes : failed).push(outcome);
    }
  };
  if (names.length > 0) console.log(`\n-- side by side: ${names.join(', ')}`);
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  for (const first of failed) outcomes.push(isInterrupted ? first : await runAgain(first));
  return outcomes;
}

async function runWithSecondTry(name: string): Promise<Outcome> {
  const first = await runOne(name, 'Alone');
  return first.failed === 0 || isInterrupted ? first : runAgain(first);
}

async function runAgain(first: Outcome): Promise<Outcome> {
  console.log(`\n-- ${first.name}, second try`);
  const second = await runOne(first.name, 'Alone');
  return { ...second, seconds: first.seconds + second.seconds, tries: 2 };
}

async function runOne(name: string, how: 'Alone' | 'SideBySide'): Promise<Outcome> {
  const startedAt = performance.now();
  const { exitCode, output } = await runProcess(join(SCENARIOS, `${name}${SUFFIX}`), how);
  const { passed, failed, trouble } = resultOf(name, exitCode, output);
  if (how === 'SideBySide') process.stdout.write(output);
  const leftover = await cleanUp(name, how);
  const seconds = (performance.now() - startedAt) / 1000;
  const isGood = trouble === '' && leftover === undefined;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name} (${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s)`);
  if (leftover !== undefined) console.log(`cleaning up: ${leftover}`);
  return { name, passed, failed: failed + (leftover === undefined ? 0 : 1), seconds, tries: 1 };
}

/** Keeps the scenario's output, and shows it as it comes where nothing else is shown meanwhile. */
function runProcess(file: string, how: 'Alone' | 'SideBySide'): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const budget = setTimeout(() => child.kill('SIGKILL'), BUDGET_MS);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
        if (how === 'Alone') process.stdout.write(chunk);
      });
    child.on('close', (exitCode) => {
      clearTimeout(budget);
      running.delete(child);
      resolve({ exitCode, output });
    });
  });
}

/** What could not be cleaned up, in words. */
async function cleanUp(name: string, how: 'Alone' | 'SideBySide'): Promise<string | undefined> {
  try {
    if (how === 'Alone') {
      const api = new KubeApi(places.kubeconfig);
      await startApiServer(api);
      if (isLong) await restoreHerald(api);
      await scaleOperators(api, 2);
      await healAll();
    }
    await World.remove(name);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function report(outcomes: readonly Outcome[], names: readonly string[]): number {
  const sum = (of: 'passed' | 'failed'): number => outcomes.reduce((total, outcome) => total + outcome[of], 0);
  const missing = names.length === 0 ? 1 : names.length - outcomes.length;
  const counts = { passed: sum('passed'), failed: sum('failed') + missing };
  console.log('');
  for (const { name, passed, failed, seconds, tries } of outcomes) {
    const verdict = failed > 0 ? 'FAILED' : tries > 1 ? 'SHAKY ' : 'ok    ';
    const remark = tries > 1 ? ', at the second try' : '';
    console.log(`${verdict} ${name.padEnd(24)} ${passed} passed, ${failed} failed, ${seconds.toFixed(1)} s${remark}`);
  }
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, JSON.stringify({ ...counts, scenarios: outcomes }));
  console.log(`scenarios: ${outcomes.length} of ${names.length} ran`);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
