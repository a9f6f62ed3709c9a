/** `herald plan`: what a change of the configuration would do, before it is applied. */

import type { KubernetesObject } from '../cluster/objects.ts';
import { noArguments, readArguments, type Values } from './arguments.ts';
import { type Command, CommandError, type CommandIo, clusterOptions } from './command.ts';
import { gather } from './gather.ts';
import { filesOption, manifestsIn } from './manifests/files.ts';
import { problemLine } from './manifests/manifest.ts';
import { paintOf, structured } from './output.ts';
import { labelRequirements } from './plan/label-requirements.ts';
import { type PlanOutcome, planOf } from './plan/plan.ts';
import { planMarkdown, planText } from './plan/print.ts';

const options = {
  ...filesOption,
  ...clusterOptions,
  prune: { placeholder: '', help: 'Plan the deletion of configuration that Herald reads and that stands in no file.' },
  selector: {
    short: 'l',
    placeholder: 'LABELS',
    help: 'Prune only objects with these labels: key=value,other,!third.',
  },
  namespace: { short: 'n', placeholder: 'NAME', help: "Of objects that name none; without it Herald's own." },
  output: {
    short: 'o',
    placeholder: 'FORMAT',
    help: 'text, markdown, json or yaml.',
    values: ['text', 'markdown', 'json', 'yaml'],
  },
} as const;

const EXIT_CODES: Readonly<Record<PlanOutcome, number>> = { Nothing: 0, Changes: 2, Breaks: 3 };

export const plan: Command = {
  name: 'plan',
  summary: 'what a change of the configuration would do to Services, before it is applied',
  usage: '-f FILE|DIR|- [--prune]',
  options,
  notes: [
    "It decides by the operator's own code, as if all files were applied at once: configuration first, then Services.",
    'Files may hold Services and Namespaces too; other kinds are left out.',
    '',
    'Exit code 0: nothing changes. 2: something changes. 3: Services lose something that no annotation allows, or the',
    'operator refuses an object. 1: there is no plan, because a file or the cluster cannot be read.',
    '',
    '  herald plan -f clusters/prod --prune -o markdown',
    '  kustomize build clusters/prod | herald plan -f -',
  ].join('\n'),
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    noArguments(positionals);
    if (values.from === '-' && values.filename?.includes('-'))
      throw new CommandError('standard input is read once: give the files or the export another way');
    const { manifests, problems: unreadable } = manifestsIn(values.filename, io);
    const isSelected = pruning(values);
    const snapshot = await gather(io, values);
    const { configNamespaces } = snapshot.installation;
    const namespace = values.namespace ?? snapshot.installation.namespace;
    // What Herald does not read is none of its configuration, and may belong to somebody else.
    const isPruned = (object: KubernetesObject): boolean =>
      configNamespaces.includes(object.metadata.namespace ?? '') && isSelected(object);
    const { plan, problems } = planOf(snapshot, { manifests, namespace, isPruned });
    const all = [...unreadable, ...problems];
    for (const problem of all) io.stderr(`${problem.severity.toLowerCase()}: ${problemLine(problem)}\n`);
    if (!plan || all.some(({ severity }) => severity === 'Error'))
      throw new CommandError('the API server would refuse these files');
    const format = values.output ?? 'text';
    if (format === 'json' || format === 'yaml') io.stdout(structured(format, plan));
    else io.stdout(format === 'markdown' ? planMarkdown(plan) : planText(plan, paintOf(io)));
    return EXIT_CODES[plan.outcome];
  },
};

function pruning({ prune, selector }: Values<typeof options>): (object: KubernetesObject) => boolean {
  if (!prune) {
    if (selector !== undefined) throw new CommandError('--selector says what to prune: write --prune too');
    return () => false;
  }
  const isSelected = labelRequirements(selector ?? '');
  return ({ metadata }) => isSelected(metadata.labels);
}
