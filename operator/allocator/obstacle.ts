/** Why a pool does not give a Service an address: for one address by name, and for whatever is free. */

import type { ReasonOf } from '../../crds/reasons.ts';
import type { Pool } from '../config/pool.ts';
import { sharingConflict } from '../config/sharing.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import type { Area } from './area.ts';
import { type Ledger, termsOf } from './ledger.ts';
import type { Family, ServiceRequest } from './service-request.ts';
import type { QuotaCounter } from './standing.ts';

export interface Refusal {
  readonly reason: ReasonOf<'rejections'>;
  /** The sentence of the reason where it is missing. */
  readonly message?: string;
}

/** The first quota that one more address of the pool would break; `address` may be counted already, because others share it. */
export function quotaRefusal(
  request: ServiceRequest,
  { name }: Pool,
  family: Family,
  ledger: Ledger,
  address?: IpAddress,
): Refusal | undefined {
  const { quotas } = ledger.standingOf(request);
  const full = quotas.find(
    ({ counter }) => counter.counts(name) && counter.isFull(family) && !(address && counter.has(address)),
  );
  return full && { reason: 'QuotaExceeded', message: quotaWords(full, family) };
}

function quotaWords({ quota, namespace, counter }: QuotaCounter, family: Family): string {
  const { pool } = counter.limit;
  const whose = namespace === '' ? 'its Services together' : `namespace ${namespace}`;
  const from = pool === undefined ? '' : ` of pool ${pool}`;
  return `AddressQuota ${quota.key} allows ${whose} ${counter.limitOf(family)} IPv${family} addresses${from}.`;
}

/** Whether what is free of the pool is kept, as a share, for others than the Service. */
export function shareRefusal(request: ServiceRequest, area: Area, family: Family, ledger: Ledger): Refusal | undefined {
  const shares = ledger.sharesOf(area.pool);
  if (shares.length === 0 || area.reservation) return undefined;
  const mine = ledger.standingOf(request).shares;
  const others = shares.filter((share) => !mine.includes(share) && share.counter.unused(family) > 0);
  const kept = others.reduce((sum, { counter }) => sum + counter.unused(family), 0);
  if (kept === 0 || area.freeCount(family) > kept) return undefined;
  const names = others.map(({ reservation }) => reservation.key).join(' and ');
  return { reason: 'AddressReserved', message: `What is left of the pool is reserved by AddressReservation ${names}.` };
}

/** Why the Service may not have this very address of the pool, which has it; undefined where it may. */
export function obstacleOf(
  address: IpAddress,
  request: ServiceRequest,
  pool: Pool,
  ledger: Ledger,
): Refusal | undefined {
  const { space } = ledger;
  const text = formatIp(address);
  const why = space.withholdingOf(address);
  const isOwnRest = why?.reason === 'CoolingDown' && why.service === request.key;
  if (why && !isOwnRest) return { reason: why.reason, message: why.message };
  const area = space.areaOf(address);
  if (area?.reservation && !ledger.standingOf(request).reserved.includes(area))
    return { reason: 'AddressReserved', message: `${text} is reserved by AddressReservation ${area.reservation.key}.` };
  const inUse = inUseWords(address, request, pool, ledger);
  if (inUse !== undefined) return { reason: 'AddressInUse', message: inUse };
  const quota = quotaRefusal(request, pool, address.family, ledger, address);
  if (quota) return quota;
  if (!area || isOwnRest || space.isHeld(address)) return undefined;
  return shareRefusal(request, area, address.family, ledger);
}

/** In the words of MetalLB, which people search for. */
function inUseWords(address: IpAddress, request: ServiceRequest, pool: Pool, ledger: Ledger): string | undefined {
  const [first] = ledger
    .obstructorsOf(address, request, pool)
    .map((holder) => holder.request)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (!first) return undefined;
  const text = `${formatIp(address)} is held by ${first.key}`;
  if (first.isForeign) return `${text}.`;
  const conflict = sharingConflict(termsOf(request), termsOf(first), pool);
  return `${text}: ${conflict?.message}.`;
}
