/** How one Service comes to its addresses, given the books: pure, and shared by both allocators. */

import { holds, type Pool, permits } from '../config/pool.ts';
import { type Holder, type Holding, isWhole, missingFamilies, type Part } from './holding.ts';
import type { Ledger } from './ledger.ts';
import { type Asked, type Offer, offerOf, offerOfRequested, type Preference } from './offer.ts';
import type { Family, ServiceRequest } from './service-request.ts';
import { isAskedFor, type QuotaCounter } from './standing.ts';

/** What the external source of a pool has to be asked for. */
export interface Claim {
  readonly pool: Pool;
  readonly families: readonly Family[];
}

/** What the Service gets next, if anything, and what it waits for meanwhile. */
export interface Step {
  readonly holding?: Holding;
  readonly claims: readonly Claim[];
}

type Taken = { readonly part: Part } | { readonly claim: Claim } | undefined;

/** Gives the holder all that it may have now. Whether that is anything. */
export function serve(holder: Holder, ledger: Ledger): boolean {
  let isServed = false;
  for (;;) {
    const { holding } = nextStep(holder.request, holder.holding, ledger);
    if (!holding) return isServed;
    ledger.hold(holder, holding);
    isServed = true;
  }
}

export function nextStep(request: ServiceRequest, holding: Holding | undefined, ledger: Ledger): Step {
  if (request.problem || (holding && isWhole(request, holding))) return { claims: [] };
  if (request.requestedPools) return stepOfSeveral(request, request.requestedPools, holding, ledger);
  const [part] = holding?.parts ?? [];
  return stepOf(part ? complete(request, part, ledger) : take(request, ledger));
}

const stepOf = (taken: Taken): Step => {
  if (!taken) return { claims: [] };
  return 'part' in taken ? { holding: { parts: [taken.part] }, claims: [] } : { claims: [taken.claim] };
};

/** Each pool by itself: what one of them lacks keeps the Service from nothing that another one has. */
function stepOfSeveral(
  request: ServiceRequest,
  names: readonly string[],
  holding: Holding | undefined,
  ledger: Ledger,
): Step {
  const claims: Claim[] = [];
  for (const name of names) {
    const part = holding?.parts.find(({ pool }) => pool.name === name);
    const taken = part ? complete(request, part, ledger) : takeAny(request, ledger, name);
    if (taken && 'claim' in taken) claims.push(taken.claim);
    if (!taken || 'claim' in taken) continue;
    const others = (holding?.parts ?? []).filter((one) => one !== part);
    const parts = [...others, taken.part].sort((a, b) => names.indexOf(a.pool.name) - names.indexOf(b.pool.name));
    return { holding: { parts }, claims };
  }
  return { claims };
}

function take(request: ServiceRequest, ledger: Ledger): Taken {
  return request.requestedAddresses ? takeRequested(request, ledger) : takeAny(request, ledger);
}

/**
 * What is reserved for the Service; else what others share with it, in the first pool that has that; else the first
 * pool with what it needs. All from one pool; both families before one, where one is enough.
 */
function takeAny(request: ServiceRequest, ledger: Ledger, only?: string): Taken {
  const { reserved, pools, quotas } = ledger.standingOf(request);
  if (isOverQuota(request, quotas)) return undefined;
  const isMeant = ({ name, isDraining }: Pool): boolean => !isDraining && (only === undefined || name === only);
  const reserving = [...new Set(reserved.map(({ pool }) => pool))].filter(isMeant);
  const kept = reserving.length > 0 && firstOfSets(reserving, request, ['Reserved'], ledger);
  if (kept) return kept;
  return firstOfSets(pools.filter(isMeant), request, request.sharingKey ? ['Shared', 'None'] : ['None'], ledger);
}

/** Whether a quota over all pools is full, so that no pool need be asked; who shares may come under a counted address. */
function isOverQuota(
  { sharingKey, families, isOneFamilyEnough }: ServiceRequest,
  quotas: readonly QuotaCounter[],
): boolean {
  if (quotas.length === 0 || sharingKey) return false;
  const isFull = (family: Family): boolean =>
    quotas.some(({ counter }) => counter.limit.pool === undefined && counter.isFull(family));
  return isOneFamilyEnough ? families.every(isFull) : families.some(isFull);
}

function firstOfSets(
  pools: readonly Pool[],
  request: ServiceRequest,
  preferences: readonly Preference[],
  ledger: Ledger,
): Taken {
  for (const families of familySets(request))
    for (const preference of preferences) {
      const taken = firstOffer(pools, request, families, preference, ledger);
      if (taken) return taken;
    }
  return undefined;
}

/** Both families, then, where one is enough, each alone. */
export const familySets = ({ families, isOneFamilyEnough }: ServiceRequest): readonly (readonly Family[])[] =>
  isOneFamilyEnough && families.length > 1 ? [families, ...families.map((family) => [family])] : [families];

function firstOffer(
  pools: readonly Pool[],
  request: ServiceRequest,
  families: readonly Family[],
  preference: Preference,
  ledger: Ledger,
): Taken {
  for (const pool of pools) {
    if (families.some((family) => !pool.addresses.hasFamily(family))) continue;
    const isOpen = preference !== 'Reserved' || ledger.standingOf(request).pools.includes(pool);
    const offer = offerOf(pool, request, { families, preference, isOpen }, ledger);
    if ('addresses' in offer) return { part: { pool, addresses: offer.addresses } };
    if ('isPending' in offer) return { claim: { pool, families } };
  }
  return undefined;
}

function takeRequested(request: ServiceRequest, ledger: Ledger): Taken {
  const requested = request.families.flatMap(
    (family) => request.requestedAddresses?.find((address) => address.family === family) ?? [],
  );
  const pool = requested[0] && ledger.space.areaOf(requested[0])?.pool;
  if (!pool || pool.isDraining || !isAskedFor(request, pool) || !permits(pool, request)) return undefined;
  if (requested.some((address) => !holds(pool, address))) return undefined;
  return takenOf(pool, request.families, [], offerOfRequested(pool, request, requested, ledger));
}

/** Adds the family that is missing, from the same pool: a Service never has addresses of two pools unasked. */
function complete(request: ServiceRequest, part: Part, ledger: Ledger): Taken {
  const { pool, addresses } = part;
  if (pool.isRemnant || pool.isDraining) return undefined;
  for (const family of missingFamilies(request, part)) {
    const taken = takenOf(pool, [family], addresses, moreOf(pool, request, family, ledger));
    if (taken) return taken;
  }
  return undefined;
}

function moreOf(pool: Pool, request: ServiceRequest, family: Family, ledger: Ledger): Offer {
  const asked = request.requestedAddresses?.find((address) => address.family === family);
  if (asked && holds(pool, asked)) return offerOfRequested(pool, request, [asked], ledger);
  if (asked || !pool.addresses.hasFamily(family)) return { refusal: { reason: 'FamilyMissing' } };
  const wanted: Asked = { families: [family], preference: 'None', isOpen: true };
  return offerOf(pool, request, wanted, ledger);
}

function takenOf(pool: Pool, families: readonly Family[], before: Part['addresses'], offer: Offer): Taken {
  if ('addresses' in offer) return { part: { pool, addresses: [...before, ...offer.addresses] } };
  return 'isPending' in offer ? { claim: { pool, families } } : undefined;
}
