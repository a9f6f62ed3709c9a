/** Why an address that a source gave cannot be used. */

import { holds } from '../config/pool.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import type { ClaimTaker } from './claim-taker.ts';
import type { ClaimRecord, Claims } from './claims.ts';

/** A part of a sentence, or undefined where nothing is wrong. */
export function claimFault(
  record: ClaimRecord,
  address: IpAddress,
  claims: Claims,
  book: Pick<ClaimTaker, 'holdersOf'>,
): string | undefined {
  const { claim, line, exact } = record;
  const gave = `it gave ${formatIp(address)}`;
  const own = `${claim.service.namespace}/${claim.service.name}`;
  if (address.family !== claim.family) return `${gave}, which is no IPv${claim.family} address`;
  if (exact && exact.value !== address.value) return `${gave} where only ${formatIp(exact)} will do`;
  if (!holds(line.pool, address)) return `${gave}, which is not in the pool`;
  const holder = book.holdersOf(address).find((key) => key !== own);
  if (holder !== undefined) return `${gave}, which ${holder} holds`;
  const other = claims.withAddress(line, address);
  if (other && other !== record)
    return `${gave}, which it gave to ${other.claim.service.namespace}/${other.claim.service.name} too`;
  return undefined;
}
