/**
 * `make docs`: writes docs/cli.md, docs/metrics.md and docs/reasons.md from the tables that the product itself uses.
 * A test compares them, so that a flag, a metric or a reason cannot be added, changed or removed without its page.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { reasons } from '../crds/reasons.ts';
import type { Command } from '../operator/cli/command.ts';
import { commands } from '../operator/cli/commands.ts';
import { written } from '../operator/cli/run.ts';
import { markdownRows } from '../operator/settings/help.ts';
import { METALLB_ONLY_FLAGS } from '../operator/settings/metallb-flags.ts';
import { flagsOf, ROLES, type RoleName } from '../operator/settings/roles.ts';

const NOTE = '<!-- Written by `make docs`; edit its source, not this file. -->\n\n';

/** Every generated page by its path. */
export async function generatedPages(): Promise<Readonly<Record<string, string>>> {
  return {
    'docs/cli.md': await commandLine(),
    'docs/metrics.md': await metrics(),
    'docs/reasons.md': reasonWords(),
  };
}

/** A command with its options; what many have in common stands in every table, because people jump to one. */
function commandSection({ name, summary, usage, options, notes }: Command): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = Object.entries(options).map(
    ([option, about]) => `| \`${written(option, about)}\` | ${cell(about.help)} |\n`,
  );
  const table = rows.length === 0 ? '' : `\n| Option | Meaning |\n|---|---|\n${rows.join('')}`;
  const invocation = ['herald', name, usage].filter(Boolean).join(' ');
  const more = notes ? `\n\`\`\`text\n${notes}\n\`\`\`\n` : '';
  return `### herald ${name}\n\n\`${invocation}\`: ${summary}.\n${table}${more}`;
}

async function commandLine(): Promise<string> {
  const sections = await Promise.all(
    (Object.keys(ROLES) as RoleName[]).map(async (role) => {
      const rows = markdownRows(await flagsOf(role)).join('\n');
      const table = `| Flag | Variable | Default | Meaning |\n|---|---|---|---|\n${rows}`;
      return `### herald ${role}\n\n\`herald ${role}\` ${ROLES[role]}.\n\n${table}\n`;
    }),
  );
  const gone = Object.entries(METALLB_ONLY_FLAGS).map(([name, what]) => `| \`--${name}\` | ${what} |`);
  return `# The command line

${NOTE}One program, \`herald\`, runs every role, and answers what people and pipelines ask. It is also installed as \`kubectl-herald\`, so that
\`kubectl herald status\` works; \`npm pack\` makes a package that \`npx\` runs.

## Commands

They reach the cluster as kubectl does, change nothing unless their section says so, and use colours only on a terminal (\`NO_COLOR\` is
respected). A command ends with 0 when it has answered and with 1 and one sentence when it cannot; its section names other codes.
\`herald completion\` prints scripts for shells.

${commands.map(commandSection).join('\n')}
## Roles

What the manifests run. A flag wins over its variable, and a variable over the default; an empty variable counts
as unset. A flag is written \`--name=value\` or \`--name value\`. Names are MetalLB's where they mean the same.

| Exit code | Meaning |
|---|---|
| 0 | the process was told to stop and handed over, or printed what it was asked for |
| 1 | an error that nothing expected; the log has it on one line |
| 2 | settings that cannot be used, or a word that is neither role nor command: every mistake is listed, with its place and what to do |

\`herald ROLE --help\` prints the table of a role, \`herald version\` the version.

${sections.join('\n')}
## Flags of MetalLB that Herald does not take

Moving arguments over, you are told the same at start.

| Flag | Why |
|---|---|
${gone.join('\n')}
`;
}

interface DescribedMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: string;
  readonly labels: readonly string[];
}

async function metrics(): Promise<string> {
  const sections = await Promise.all(
    metricFiles().map(async (path) => {
      const [, sentence = ''] = /^\/\*\*\s*([\s\S]*?)\s*\*\//.exec(readFileSync(path, 'utf8')) ?? [];
      const intro = sentence.replace(/\n \* ?/g, ' ');
      return `## ${path}\n\n${intro}\n\n${metricTable(await metricsOf(path))}\n`;
    }),
  );
  const node = new Registry();
  collectDefaultMetrics({ register: node });
  return `# Metrics

${NOTE}Both roles serve \`/metrics\` on \`--port\` (9120): by TLS 1.3 with a certificate made at start, to bearers of a token whom the API server
allows to \`get\` the non-resource URL \`/metrics\`. On a loopback address (\`--metrics-bind-address=127.0.0.1\`) it is plain HTTP without a
token. Names that begin with \`metallb_\` mean what they mean in MetalLB. Each section names the file that registers its metrics.

${sections.join('\n')}
## Node.js

Registered by prom-client in every process.

${metricTable(describe(node))}
`;
}

