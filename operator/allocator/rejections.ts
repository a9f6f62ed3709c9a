/** Why each pool refuses a Service, by the same code that would serve it. */

import { reasons } from '../../crds/reasons.ts';
import { allowsNamespace, holds, type Pool, selectsService } from '../config/pool.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import { familySets } from './choose.ts';
import type { Rejection } from './decision.ts';
import type { Ledger } from './ledger.ts';
import type { Refusal } from './obstacle.ts';
import { type Offer, offerOf, offerOfRequested } from './offer.ts';
import { familyNames, type ServiceRequest } from './service-request.ts';

/** Of each pool that could have been meant; a pool that would serve, were it asked, is not in the list. */
export function rejectionsOf(request: ServiceRequest, ledger: Ledger): readonly Rejection[] {
  return poolsMeant(request, ledger).flatMap((pool) => {
    const refusal = refusalOf(pool, request, ledger);
    return refusal
      ? { pool: pool.name, reason: refusal.reason, message: refusal.message ?? reasons.rejections[refusal.reason] }
      : [];
  });
}

function poolsMeant({ requestedPool, requestedPools, requestedAddresses }: ServiceRequest, { pools }: Ledger) {
  const names = requestedPools ?? (requestedPool === undefined ? undefined : [requestedPool]);
  if (names) return names.flatMap((name) => pools.named(name) ?? []);
  return requestedAddresses
    ? pools.live.filter((pool) => requestedAddresses.some((address) => holds(pool, address)))
    : pools.live;
}

function refusalOf(pool: Pool, request: ServiceRequest, ledger: Ledger): Refusal | undefined {
  if (pool.isRemnant) return { reason: 'PoolRemoved' };
  if (!allowsNamespace(pool, request)) return { reason: 'NamespaceNotAllowed' };
  if (!selectsService(pool, request)) return { reason: 'ServiceNotSelected' };
  const { requestedAddresses } = request;
  if (requestedAddresses) return refusalOfRequested(pool, request, requestedAddresses, ledger);
  const { pools, reserved } = ledger.standingOf(request);
  const isOpen = pools.includes(pool);
  if (!isOpen && !reserved.some((area) => area.pool === pool)) return { reason: 'AutoAssignDisabled' };
  if (pool.isDraining) return { reason: 'PoolDraining' };
  return familyRefusal(pool, request) ?? refusalOfFree(pool, request, isOpen, ledger);
}

function familyRefusal(pool: Pool, request: ServiceRequest): Refusal | undefined {
  const missing = request.families.filter((family) => !pool.addresses.hasFamily(family));
  const isTooLittle = request.isOneFamilyEnough ? missing.length === request.families.length : missing.length > 0;
  if (!isTooLittle) return undefined;
  return { reason: 'FamilyMissing', message: `The pool has no ${familyNames(missing)} addresses.` };
}

function refusalOfFree(pool: Pool, request: ServiceRequest, isOpen: boolean, ledger: Ledger): Refusal | undefined {
  const sets = familySets(request).filter((set) => set.every((family) => pool.addresses.hasFamily(family)));
  const offers = sets.map((families) => offerOf(pool, request, { families, preference: 'None', isOpen }, ledger));
  if (offers.some((offer) => 'addresses' in offer)) return undefined;
  const [refusal] = offers.flatMap((offer) => refusalIn(offer) ?? []);
  return refusal?.reason === 'PoolExhausted' ? exhausted(pool, request, ledger) : refusal;
}

const refusalIn = (offer: Offer): Refusal | undefined =>
  'refusal' in offer ? offer.refusal : 'isPending' in offer ? { reason: 'AddressPending' } : undefined;

/** With a sharing key it is worth saying why the addresses under this key are no help. */
function exhausted(pool: Pool, request: ServiceRequest, ledger: Ledger): Refusal {
  const open = ledger.space.areasOf(pool)?.open;
  const group = open && ledger.groupOf(open, request);
  for (const family of request.families) {
    const conflict = group?.of(family).firstConflict(request.ports ?? []);
    if (!conflict) continue;
    const shared = formatIp({ family, value: conflict.value });
    const why = `${shared} has its sharing key, but port ${conflict.port} is already in use by ${conflict.holder}.`;
    return { reason: 'PoolExhausted', message: `${reasons.rejections.PoolExhausted} ${why}` };
  }
  return { reason: 'PoolExhausted' };
}

function refusalOfRequested(
  pool: Pool,
  request: ServiceRequest,
  requested: readonly IpAddress[],
  ledger: Ledger,
): Refusal | undefined {
  const outside = requested.filter((address) => !holds(pool, address));
  if (outside.length > 0)
    return { reason: 'AddressNotInPool', message: `${outside.map(formatIp).join(' and ')} is not in the pool.` };
  if (pool.isDraining) return { reason: 'PoolDraining' };
  return refusalIn(offerOfRequested(pool, request, requested, ledger));
}
