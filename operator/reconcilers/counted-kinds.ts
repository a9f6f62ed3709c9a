/** Reservations and quotas have counters beside their conditions: what is in use of them. */

import type { Quota } from '../config/quota.ts';
import type { ResolvedConfig } from '../config/resolve-config.ts';
import { type LimitUse, quotaCounters, quotaWarning, reservationWarning } from '../config/rule-use.ts';
import type { VerdictCondition } from '../config/verdict.ts';
import { formatIp } from '../net/address.ts';
import type { AddressBook } from './address-book.ts';

/** How many who hold what is reserved for others a message names. */
const NAMED = 3;

/** The counters of a status, and what is not as it should be about them. */
export interface Counted {
  readonly counters: Readonly<Record<string, unknown>>;
  readonly warning: VerdictCondition | undefined;
}

/** What is in use of the object with this key, 'namespace/name'. */
export type Counting = (
  key: string,
  book: Pick<AddressBook, 'reservationUse' | 'quotaUse'>,
  config: Pick<ResolvedConfig, 'quotas'>,
) => Counted;

export const countReservation: Counting = (key, book) => {
  const { held, heldByOthers, othersCount } = book.reservationUse(key);
  const examples = heldByOthers
    .slice(0, NAMED)
    .map(({ address, service }) => ({ address: formatIp(address), service }));
  return {
    counters: { held, heldByOthers: othersCount },
    warning: reservationWarning({ heldByOthers: othersCount, examples }),
  };
};

export const countQuota: Counting = (key, book, { quotas }) => {
  const limits = quotas.find((quota) => quota.key === key)?.limits ?? [];
  const uses = book.quotaUse(key).flatMap((use) => limitUse(use, limits) ?? []);
  return { counters: { ...quotaCounters(uses) }, warning: quotaWarning(uses) };
};

function limitUse(
  { namespace, pool, ipv4, ipv6 }: ReturnType<AddressBook['quotaUse']>[number],
  limits: Quota['limits'],
): LimitUse | undefined {
  const limit = limits.find((one) => one.pool === pool);
  return limit && { limit, ipv4, ipv6, ...(namespace !== undefined && { namespace }) };
}