/** Every file named metrics.ts: the only places where the product makes metrics. */
export function metricFiles(): string[] {
  return readdirSync('operator', { recursive: true, encoding: 'utf8' })
    .filter((name) => /(^|\/)metrics\.ts$/.test(name))
    .map((name) => join('operator', name))
    .toSorted();
}

/** Registers the metrics of a file by calling each of its exported `create...Metrics(registry)`. */
async function metricsOf(path: string): Promise<DescribedMetric[]> {
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const registry = new Registry();
  for (const [name, value] of Object.entries(module))
    if (/^create\w*Metrics$/.test(name) && typeof value === 'function') value(registry);
  // A file may register what another one makes: there it is described.
  const others = metricFiles().filter((other) => other !== path);
  const texts = others.map((other) => readFileSync(other, 'utf8'));
  const described = describe(registry).filter(({ name }) => !texts.some((text) => text.includes(`'${name}'`)));
  if (described.length === 0) throw new Error(`${path} exports no create...Metrics(registry) that registers metrics`);
  return described;
}

/** prom-client declares neither help nor labels on its metrics, but every kind has them. */
function describe(registry: Registry): DescribedMetric[] {
  const found = registry.getMetricsAsArray() as unknown as (Metric & {
    name: string;
    help: string;
    labelNames: string[];
  })[];
  return found
    .map((metric) => ({
      name: metric.name,
      help: metric.help,
      kind: metric.constructor.name.toLowerCase(),
      labels: metric.labelNames,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function metricTable(rows: readonly DescribedMetric[]): string {
  const lines = rows.map(({ name, kind, labels, help }) => {
    const words = help.endsWith('.') ? help : `${help}.`;
    return `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${words} |`;
  });
  return `| Metric | Kind | Labels | Meaning |\n|---|---|---|---|\n${lines.join('\n')}`;
}

/** What each section of crds/reasons.ts is about. */
const REASON_SECTIONS: Record<keyof typeof reasons, string> = {
  Ready: 'Condition `Ready` on pools, advertisements and peers: the summary.',
  Accepted:
    'Condition `Accepted` on pools, advertisements and peers: whether the spec makes sense by itself and beside the others.',
  ResolvedRefs: 'Condition `ResolvedRefs` on advertisements and peers: whether what they name exists.',
  Conflicting:
    'Condition `Conflicting`, there only while true: a warning. The object is in force, and something beside it is not as it should be.',
  Programmed: 'Condition `Programmed` on pools: whether what is in force is the spec.',
  Reconciling: 'Condition `Reconciling`, there only while true: work is under way.',
  Stalled:
    'Condition `Stalled`, there only while true: somebody must change the object or another one; waiting does not help.',
  poolReconcilerValid:
    "Condition `poolReconcilerValid` on the operator's ConfigurationState, by MetalLB's name: whether every pool and community can be used.",
  configReconcilerValid:
    "Condition `configReconcilerValid` on the operator's ConfigurationState, by MetalLB's name: whether every other object can be used.",
  'heraldlb.io/AddressAssigned':
    'Condition `heraldlb.io/AddressAssigned` on Services: whether the Service has its address.',
  'heraldlb.io/ExternalIPsAccepted':
    'Condition `heraldlb.io/ExternalIPsAccepted` on Services with `spec.externalIPs` that lie in a pool: whether they may be announced.',
  'heraldlb.io/Announced':
    'Condition `heraldlb.io/Announced` on Services, and `Ready` on their ServiceAnnouncement: whether every address is announced.',
  rejections: 'Why one pool refused one Service: in the message of `heraldlb.io/AddressAssigned` and of the event.',
  refusals: 'Why a speaker does not announce an address.',
  responders: 'Who answers ARP and Neighbor Solicitations on a node, and why: in its NodeAnnouncement and in metrics.',
  faults: 'What does not work in a speaker: in its log and in the body of `/readyz`.',
  explanations: 'What `herald explain` says where nobody writes a condition.',
  events: 'Events on Services. The words are those of MetalLB where they mean the same.',
};

function reasonWords(): string {
  const sections = Object.entries(reasons).map(([section, words]) => {
    const rows = Object.entries(words).map(([word, sentence]) => `| \`${word}\` | ${sentence} |`);
    const intro = REASON_SECTIONS[section as keyof typeof reasons];
    return `## ${section}\n\n${intro}\n\n| Reason | Meaning |\n|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Reasons\n\n${NOTE}Whatever Herald does or does not do, it says why, in one of these words.\n\n${sections.join('\n')}`;
}

if (import.meta.main) for (const [path, text] of Object.entries(await generatedPages())) writeFileSync(path, text);
