/** What becomes of reservations and quotas: how much of them is used, and by whom. */

import type { IpAddress } from '../net/address.ts';
import type { Area } from './area.ts';
import type { Ledger } from './ledger.ts';

export interface ReservationUse {
  /** How many addresses those have whom it is for. */
  readonly held: number;
  /** The first few of its addresses that others have. */
  readonly heldByOthers: readonly { readonly address: IpAddress; readonly service: string }[];
  readonly othersCount: number;
}

/** How many distinct addresses count against one limit of a quota. */
export interface QuotaUse {
  /** Missing where the quota counts all that it includes together. */
  readonly namespace?: string;
  /** Missing where addresses of every pool count. */
  readonly pool?: string;
  readonly ipv4: number;
  readonly ipv6: number;
}

const FEW = 10;

/** @param key 'namespace/name' of the AddressReservation */
export function reservationUse(key: string, ledger: Ledger): ReservationUse {
  const { space, pools, standings } = ledger;
  const share = [...standings.shares.values()].flat().find(({ reservation }) => reservation.key === key)?.counter;
  const areas = pools.live
    .flatMap((pool) => space.areasOf(pool)?.reserved ?? [])
    .filter(({ reservation }) => reservation?.key === key);
  const uses = areas.flatMap((area) => [...space.heldIn(area)].map((address) => useOf(address, area, ledger)));
  const others = uses.filter(({ isMine }) => !isMine).map(({ address, service }) => ({ address, service }));
  // What they have of the pool of the share is counted by the share.
  const beside = uses.filter(({ isMine, pool }) => isMine && !share?.counts(pool));
  const ofShare = share ? share.used(4) + share.used(6) : 0;
  return { held: ofShare + beside.length, heldByOthers: others.slice(0, FEW), othersCount: others.length };
}

/** An address that somebody shares with whom it is reserved for is held by the latter. */
function useOf(address: IpAddress, area: Area, ledger: Ledger) {
  const holders = [...ledger.space.holdersOf(address)].map(({ request }) => request);
  const isMine = holders.some((request) => !request.isForeign && ledger.standingOf(request).reserved.includes(area));
  const [service = ''] = holders.map(({ key }) => key).sort();
  return { address, service, pool: area.pool.name, isMine };
}

/** @param key 'namespace/name' of the AddressQuota */
export function quotaUse(key: string, { standings }: Ledger): readonly QuotaUse[] {
  return [...standings.quotaCounters].flatMap(({ quota, namespace, counter }) => {
    const { pool } = counter.limit;
    const [ipv4, ipv6] = [counter.used(4), counter.used(6)];
    if (quota.key !== key || (ipv4 === 0 && ipv6 === 0)) return [];
    return { ...(namespace !== '' && { namespace }), ...(pool !== undefined && { pool }), ipv4, ipv6 };
  });
}
