/** How one Service comes to its addresses, given the pools and what others hold: pure, and shared by both allocators. */

import { holds, type Pool, permits } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import type { PoolTable } from './pool-table.ts';
import type { Family, ServiceRequest } from './service-request.ts';

/** Who holds what, and what is free. */
export interface Occupancy {
  holderOf(address: IpAddress): string | undefined;
  /** The lowest free address of the family in the first range of the pool that has one. */
  firstFree(pool: Pool, family: Family): IpAddress | undefined;
}

/** Addresses of one pool that one Service has. */
export interface Holding {
  readonly pool: Pool;
  readonly addresses: readonly IpAddress[];
}

/** The part of what the Service holds that some pool still permits and no other Service has. */
export function keepHeld(request: ServiceRequest, pools: PoolTable, occupancy: Occupancy): Holding | undefined {
  if (request.isForeign) return reserve(request, pools, occupancy);
  const mine = request.held.filter(
    (address, at) =>
      request.families.includes(address.family) &&
      request.held.findIndex(({ family }) => family === address.family) === at &&
      isRequested(request, address) &&
      (occupancy.holderOf(address) ?? request.key) === request.key,
  );
  if (mine.length === 0) return undefined;
  let best: Holding | undefined;
  for (const pool of pools.all) {
    if (!isAskedFor(request, pool) || !permits(pool, request)) continue;
    const addresses = mine.filter((address) => holds(pool, address));
    if (addresses.length > (best?.addresses.length ?? 0)) best = { pool, addresses };
  }
  return best;
}

/** Whatever of the status lies in our pools, wherever nobody of ours has it; it counts as one pool's. */
function reserve({ key, held }: ServiceRequest, pools: PoolTable, occupancy: Occupancy): Holding | undefined {
  const addresses = held.filter(
    (address, at) =>
      held.findIndex(({ family, value }) => family === address.family && value === address.value) === at &&
      (occupancy.holderOf(address) ?? key) === key &&
      pools.all.some((pool) => holds(pool, address)),
  );
  const pool = pools.all.find((one) => addresses[0] && holds(one, addresses[0]));
  return pool && { pool, addresses };
}

/** Fresh addresses, all from one pool; undefined where no pool has what the Service needs. */
export function takeFree(request: ServiceRequest, pools: PoolTable, occupancy: Occupancy): Holding | undefined {
  if (request.problem) return undefined;
  if (request.requestedAddresses) return takeRequested(request, request.requestedAddresses, pools, occupancy);
  const candidates = poolsOfInterest(request, pools);
  const whole = firstWith(candidates, request.families, occupancy);
  if (whole || !request.isOneFamilyEnough) return whole;
  for (const family of request.families) {
    const part = firstWith(candidates, [family], occupancy);
    if (part) return part;
  }
  return undefined;
}

function firstWith(pools: readonly Pool[], families: readonly Family[], occupancy: Occupancy): Holding | undefined {
  for (const pool of pools) {
    const addresses = families.flatMap((family) => occupancy.firstFree(pool, family) ?? []);
    if (addresses.length === families.length) return { pool, addresses };
  }
  return undefined;
}

function takeRequested(
  request: ServiceRequest,
  requested: readonly IpAddress[],
  pools: PoolTable,
  occupancy: Occupancy,
): Holding | undefined {
  if (requested.some((address) => occupancy.holderOf(address) !== undefined)) return undefined;
  const pool = pools.live.find(
    (pool) => isAskedFor(request, pool) && permits(pool, request) && requested.every((address) => holds(pool, address)),
  );
  const addresses = request.families.flatMap((family) => requested.find((address) => address.family === family) ?? []);
  return pool && { pool, addresses };
}

/** The live pools that may give this Service an address that it does not name. */
export function poolsOfInterest(request: ServiceRequest, pools: PoolTable): readonly Pool[] {
  const { requestedPool } = request;
  const named = requestedPool === undefined ? undefined : pools.named(requestedPool);
  const candidates = requestedPool === undefined ? pools.automatic : named && !named.isRemnant ? [named] : [];
  return candidates.filter((pool) => permits(pool, request));
}

/** Adds the family that is missing, from the same pool: a Service never has addresses of two pools. */
export function complete(request: ServiceRequest, holding: Holding, occupancy: Occupancy): Holding {
  const { pool, addresses } = holding;
  if (request.problem || pool.isRemnant) return holding;
  const added = missingFamilies(request, holding).flatMap((family) => freeOf(request, pool, family, occupancy) ?? []);
  return added.length === 0 ? holding : { pool, addresses: [...addresses, ...added] };
}

function freeOf(request: ServiceRequest, pool: Pool, family: Family, occupancy: Occupancy): IpAddress | undefined {
  if (!request.requestedAddresses) return occupancy.firstFree(pool, family);
  const asked = request.requestedAddresses.find((address) => address.family === family);
  return asked && holds(pool, asked) && occupancy.holderOf(asked) === undefined ? asked : undefined;
}

/** The families that the Service wants and does not have. */
export const missingFamilies = (
  { families }: ServiceRequest,
  { addresses }: Pick<Holding, 'addresses'>,
): readonly Family[] => families.filter((family) => !addresses.some((address) => address.family === family));

const isRequested = ({ requestedAddresses }: ServiceRequest, { family, value }: IpAddress): boolean =>
  !requestedAddresses || requestedAddresses.some((asked) => asked.family === family && asked.value === value);

const isAskedFor = ({ requestedPool }: ServiceRequest, { name }: Pool): boolean =>
  requestedPool === undefined || requestedPool === name;
