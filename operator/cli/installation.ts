/** How Herald is set up in a cluster: read from the arguments and variables of its own workloads. */

import type { KubernetesObject } from '../cluster/objects.ts';
import type { FlagTable, ValuesOf } from '../settings/flag.ts';
import { operatorFlags } from '../settings/operator.ts';
import { readFlags } from '../settings/read.ts';
import { speakerFlags } from '../settings/speaker.ts';
import { CommandError } from './command.ts';
import type { Workload } from './kinds.ts';

export interface Installation {
  /** Whether an operator was found; without one everything below is the default. */
  readonly isFound: boolean;
  /** Herald's own namespace. */
  readonly namespace: string;
  /** Where configuration is read, the own namespace first. */
  readonly configNamespaces: readonly string[];
  /** The class of the Services that are served; empty means Services without a class. */
  readonly lbClass: string;
  /** Whether nodes with the label exclude-from-external-load-balancers announce too. */
  readonly ignoresExcludeLabel: boolean;
  /** The settings of the roles; one that cannot be read is missing. */
  readonly operator: Partial<ValuesOf<typeof operatorFlags>>;
  readonly speaker: Partial<ValuesOf<typeof speakerFlags>>;
}

const DEFAULT_NAMESPACE = 'herald-system';
const OPERATOR = 'herald-operator';
const SPEAKER = 'herald-speaker';

/** @throws {CommandError} when several installations are found and none is chosen, or the chosen one is not there */
export function installationOf(
  { deployments, daemonSets }: { readonly deployments: readonly Workload[]; readonly daemonSets: readonly Workload[] },
  chosen?: string,
): Installation {
  const found = deployments.filter(({ metadata }) => metadata.name === OPERATOR);
  const deployment = choose(found, chosen);
  const namespace = deployment?.metadata.namespace ?? chosen ?? DEFAULT_NAMESPACE;
  const daemonSet = daemonSets.find(({ metadata: m }) => m.name === SPEAKER && m.namespace === namespace);
  const operator = flagsOf('operator', operatorFlags, deployment);
  const speaker = flagsOf('speaker', speakerFlags, daemonSet);
  return {
    isFound: deployment !== undefined,
    namespace,
    configNamespaces: [...new Set([namespace, ...(operator['config-namespaces'] ?? [])])],
    lbClass: operator['lb-class'] ?? '',
    ignoresExcludeLabel: speaker['ignore-exclude-lb'] ?? false,
    operator,
    speaker,
  };
}

function choose(found: readonly Workload[], chosen: string | undefined): Workload | undefined {
  if (chosen !== undefined) return found.find(({ metadata }) => metadata.namespace === chosen);
  if (found.length > 1)
    throw new CommandError(
      `Herald runs in ${found.map(namespaceOf).sort().join(' and ')}: choose one with --herald-namespace`,
    );
  return found[0];
}

const namespaceOf = ({ metadata }: KubernetesObject): string => metadata.namespace ?? '';

function flagsOf<Table extends FlagTable>(
  role: string,
  table: Table,
  workload: Workload | undefined,
): Partial<ValuesOf<Table>> {
  const { command = [], args = [], env = [] } = workload?.spec?.template?.spec?.containers?.[0] ?? {};
  const words = [...command, ...args];
  const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  return readFlags(table, words.slice(words.indexOf(role) + 1), variables).values;
}
