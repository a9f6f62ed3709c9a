/** `herald lint`: what is wrong with manifests, without a cluster. */

import { noArguments, readArguments } from './arguments.ts';
import type { Command, CommandIo } from './command.ts';
import { type LintResult, lintOf } from './lint/lint.ts';
import { filesOption, manifestsIn } from './manifests/files.ts';
import { type ManifestProblem, problemLine } from './manifests/manifest.ts';
import { type Paint, paintOf, structured } from './output.ts';

const options = {
  ...filesOption,
  namespace: { short: 'n', placeholder: 'NAME', help: 'Of objects that name none; without it herald-system.' },
  'config-namespaces': {
    placeholder: 'NAMES',
    help: 'Where Herald reads configuration, separated by commas; without it herald-system,metallb-system.',
  },
  output: { short: 'o', placeholder: 'FORMAT', help: 'text, json or yaml.', values: ['text', 'json', 'yaml'] },
} as const;

const NAMESPACES = ['herald-system', 'metallb-system'] as const;

export const lint: Command = {
  name: 'lint',
  summary: 'what is wrong with manifests, without a cluster',
  usage: '-f FILE|DIR|-',
  options,
  notes: [
    'It applies the schemas and the rules of the definitions, and judges the objects beside each other as the operator',
    'does. What only a cluster knows, such as labels of nodes and addresses in use, herald plan knows.',
    '',
    'Exit code 0: at most warnings. 1: an error, or a file that cannot be read.',
    '',
    '  herald lint -f clusters/prod',
  ].join('\n'),
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const { values, positionals } = readArguments(args, options);
    noArguments(positionals);
    const configNamespaces = values['config-namespaces']?.split(',').map((name) => name.trim()) ?? NAMESPACES;
    const ownNamespace = configNamespaces[0] ?? NAMESPACES[0];
    const namespace = values.namespace ?? ownNamespace;
    const result = lintOf(manifestsIn(values.filename, io), { ownNamespace, configNamespaces, namespace });
    const { output } = values;
    io.stdout(output === 'json' || output === 'yaml' ? structured(output, result) : lintText(result, paintOf(io)));
    return result.errors > 0 ? 1 : 0;
  },
};

function lintText({ problems, objects, errors, warnings }: LintResult, paint: Paint): string {
  const lines = problems.map((problem) => `${paint(toneOf(problem), wordOf(problem))}: ${problemLine(problem)}\n`);
  const counts = `${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`;
  return `${lines.join('')}${objects} ${objects === 1 ? 'object' : 'objects'} of Herald's configuration: ${counts}\n`;
}

const wordOf = ({ severity }: ManifestProblem): string => severity.toLowerCase();
const toneOf = ({ severity }: ManifestProblem): 'bad' | 'warn' => (severity === 'Error' ? 'bad' : 'warn');
