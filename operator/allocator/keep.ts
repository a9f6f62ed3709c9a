/** Which of the addresses that a Service holds it keeps. */

import { holds, type Pool, permits } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import { type Holder, type Holding, hasFamily, isSameAddress, type Part } from './holding.ts';
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
  const byPool = new Map<Pool, readonly IpAddress[]>();
  for (const address of request.held)
    for (const pool of poolsToKeepOf(address, request, byPool, ledger, counts))
      byPool.set(pool, [...(byPool.get(pool) ?? []), address]);
  const parts = [...byPool].map(([pool, addresses]): Part => ({ pool, addresses }));
  return parts.length === 0 ? undefined : { parts: request.isForeign ? parts : partsToKeep(request, parts, ledger) };
}

function poolsToKeepOf(
  address: IpAddress,
  request: ServiceRequest,
  kept: ReadonlyMap<Pool, readonly IpAddress[]>,
  ledger: Ledger,
  counts: Judge,
): readonly Pool[] {
  if (!request.isForeign && !isWanted(request, address, ledger)) return [];
  const fitting = poolsWith(address, ledger).filter(
    (pool) =>
      mayKeep(request, address, pool, kept.get(pool) ?? []) &&
      !ledger.obstructorsOf(address, request, pool).some(counts),
  );
  return request.isForeign ? fitting.slice(0, 1) : fitting;
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
  const { requestedPools, problem } = request;
  const [first, ...others] = parts;
  if (!first || (others.length === 0 && !requestedPools)) return parts;
  // Of how many pools it wants addresses cannot be read, and a slip costs nothing that it has.
  if (problem) return eachAddressOnce(parts);
  const inOrder = pools.all.flatMap((pool) => parts.find((part) => part.pool === pool) ?? []);
  if (requestedPools) return requestedPools.flatMap((name) => inOrder.find(({ pool }) => pool.name === name) ?? []);
  // One pool only: the one with most of it, so that as little as possible is lost.
  return [inOrder.reduce((best, part) => (part.addresses.length > best.addresses.length ? part : best))];
}

/** A live pool and a remnant may have one address: the first counts. */
function eachAddressOnce(parts: readonly Part[]): readonly Part[] {
  const seen: IpAddress[] = [];
  return parts.flatMap(({ pool, addresses }) => {
    const fresh = addresses.filter((address) => !seen.some((one) => isSameAddress(one, address)));
    seen.push(...fresh);
    return fresh.length > 0 ? [{ pool, addresses: fresh }] : [];
  });
}
