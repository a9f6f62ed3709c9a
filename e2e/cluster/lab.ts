/** `lab`: the one door to the cluster's hosts, links and faults; scenarios use lab-client.ts, people this. */
import { readFileSync } from 'node:fs';
import { launchOn } from './exec.ts';
import { type LabCommand, type NodeVerb, parseLabArguments, USAGE } from './lab-arguments.ts';
import * as lab from './lab-client.ts';
import { Problem } from './problem.ts';
import { start } from './process.ts';

const onNode: Readonly<Record<NodeVerb, (node: string) => Promise<object>>> = {
  cut: lab.cut,
  unplug: lab.unplug,
  heal: lab.heal,
  pause: lab.pause,
  resume: lab.resume,
  kill: lab.kill,
  start: lab.start,
};

/** Runs one command; resolves to the exit code. */
async function execute(command: LabCommand): Promise<number> {
  switch (command.verb) {
    case 'exec':
      return interactive(command.host, command.argv);
    case 'help':
      return print(USAGE);
    case 'load':
      return print(`${command.image} is on ${(await lab.load(command.image)).join(', ')}`);
    case 'addresses':
      return print(await lab.addresses());
    case 'status':
      return print(await lab.status());
    case 'oneway':
      return print(await lab.oneway(command.node, command.direction));
    case 'loss':
      return print(await lab.loss(command.node, command.percent));
    case 'crash':
      return print(await lab.crash(command.node, command.role, { stay: command.stay }));
    default:
      return print(await onNode[command.verb](command.node));
  }
}

/** Runs a command with this process' own streams; its exit code passes through. */
async function interactive(host: string, argv: readonly string[]): Promise<number> {
  const launch = await launchOn(host, argv);
  const child = start(launch.argv, { env: launch.env, stdio: 'inherit' });
  // nsenter forks into the pid namespace and keeps signals to itself: they are meant for what it runs.
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const)
    process.on(signal, () => signalInner(child.pid, signal));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}

function signalInner(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  for (const child of childrenOf(pid)) process.kill(child, signal);
  if (childrenOf(pid).length === 0) process.kill(pid, signal);
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function print(result: unknown): number {
  console.log(typeof result === 'string' ? result : JSON.stringify(result));
  return 0;
}

try {
  process.exitCode = await execute(parseLabArguments(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof Problem && error.reason === 'Misuse' ? 2 : 1;
}
