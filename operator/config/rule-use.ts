/** What is in use of reservations and quotas, as their status and their warnings say it. */

import { MAX_USED, type QuotaUse } from '../../crds/address-quota.ts';
import type { QuotaLimit } from './quota.ts';
import { conflicting, type VerdictCondition } from './verdict.ts';

/** What is reserved and others hold, who had it before. */
interface OthersUse {
  readonly heldByOthers: number;
  /** A few: the address, and the Service as 'namespace/name'. */
  readonly examples: readonly { readonly address: string; readonly service: string }[];
}

/** What is in use of one limit of a quota, by one namespace or by all together. */
export interface LimitUse {
  readonly namespace?: string;
  readonly limit: QuotaLimit;
  /** Distinct addresses. */
  readonly ipv4: number;
  readonly ipv6: number;
}

export function reservationWarning({ heldByOthers, examples }: OthersUse): VerdictCondition | undefined {
  if (heldByOthers === 0) return undefined;
  const named = examples.map(({ address, service }) => `${address} is held by ${service}`).join(', ');
  const more = heldByOthers > examples.length ? ` and ${heldByOthers - examples.length} more by others` : '';
  return conflicting('HeldByOthers', `${named}${more}: they keep what they have.`);
}

const FAMILIES = ['ipv4', 'ipv6'] as const;

/** How full the fuller family is; 1 is full, more is over. */
const fullness = (use: LimitUse): number =>
  Math.max(
    ...FAMILIES.map((family) => {
      const limit = use.limit[family];
      if (limit === undefined) return 0;
      return limit === 0 ? 1 + use[family] : use[family] / limit;
    }),
  );

/** The fullest first. */
const ranked = (uses: readonly LimitUse[]): readonly LimitUse[] => uses.toSorted((a, b) => fullness(b) - fullness(a));

export function quotaCounters(uses: readonly LimitUse[]): { readonly used: QuotaUse[]; readonly full: number } {
  return {
    used: ranked(uses).slice(0, MAX_USED).map(lineOf),
    full: uses.filter((use) => fullness(use) >= 1).length,
  };
}

const lineOf = ({ namespace, limit, ipv4, ipv6 }: LimitUse): QuotaUse => ({
  ...(namespace !== undefined && { namespace }),
  ...(limit.pool !== undefined && { pool: limit.pool }),
  ...(limit.ipv4 !== undefined && { ipv4 }),
  ...(limit.ipv6 !== undefined && { ipv6 }),
});

/** How many who are over their quota a message names. */
const NAMED = 3;

export function quotaWarning(uses: readonly LimitUse[]): VerdictCondition | undefined {
  const over = ranked(uses).filter((use) => FAMILIES.some((family) => isOver(use, family)));
  if (over.length === 0) return undefined;
  const more = over.length > NAMED ? ` and ${over.length - NAMED} more` : '';
  return conflicting('OverQuota', `${over.slice(0, NAMED).map(overage).join(', ')}${more}: nobody loses anything.`);
}

const isOver = (use: LimitUse, family: (typeof FAMILIES)[number]): boolean =>
  use[family] > (use.limit[family] ?? Number.POSITIVE_INFINITY);

function overage(use: LimitUse): string {
  const who = use.namespace === undefined ? 'the Services' : `namespace ${use.namespace}`;
  const where = use.limit.pool === undefined ? '' : ` of pool ${use.limit.pool}`;
  const counts = FAMILIES.filter((family) => isOver(use, family)).map(
    (family) => `${use[family]} ${family === 'ipv4' ? 'IPv4' : 'IPv6'} addresses instead of ${use.limit[family]}`,
  );
  return `${who} ${use.namespace === undefined ? 'have' : 'has'} ${counts.join(' and ')}${where}`;
}
