/** What a pool's spec asks to be in force: the entry of the PoolSet that it would become, or why it cannot. */

import { createHash } from 'node:crypto';
import { type IpAddressPool, type IpAddressPoolSpec, ipAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { formatRange, parseRange, type RangeProblem } from '../net/range.ts';
import { canonical } from './canonical.ts';
import { firstSelectorProblem } from './label-selector.ts';
import { extensionsOf, extensionsProblem } from './pool-extensions.ts';
import { overlapWithin } from './range-set.ts';
import { repetitionProblem } from './repetition.ts';
import type { Refusal } from './verdict.ts';

const PROBLEM_WORDS: Readonly<Record<RangeProblem, string>> = {
  NotAnAddress: 'is neither a CIDR nor a range first-last',
  MixedFamilies: 'goes from one address family to the other',
  Descending: 'ends before it starts',
  BadPrefixLength: 'has a prefix length that its family does not have',
};

/** The entry that the pool's spec asks for. */
export function wantedEntry(pool: IpAddressPool): PoolSetEntry {
  const { metadata, spec } = pool;
  const content = {
    addresses: [...(spec.addresses ?? [])],
    autoAssign: spec.autoAssign ?? true,
    avoidBuggyIPs: spec.avoidBuggyIPs ?? false,
    ...(spec.serviceAllocation && { serviceAllocation: spec.serviceAllocation }),
    ...extensionsOf(spec),
  };
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ...(metadata.uid !== undefined && { uid: metadata.uid }),
    generation: metadata.generation ?? 0,
    hash: hashOf(content),
    ...content,
    ...(metadata.labels && Object.keys(metadata.labels).length > 0 && { labels: { ...metadata.labels } }),
  };
}

/** Tells two contents apart, whatever the order in which their keys are written. */
export function hashOf(
  content: Pick<PoolSetEntry, 'addresses' | 'autoAssign' | 'avoidBuggyIPs' | 'serviceAllocation'> &
    Parameters<typeof extensionsOf>[0],
): string {
  const { addresses, autoAssign, avoidBuggyIPs, serviceAllocation } = content;
  const text = canonical({ addresses, autoAssign, avoidBuggyIPs, serviceAllocation, ...extensionsOf(content) });
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The first digits are enough to tell the specs of one pool apart, and short enough to be copied by hand. */
const DISRUPTION_HASH_DIGITS = 12;

/**
 * Names this very spec, to allow what it takes away from Services: 12 hex digits of sha256 over its canonical form.
 *
 * The form is the same for a file in Git and for the object that the API server stores: fields that the definition
 * does not know are left out, and so are defaults, whether they were written or filled in. The order of keys does not
 * count; the order of lists does.
 */
export function disruptionHash({ spec }: Pick<IpAddressPool, 'spec'>): string {
  const written = withoutNulls(spec) as IpAddressPoolSpec;
  const known = ipAddressPoolSpec.safeParse(written);
  const { autoAssign, avoidBuggyIPs, ...fields } = known.success ? known.data : written;
  const text = canonical({
    ...fields,
    ...(autoAssign === false && { autoAssign }),
    ...(avoidBuggyIPs === true && { avoidBuggyIPs }),
  });
  return createHash('sha256').update(text).digest('hex').slice(0, DISRUPTION_HASH_DIGITS);
}

/** To the API server a null is as good as a field that is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  return Object.fromEntries(fields.map(([key, inner]) => [key, withoutNulls(inner)]));
}

/** Why the pool's spec makes no sense by itself, or undefined. */
export function specProblem({ spec }: IpAddressPool): Refusal | undefined {
  const ranges = [];
  for (const text of spec.addresses ?? []) {
    const range = parseRange(text);
    if (typeof range === 'string')
      return { reason: 'InvalidAddressRange', message: `"${text}" ${PROBLEM_WORDS[range]}.` };
    ranges.push(range);
  }
  if (ranges.length === 0) return { reason: 'InvalidAddressRange', message: 'spec.addresses has no entry.' };
  const overlap = overlapWithin(ranges);
  if (overlap)
    return {
      reason: 'InvalidSpec',
      message: `${formatRange(overlap[0])} and ${formatRange(overlap[1])} in spec.addresses overlap.`,
    };
  const extensions = extensionsProblem(spec);
  if (extensions !== undefined) return { reason: 'InvalidSpec', message: extensions };
  const { namespaces, namespaceSelectors, serviceSelectors } = spec.serviceAllocation ?? {};
  const repetition = repetitionProblem({
    'serviceAllocation.namespaces': namespaces,
    'serviceAllocation.namespaceSelectors': namespaceSelectors,
    'serviceAllocation.serviceSelectors': serviceSelectors,
  });
  if (repetition !== undefined) return { reason: 'InvalidSpec', message: repetition };
  const selector = firstSelectorProblem(namespaceSelectors, serviceSelectors);
  return selector === undefined
    ? undefined
    : { reason: 'InvalidSelector', message: `In spec.serviceAllocation: ${selector}.` };
}
