/** What one pool has for one Service. */

import { hash } from 'node:crypto';
import type { Pool } from '../config/pool.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import type { Area } from './area.ts';
import { claimKey } from './circumstances.ts';
import { isSameAddress } from './holding.ts';
import { type Ledger, poolKey } from './ledger.ts';
import { obstacleOf, quotaRefusal, type Refusal, shareRefusal } from './obstacle.ts';
import type { Family, ServiceRequest } from './service-request.ts';

/** Addresses, or why there are none, or that the pool's external source has to be asked first. */
export type Offer =
  | { readonly addresses: readonly IpAddress[] }
  | { readonly refusal: Refusal }
  | { readonly isPending: true };

type Found =
  | { readonly address: IpAddress; readonly isShared?: true; readonly area: Area }
  | { readonly refusal: Refusal }
  | { readonly isPending: true };

/** What must be among the addresses: one that is reserved for the Service, one that others share with it, or neither. */
export type Preference = 'Reserved' | 'Shared' | 'None';

export interface Asked {
  readonly families: readonly Family[];
  readonly preference: Preference;
  /** Whether the pool gives the Service more than what is reserved for it. */
  readonly isOpen: boolean;
}

const PENDING = { isPending: true } as const;
const NOTHING: Offer = { refusal: { reason: 'PoolExhausted' } };

export function offerOf(pool: Pool, request: ServiceRequest, asked: Asked, ledger: Ledger): Offer {
  const areas = areasFor(pool, request, asked.isOpen, ledger);
  if (asked.preference === 'Shared' && !areas.some((area) => ledger.groupOf(area, request))) return NOTHING;
  const addresses: IpAddress[] = [];
  let isPreferred = asked.preference === 'None';
  for (const family of asked.families) {
    const found = find(areas, family, request, ledger);
    if (!('address' in found)) return found;
    isPreferred ||= asked.preference === 'Shared' ? found.isShared === true : found.area.reservation !== undefined;
    addresses.push(found.address);
  }
  return isPreferred ? { addresses } : NOTHING;
}

/** What is reserved for the Service comes before the rest. */
function areasFor(pool: Pool, request: ServiceRequest, isOpen: boolean, ledger: Ledger): readonly Area[] {
  const open = isOpen ? ledger.space.areasOf(pool)?.open : undefined;
  const { reserved } = ledger.standingOf(request);
  if (reserved.length === 0) return open ? [open] : [];
  return [...reserved.filter((area) => area.pool === pool), ...(open ? [open] : [])];
}

function find(areas: readonly Area[], family: Family, request: ServiceRequest, ledger: Ledger): Found {
  let refusal: Refusal = { reason: 'PoolExhausted' };
  for (const area of areas) {
    const shared = sharedIn(area, family, request, ledger);
    if (shared) return { address: shared, isShared: true, area };
    const free = area.pool.source ? claimedIn(area, family, request, ledger) : freeIn(area, family, request, ledger);
    if (!('refusal' in free)) return free;
    refusal = free.refusal;
  }
  return { refusal };
}

/** The lowest address that is held under the sharing key of the Service and that it may share. */
function sharedIn(area: Area, family: Family, request: ServiceRequest, ledger: Ledger): IpAddress | undefined {
  const group = ledger.groupOf(area, request);
  if (!group) return undefined;
  for (const value of group.of(family).open(request.ports ?? [])) {
    const address = { family, value };
    if (ledger.space.withholdingOf(address)) continue;
    if (!quotaRefusal(request, area.pool, family, ledger, address)) return address;
  }
  return undefined;
}

function freeIn(area: Area, family: Family, request: ServiceRequest, ledger: Ledger): Found {
  const quota = quotaRefusal(request, area.pool, family, ledger);
  if (quota) return { refusal: quota };
  const resting = ownRestIn(area, family, request, ledger);
  if (resting) return { address: resting, area };
  const share = shareRefusal(request, area, family, ledger);
  if (share) return { refusal: share };
  const value = spread(area, family, request);
  return value === undefined ? { refusal: { reason: 'PoolExhausted' } } : { address: { family, value }, area };
}

/** Who comes back before the rest is over gets the same address. */
function ownRestIn(area: Area, family: Family, { key }: ServiceRequest, { space }: Ledger): IpAddress | undefined {
  return space
    .restingOf(key)
    .find((address) => address.family === family && space.areaOf(address) === area && !space.isHeld(address));
}

function spread(area: Area, family: Family, { key, uid = key }: ServiceRequest): bigint | undefined {
  const { spreadBy } = area.pool;
  if (spreadBy === 'hash') return area.freeNear(family, () => seedOf(key));
  return spreadBy === 'random' ? area.freeNear(family, () => seedOf(uid)) : area.firstFree(family);
}

/** 128 bits of sha256. */
const seedOf = (text: string): bigint => BigInt(`0x${hash('sha256', text).slice(0, 32)}`);

/** What the external source of the pool has given for the Service. */
function claimedIn(area: Area, family: Family, request: ServiceRequest, ledger: Ledger): Found {
  const { pool } = area;
  const quota = quotaRefusal(request, pool, family, ledger);
  if (quota) return { refusal: quota };
  const given = claimOf(pool, request, ledger);
  if (!('addresses' in given)) return given;
  const address = given.addresses.find((one) => one.family === family);
  if (!address) return sourceRefusal(`The source of the pool gave no IPv${family} address.`);
  if (ledger.space.areaOf(address) !== area)
    return sourceRefusal(`The source of the pool gave ${formatIp(address)}, which is not the Service's to have.`);
  const obstacle = obstacleOf(address, request, pool, ledger);
  return obstacle ? sourceRefusal(`The source of the pool gave ${formatIp(address)}.`, obstacle) : { address, area };
}

const sourceRefusal = (what: string, { message }: Partial<Refusal> = {}): { readonly refusal: Refusal } => ({
  refusal: { reason: 'SourceRefused', message: message === undefined ? what : `${what} ${message}` },
});

function claimOf(pool: Pool, { key }: ServiceRequest, { claims }: Ledger): Offer {
  const answer = claims.get(claimKey(poolKey(pool), key));
  if (!answer) return PENDING;
  return 'refusal' in answer ? { refusal: { reason: 'SourceRefused', message: answer.refusal } } : answer;
}

/** The very addresses that the Service asks for, all of which the pool has. */
export function offerOfRequested(
  pool: Pool,
  request: ServiceRequest,
  requested: readonly IpAddress[],
  ledger: Ledger,
): Offer {
  for (const address of requested) {
    const refusal = obstacleOf(address, request, pool, ledger);
    if (refusal) return { refusal };
  }
  const unclaimed = pool.source && requested.filter((address) => !ledger.space.isHeld(address));
  if (!unclaimed || unclaimed.length === 0) return { addresses: requested };
  const given = claimOf(pool, request, ledger);
  if (!('addresses' in given)) return given;
  const lacking = unclaimed.filter((address) => !given.addresses.some((one) => isSameAddress(one, address)));
  if (lacking.length === 0) return { addresses: requested };
  return sourceRefusal(`The source of the pool did not give ${lacking.map(formatIp).join(' and ')}.`);
}
