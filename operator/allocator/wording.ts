/** Puts into words what was decided: for each pool that refused why, and for the Service a summary. */

import { reasons } from '../../crds/reasons.ts';
import { allowsNamespace, holds, type Pool, selectsService } from '../config/pool.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import { type Holding, missingFamilies, type Occupancy } from './choose.ts';
import type { Assigned, Decision, Rejection, Summary, Unassigned } from './decision.ts';
import type { PoolTable } from './pool-table.ts';
import { familyNames, type ServiceRequest } from './service-request.ts';

/** Longer lists of pools are cut in sentences; `rejections` has them all. */
const POOLS_IN_A_SENTENCE = 8;

/** The decision, worded by the state in which everybody has been served. */
export function decisionOf(
  request: ServiceRequest,
  holding: Holding | undefined,
  pools: PoolTable,
  occupancy: Occupancy,
): Decision {
  return holding && !request.isForeign ? assigned(request, holding) : unassigned(request, pools, occupancy);
}

function assigned(request: ServiceRequest, holding: Holding): Assigned {
  const { pool, addresses } = holding;
  const what = `${addresses.map(formatIp).join(' and ')} from pool ${pool.name}`;
  return { outcome: 'Assigned', pool: pool.name, addresses, ...summaryOf(request, holding, what) };
}

function summaryOf({ problem, ...request }: ServiceRequest, holding: Holding, what: string): Summary {
  if (problem) return { reason: problem.reason, message: `${problem.message} It keeps ${what}.` };
  const missing = missingFamilies(request, holding);
  if (missing.length === 0) return { reason: 'Assigned', message: `The Service has ${what}.` };
  return {
    reason: 'PartlyAssigned',
    message: `The Service has ${what}, which has no ${familyNames(missing)} address for it.`,
  };
}

function unassigned(request: ServiceRequest, pools: PoolTable, occupancy: Occupancy): Unassigned {
  if (request.problem) return { outcome: 'Unassigned', ...request.problem, rejections: [] };
  const rejections = rejectionsOf(request, pools, occupancy);
  return { outcome: 'Unassigned', ...summaryOfRejections(request, pools, rejections), rejections };
}

function rejectionsOf(request: ServiceRequest, pools: PoolTable, occupancy: Occupancy): readonly Rejection[] {
  const { requestedPool, requestedAddresses } = request;
  if (requestedPool !== undefined) {
    const named = pools.named(requestedPool);
    return named ? [rejectionOf(named, request, occupancy)] : [];
  }
  const holders = requestedAddresses && pools.live.filter((pool) => requestedAddresses.some((one) => holds(pool, one)));
  return (holders ?? pools.live).map((pool) => rejectionOf(pool, request, occupancy));
}

function rejectionOf(pool: Pool, request: ServiceRequest, occupancy: Occupancy): Rejection {
  const reject = (reason: Rejection['reason'], message: string = reasons.rejections[reason]): Rejection => ({
    pool: pool.name,
    reason,
    message,
  });
  if (pool.isRemnant) return reject('PoolRemoved');
  if (!allowsNamespace(pool, request)) return reject('NamespaceNotAllowed');
  if (!selectsService(pool, request)) return reject('ServiceNotSelected');
  const { requestedAddresses } = request;
  if (requestedAddresses) return requestRejection(pool, request, requestedAddresses, occupancy, reject);
  if (!pool.autoAssign && request.requestedPool === undefined) return reject('AutoAssignDisabled');
  const missing = request.families.filter((family) => !pool.addresses.hasFamily(family));
  const isTooLittle = request.isOneFamilyEnough ? missing.length === request.families.length : missing.length > 0;
  if (isTooLittle) return reject('FamilyMissing', `The pool has no ${familyNames(missing)} addresses.`);
  return reject('PoolExhausted');
}

function requestRejection(
  pool: Pool,
  request: ServiceRequest,
  requested: readonly IpAddress[],
  occupancy: Occupancy,
  reject: (reason: Rejection['reason'], message?: string) => Rejection,
): Rejection {
  const outside = requested.filter((address) => !holds(pool, address));
  if (outside.length > 0)
    return reject('AddressNotInPool', `${outside.map(formatIp).join(' and ')} is not in the pool.`);
  const taken = requested.flatMap((address) => {
    const holder = occupancy.holderOf(address);
    return holder === undefined ? [] : `${formatIp(address)} is held by ${holder}`;
  });
  const sharing = request.sharingKey === undefined ? '' : '; this version does not serve metallb.io/allow-shared-ip';
  return reject('AddressInUse', `${taken.join(' and ')}${sharing}.`);
}

function summaryOfRejections(
  { requestedPool, requestedAddresses }: ServiceRequest,
  pools: PoolTable,
  rejections: readonly Rejection[],
): Summary {
  const has = (reason: Rejection['reason']): boolean => rejections.some((rejection) => rejection.reason === reason);
  if (requestedPool !== undefined && rejections.length === 0)
    return {
      reason: 'PoolNotFound',
      message: `unknown pool "${requestedPool}": it does not exist or is not in force.`,
    };
  if (pools.live.length === 0 && rejections.length === 0)
    return { reason: 'NoPool', message: 'There is no pool in force.' };
  const asked = requestedAddresses?.map(formatIp).join(' and ');
  if (rejections.length === 0) return { reason: 'AddressNotInPool', message: `${asked} lies in no pool in force.` };
  const because = sentencesOf(rejections);
  if (asked !== undefined) {
    const reason = has('AddressInUse') ? 'AddressInUse' : has('AddressNotInPool') ? 'AddressNotInPool' : 'NoPoolFits';
    return { reason, message: `${asked} cannot be given. ${because}` };
  }
  return { reason: has('PoolExhausted') ? 'PoolExhausted' : 'NoPoolFits', message: `no available IPs. ${because}` };
}

function sentencesOf(rejections: readonly Rejection[]): string {
  const named = rejections.slice(0, POOLS_IN_A_SENTENCE).map(({ pool, message }) => `Pool ${pool}: ${message}`);
  const more = rejections.length - named.length;
  return [...named, ...(more > 0 ? [`And ${more} more pools.`] : [])].join(' ');
}
