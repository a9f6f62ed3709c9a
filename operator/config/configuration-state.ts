/** What the operator's ConfigurationState says: whether the whole configuration can be used, and which objects are at fault. */

import type { ConfigurationStateStatus } from '../../crds/configuration-state.ts';
import type { ResolvedConfig } from './resolve-config.ts';
import { condition, type ObjectRef, type Verdict, type VerdictCondition } from './verdict.ts';

/** The status before it meets the object. */
export interface ConfigurationStateVerdict {
  readonly result: NonNullable<ConfigurationStateStatus['result']>;
  readonly errorSummary: string;
  readonly conditions: readonly VerdictCondition[];
}

/** The kinds that MetalLB's `poolReconcilerValid` speaks of; `configReconcilerValid` speaks of the others. */
const POOL_KINDS: readonly string[] = ['IPAddressPool', 'Community'];
/** How many faults and names are told; a condition's message has 32,768 characters at most. */
const TOLD = 50;
const LONGEST_LINE = 500;

export function configurationStateOf({
  verdicts,
  pools,
  l2Advertisements,
}: Pick<ResolvedConfig, 'verdicts' | 'pools' | 'l2Advertisements'>): ConfigurationStateVerdict {
  const faults = [...verdicts].flatMap(([ref, verdict]) => faultOf(ref, verdict) ?? []).sort();
  const ofPools = faults.filter((fault) => POOL_KINDS.some((kind) => fault.startsWith(`${kind} `)));
  const others = faults.filter((fault) => !ofPools.includes(fault));
  return {
    result: faults.length === 0 ? 'Valid' : 'Invalid',
    errorSummary: linesOf(faults),
    conditions: [
      validity('poolReconcilerValid', ofPools, `Pools in force: ${namesOf(pools)}.`),
      validity('configReconcilerValid', others, `L2Advertisements in force: ${namesOf(l2Advertisements)}.`),
    ],
  };
}

/** One line about an object that is refused or names what cannot be used; objects of other namespaces are not ours. */
function faultOf(ref: ObjectRef, { conditions }: Verdict): string | undefined {
  const isFault = ({ type, status, reason }: VerdictCondition): boolean =>
    (type === 'Accepted' || type === 'ResolvedRefs') && status === 'False' && reason !== 'NamespaceNotWatched';
  const fault = conditions.find(isFault);
  if (!fault) return undefined;
  const [kind, ...name] = ref.split('/');
  return `${kind} ${name.join('/')}: ${fault.message}`.slice(0, LONGEST_LINE);
}

const validity = (type: string, faults: readonly string[], inForce: string): VerdictCondition =>
  faults.length === 0
    ? condition(type, 'True', 'Reconciled', inForce)
    : condition(type, 'False', 'ConfigurationError', `${linesOf(faults)}\n${inForce}`);

function linesOf(faults: readonly string[]): string {
  const more = faults.length > TOLD ? [`and ${faults.length - TOLD} more`] : [];
  return [...faults.slice(0, TOLD), ...more].join('\n');
}

function namesOf(
  objects: readonly { readonly namespace: string; readonly name: string; readonly isRemnant?: boolean }[],
) {
  const names = objects.map(({ name, isRemnant }) => (isRemnant ? `${name} (deleted, still in use)` : name)).sort();
  const more = names.length > TOLD ? [`and ${names.length - TOLD} more`] : [];
  return names.length === 0 ? 'none' : [...names.slice(0, TOLD), ...more].join(', ');
}
