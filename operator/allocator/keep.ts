/** Which of the addresses that a Service holds it keeps. */

import { holds, type Pool, permits } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import { hasFamily, type Holder, type Holding, isSameAddress, type Part } from './holding.ts';
import type { Ledger } from './ledger.ts';
import type { ServiceRequest } from './service-request.ts';
import { isAskedFor } from './standing.ts';

type Judge = (holder: Holder) => boolean;
const everybody: Judge = () => true;

/**
 * The part of what the Service holds that some pool still permits and that no other Service stands in the way of.
 * Quotas, reservations, a drain and a rest take nothing away.
 *
 * @param counts which other holders are in the way, where they do not share
 */
export function keepHeld(request: ServiceRequest, ledger: Ledger, counts = everybody): Holding | undefined {
  if (request.held.length === 0) return undefined;
  const byPool = new Map<Pool, IpAddress[]>();
  for (const address of request.held) {
    if (!request.isForeign && !isWanted(request, address, ledger)) continue;
    for (const pool of poolsWith(address, ledger)) {
      const kept = byPool.get(pool) ?? [];
      if (!mayKeep(request, address, pool, kept)) continue;
      if (ledger.obstructorsOf(address, request, pool).some(counts)) continue;
      byPool.set(pool, [...kept, address]);
      if (request.isForeign) break;
    }
  }
  const parts = [...byPool].map(([pool, addresses]): Part => ({ pool, addresses }));
  return parts.length === 0 ? undefined : { parts: request.isForeign ? parts : partsToKeep(request, parts, ledger) };
}

function isWanted({ families, requestedAddresses }: ServiceRequest, address: IpAddress, ledger: Ledger): boolean {
  if (!families.includes(address.family)) return false;
  if (requestedAddresses && !requestedAddresses.some((asked) => isSameAddress(asked, address))) return false;
  return ledger.space.withholdingOf(address)?.reason !== 'AddressConflicts';
}

/** What others than we answer for is left alone wherever it lies; of what is ours a pool gives one per family. */
function mayKeep(request: ServiceRequest, address: IpAddress, pool: Pool, kept: readonly IpAddress[]): boolean {
  if (request.isForeign) return !kept.some((one) => isSameAddress(one, address));
  return isAskedFor(request, pool) && permits(pool, request) && !hasFamily(kept, address.family);
}

/** A live pool before the remnants: of two that have the address the live one counts. */
function poolsWith(address: IpAddress, { space, pools }: Ledger): readonly Pool[] {
  const live = space.areaOf(address)?.pool;
  const remnants = pools.remnants.length === 0 ? [] : pools.remnants.filter((pool) => holds(pool, address));
  return live ? [live, ...remnants] : remnants;
}

function partsToKeep(request: ServiceRequest, parts: readonly Part[], { pools }: Ledger): readonly Part[] {
  const { requestedPools } = request;
  const [first, ...others] = parts;
  if (!first || (others.length === 0 && !requestedPools)) return parts;
  const inOrder = pools.all.flatMap((pool) => parts.find((part) => part.pool === pool) ?? []);
  if (requestedPools)
    return requestedPools.flatMap((name) => inOrder.find(({ pool }) => pool.name === name) ?? []);
  // One pool only: the one with most of it, so that as little as possible is lost.
  return [inOrder.reduce((best, part) => (part.addresses.length > best.addresses.length ? part : best))];
}
