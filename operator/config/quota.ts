/** Quotas that are in force: how many addresses some Services may have together. */

import type { AddressQuota } from '../../crds/address-quota.ts';
import { reasons } from '../../crds/reasons.ts';
import { canonical } from './canonical.ts';
import type { LabelledObject, Pool } from './pool.ts';
import { missingAmong, resolvedRefs, waiting } from './refs.ts';
import { byAge } from './scope.ts';
import { type NamedApplicant, selectionOf, selectionProblem } from './service-selection.ts';
import { accepted, condition, type ObjectRef, objectRef, type Refusal, refused, type Verdict } from './verdict.ts';

/** Of one pool, or of all together; a family without a number is not limited. */
export interface QuotaLimit {
  readonly pool?: string;
  readonly ipv4?: number;
  readonly ipv6?: number;
}

export interface Quota {
  /** 'namespace/name' of the object. */
  readonly key: string;
  /** Whether each namespace may have so many, or all together. */
  readonly per: 'Namespace' | 'Selection';
  readonly limits: readonly QuotaLimit[];
  /** Tells two contents apart, as they are resolved now. */
  readonly content: string;
  includes(applicant: NamedApplicant): boolean;
}

export interface JudgedQuotas {
  /** The oldest first. */
  readonly quotas: readonly Quota[];
  readonly verdicts: ReadonlyMap<ObjectRef, Verdict>;
}

/**
 * A quota that says of the same Services, in the same words, what an older one says can only repeat or contradict it: it
 * is disabled. Which namespaces a selector chooses today does not count, because that changes.
 */
export function judgeQuotas(
  objects: readonly AddressQuota[],
  { pools, namespaces }: { readonly pools: readonly Pool[]; readonly namespaces: readonly LabelledObject[] },
): JudgedQuotas {
  const quotas: Quota[] = [];
  const verdicts = new Map<ObjectRef, Verdict>();
  const limitedBy = new Map<string, string>();
  for (const object of objects.toSorted(byAge)) {
    const ref = objectRef('AddressQuota', object.metadata);
    const quota = quotaOf(object, namespaces);
    const refusal = 'reason' in quota ? quota : duplicateOf(quota, limitedBy);
    if (refusal) verdicts.set(ref, refused(refusal));
    if (refusal || 'reason' in quota) continue;
    quotas.push(quota);
    verdicts.set(ref, verdictOf(quota, pools));
  }
  return { quotas, verdicts };
}

interface ResolvedQuota extends Quota {
  /** Whose Services, as it is written. */
  readonly written: string;
}

function quotaOf({ metadata, spec }: AddressQuota, namespaces: readonly LabelledObject[]): ResolvedQuota | Refusal {
  const limits = (spec.limits ?? []).map(limitOf);
  const problem = limitsProblem(limits);
  if (problem !== undefined) return { reason: 'InvalidSpec', message: problem };
  const selector = selectionProblem(spec.for ?? {});
  if (selector !== undefined) return { reason: 'InvalidSelector', message: `In spec.for: ${selector}.` };
  const selection = selectionOf(spec.for ?? {}, namespaces);
  const per = spec.per ?? 'Namespace';
  return {
    key: `${metadata.namespace ?? ''}/${metadata.name}`,
    per,
    limits,
    content: [per, JSON.stringify(limits), selection.content].join(' '),
    written: writtenSelection(spec.for ?? {}),
    includes: (applicant: NamedApplicant) => selection.includes(applicant),
  };
}

const writtenSelection = ({ namespaces, ...selectors }: NonNullable<AddressQuota['spec']['for']>): string =>
  canonical({ namespaces: namespaces && [...new Set(namespaces)].sort(), ...selectors });

const limitOf = ({ pool, ipv4, ipv6 }: AddressQuota['spec']['limits'][number]): QuotaLimit => ({
  ...(pool !== undefined && { pool }),
  ...(ipv4 !== undefined && { ipv4 }),
  ...(ipv6 !== undefined && { ipv6 }),
});

function limitsProblem(limits: readonly QuotaLimit[]): string | undefined {
  if (limits.length === 0) return 'spec.limits has no entry.';
  const seen = new Set<string>();
  for (const { pool, ipv4, ipv6 } of limits) {
    const where = pool === undefined ? 'all pools together' : `pool ${pool}`;
    if (ipv4 === undefined && ipv6 === undefined) return `The limit for ${where} says no number.`;
    if (seen.has(where)) return `spec.limits has two entries for ${where}: join them.`;
    seen.add(where);
  }
  return undefined;
}

/** Notes what the quota limits, unless an older one limits the same. */
function duplicateOf({ key, per, written, limits }: ResolvedQuota, limitedBy: Map<string, string>) {
  const limited = limits.flatMap(({ pool, ...families }) =>
    Object.keys(families).map((family) => ({ pool, family, id: [per, written, pool ?? '', family].join('\n') })),
  );
  const repeated = limited.find(({ id }) => limitedBy.has(id));
  if (repeated) {
    const { pool, family, id } = repeated;
    const what = `${family} of ${pool === undefined ? 'all pools together' : `pool ${pool}`}`;
    const message = `The older AddressQuota ${limitedBy.get(id)} limits ${what} for the same Services.`;
    return { reason: 'DuplicateQuota', message } as const;
  }
  for (const { id } of limited) limitedBy.set(id, key);
  return undefined;
}

function verdictOf({ limits }: Quota, pools: readonly Pool[]): Verdict {
  const named = limits.flatMap(({ pool }) => pool ?? []);
  const isPool = (wanted: string): boolean => pools.some(({ name }) => name === wanted);
  const missing = missingAmong(named, isPool, { reason: 'PoolNotFound', what: 'pool' });
  const refs = resolvedRefs(missing);
  if (missing.length > 0) return waiting(refs);
  return { conditions: [condition('Ready', 'True', 'Limiting', reasons.Ready.Limiting), accepted(), refs] };
}
