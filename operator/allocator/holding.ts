/** What one Service has of the pools. */

import type { Pool } from '../config/pool.ts';
import type { IpAddress } from '../net/address.ts';
import type { Family, ServiceRequest } from './service-request.ts';

/** Addresses of one pool, at most one per family. */
export interface Part {
  readonly pool: Pool;
  readonly addresses: readonly IpAddress[];
}

/** Never without a part; more than one only where the Service asks for several pools. */
export interface Holding {
  readonly parts: readonly Part[];
}

/** A Service and what it has so far. */
export interface Holder {
  request: ServiceRequest;
  holding?: Holding;
}

export const addressesOf = (holding: Holding | undefined): readonly IpAddress[] =>
  holding ? holding.parts.flatMap(({ addresses }) => addresses) : [];

export const isSameAddress = (a: IpAddress, b: IpAddress): boolean => a.family === b.family && a.value === b.value;

export const hasFamily = (addresses: readonly IpAddress[], family: Family): boolean =>
  addresses.some((address) => address.family === family);

/** The families that the Service wants of a pool and does not have of it. */
export const missingFamilies = (
  { families }: Pick<ServiceRequest, 'families'>,
  { addresses }: Pick<Part, 'addresses'>,
): readonly Family[] => families.filter((family) => !hasFamily(addresses, family));

/** Whether nothing is missing that the Service asks for. */
export function isWhole(request: ServiceRequest, { parts }: Holding): boolean {
  if (parts.length < (request.requestedPools?.length ?? 1)) return false;
  return parts.every((part) => missingFamilies(request, part).length === 0);
}
