/** Puts into words what was decided: for the Service a summary, and what it has. */

import { formatIp } from '../net/address.ts';
import { nextStep } from './choose.ts';
import type { Assigned, Decision, Rejection, Summary, Unassigned } from './decision.ts';
import { addressesOf, type Holding, missingFamilies } from './holding.ts';
import type { Ledger } from './ledger.ts';
import { rejectionsOf } from './rejections.ts';
import { familyNames, type ServiceRequest } from './service-request.ts';

/** Longer lists of pools are cut in sentences; `rejections` has them all. */
const POOLS_IN_A_SENTENCE = 8;

/** Of several reasons for which pools refuse, the one that says most about what to do comes first. */
const TELLING = [
  'AddressPending',
  'AddressInUse',
  'AddressConflicts',
  'CoolingDown',
  'QuotaExceeded',
  'AddressReserved',
  'PoolExhausted',
  'SourceRefused',
  'AddressNotInPool',
] as const satisfies readonly (Rejection['reason'] & Summary['reason'])[];

/** The decision, worded by the state in which everybody has been served. */
export function decisionOf(request: ServiceRequest, holding: Holding | undefined, ledger: Ledger): Decision {
  return holding && !request.isForeign ? assigned(request, holding) : unassigned(request, ledger);
}

function assigned(request: ServiceRequest, holding: Holding): Assigned {
  const what = holding.parts
    .map(({ pool, addresses }) => `${addresses.map(formatIp).join(' and ')} from pool ${pool.name}`)
    .join(' and ');
  return {
    outcome: 'Assigned',
    pools: holding.parts.map(({ pool }) => pool.name),
    addresses: addressesOf(holding),
    ...summaryOf(request, holding, what),
  };
}

function summaryOf(request: ServiceRequest, { parts }: Holding, what: string): Summary {
  const { problem, requestedPools = [] } = request;
  if (problem) return { reason: problem.reason, message: `${problem.message} It keeps ${what}.` };
  const lacks = parts.flatMap((part) => {
    const missing = missingFamilies(request, part);
    return missing.length === 0 ? [] : `pool ${part.pool.name} has no ${familyNames(missing)} address for it`;
  });
  const silent = requestedPools.filter((name) => !parts.some(({ pool }) => pool.name === name));
  lacks.push(...silent.map((name) => `pool ${name} has given it nothing`));
  if (lacks.length === 0) return { reason: 'Assigned', message: `The Service has ${what}.` };
  return { reason: 'PartlyAssigned', message: `The Service has ${what}; ${lacks.join(', ')}.` };
}

function unassigned(request: ServiceRequest, ledger: Ledger): Unassigned {
  if (request.problem) return { outcome: 'Unassigned', ...request.problem, rejections: [] };
  const rejections = rejectionsOf(request, ledger);
  const { claims } = nextStep(request, undefined, ledger);
  if (claims.length === 0)
    return { outcome: 'Unassigned', ...summaryOfRejections(request, ledger, rejections), rejections };
  const names = claims.map(({ pool }) => `pool ${pool.name}`).join(' and ');
  const message = `The external source of ${names} was asked for an address.`;
  return { outcome: 'Unassigned', reason: 'AddressPending', message, rejections };
}

function summaryOfRejections(
  { requestedPool, requestedPools, requestedAddresses }: ServiceRequest,
  { pools }: Ledger,
  rejections: readonly Rejection[],
): Summary {
  const unknown = (requestedPools ?? [requestedPool ?? []].flat()).filter((name) => !pools.named(name));
  if (unknown.length > 0 && rejections.length === 0)
    return {
      reason: 'PoolNotFound',
      message: `unknown pool "${unknown.join('", "')}": it does not exist or is not in force.`,
    };
  if (pools.live.length === 0 && rejections.length === 0)
    return { reason: 'NoPool', message: 'There is no pool in force.' };
  const asked = requestedAddresses?.map(formatIp).join(' and ');
  if (rejections.length === 0) return { reason: 'AddressNotInPool', message: `${asked} lies in no pool in force.` };
  const reason = TELLING.find((one) => rejections.some((rejection) => rejection.reason === one)) ?? 'NoPoolFits';
  const because = sentencesOf(rejections);
  const what = asked === undefined ? 'no available IPs.' : `${asked} cannot be given.`;
  return { reason, message: `${what} ${because}` };
}

function sentencesOf(rejections: readonly Rejection[]): string {
  const named = rejections.slice(0, POOLS_IN_A_SENTENCE).map(({ pool, message }) => `Pool ${pool}: ${message}`);
  const more = rejections.length - named.length;
  return [...named, ...(more > 0 ? [`And ${more} more pools.`] : [])].join(' ');
}
