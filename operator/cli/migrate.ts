/** `herald migrate`: from what MetalLB has left in a cluster to what Herald reads. */

import type { ApiConnection } from '../cluster/api-connection.ts';
import { ApiError } from '../cluster/api-error.ts';
import { noArguments, readArguments } from './arguments.ts';
import { type Command, CommandError, type CommandIo, clusterOptions } from './command.ts';
import { gatherMigrationState } from './migrate/gather.ts';
import { perform } from './migrate/perform.ts';
import { type MigrationPlan, planMigration } from './migrate/plan.ts';
import { kubectlOf, reasonOf, type Step } from './migrate/step.ts';
import { paintOf } from './output.ts';

const { kubeconfig, context } = clusterOptions;
const options = {
  apply: { placeholder: '', help: 'Take the steps; without it they are only shown.' },
  kubeconfig,
  context,
} as const;

/** What was hidden behind a webhook shows in the second round; a third has nothing left to do. */
const MAX_ROUNDS = 4;

export const migrate: Command = {
  name: 'migrate',
  summary: 'make what MetalLB left in a cluster ready for Herald',
  usage: '[--apply]',
  options,
  notes: [
    'Without --apply nothing changes: the steps are shown, each with the kubectl line that does the same.',
    'It can be run again at any time: what is done already is no step any more.',
    'Exit codes: 0 nothing is left to do, 2 there are steps to take (without --apply), 1 it refuses or cannot go on.',
    '',
    '  docs/migrate-from-metallb.md tells the whole way, and the way back.',
  ].join('\n'),
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    noArguments(positionals);
    const connection = await io.connect(values);
    try {
      return await (values.apply ? applyPlan(connection, io) : showPlan(connection, io));
    } catch (error) {
      if (error instanceof ApiError) throw new CommandError(`the API server did not take it: ${error.message}`);
      throw error;
    } finally {
      connection.close();
    }
  },
};

const EXIT_STEPS = 2;

async function planOf(connection: ApiConnection): Promise<MigrationPlan> {
  const plan = planMigration(await gatherMigrationState(connection));
  if (plan.refusals.length > 0) throw new CommandError(plan.refusals.join('\n  and '));
  return plan;
}

async function showPlan(connection: ApiConnection, io: CommandIo): Promise<number> {
  const plan = await planOf(connection);
  const paint = paintOf(io);
  for (const [at, step] of plan.steps.entries())
    io.stdout(`${paint('strong', `${at + 1}. ${reasonOf(step)}`)}\n${indented(kubectlOf(step))}\n`);
  sayNotes(plan, io);
  if (plan.steps.length === 0) io.stdout('nothing is left to do\n');
  else
    io.stdout(
      `${stepCount(plan.steps)} to take${plan.unread.length > 0 ? ', and then look again' : ''}: herald migrate --apply\n`,
    );
  return plan.steps.length === 0 ? 0 : EXIT_STEPS;
}

/** A shell reads the end of a here-document only at the beginning of a line. */
const indented = (lines: string): string => (lines.includes("<<'EOF'") ? lines : `   ${lines}`);

async function applyPlan(connection: ApiConnection, io: CommandIo): Promise<number> {
  const paint = paintOf(io);
  let taken = 0;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const plan = await planOf(connection);
    if (plan.steps.length === 0) {
      sayNotes(plan, io);
      io.stdout(taken === 0 ? 'nothing is left to do\n' : `done: ${taken} ${taken === 1 ? 'step' : 'steps'} taken\n`);
      return 0;
    }
    for (const step of plan.steps) {
      io.stdout(`${reasonOf(step)}\n${paint('quiet', indented(kubectlOf(step)))}\n`);
      await perform(connection, step);
      taken += 1;
    }
  }
  throw new CommandError(
    'there is always something left to do: something undoes the steps, such as MetalLB or a GitOps tool',
  );
}

function sayNotes({ notes, unread }: MigrationPlan, io: CommandIo): void {
  for (const note of [...unread, ...notes]) io.stderr(`note: ${note}\n`);
}

const stepCount = ({ length }: readonly Step[]): string => (length === 1 ? 'one step' : `${length} steps`);
