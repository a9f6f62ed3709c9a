/** What becomes of addresses that a Service let go of and nobody else has: they rest, and count as used. */

import type { Pool } from '../config/pool.ts';
import { compareIp, type IpAddress } from '../net/address.ts';
import type { Withholding } from './circumstances.ts';
import type { Holder } from './holding.ts';
import { type Ledger, poolKey } from './ledger.ts';
import type { ServiceRequest } from './service-request.ts';

/** An address that somebody had. */
export interface Departure {
  readonly address: IpAddress;
  /** 'namespace/name' of the Service that had it. */
  readonly service: string;
  /** Where it had it from, if that is known. */
  readonly pool?: Pool;
}

/** An address that began to rest. */
export interface RestedAddress extends Omit<Departure, 'pool'> {
  /** 'namespace/name' */
  readonly pool: string;
  readonly coolDownMs: number;
}

/** All that the Service has had; what it or others kept does not count. */
export const letGo = ({ key, held, isForeign }: ServiceRequest): readonly Departure[] =>
  isForeign ? [] : held.map((address) => ({ address, service: key }));

/** All that a Service of ours has, as if it let go of it. */
export const departuresOf = ({ request, holding }: Holder): readonly Departure[] =>
  (request.isForeign ? [] : (holding?.parts ?? [])).flatMap(({ pool, addresses }) =>
    addresses.map((address) => ({ address, service: request.key, pool })),
  );

/** Lets those rest that nobody has, in pools with a cool-down; in each case they were used last in `turn`. */
export function restAll(departures: readonly Departure[], turn: number, ledger: Ledger): readonly RestedAddress[] {
  const rested: RestedAddress[] = [];
  const inOrder = departures
    .filter(({ address }) => !ledger.space.isHeld(address))
    .sort((a, b) => compareIp(a.address, b.address) || (a.service < b.service ? -1 : 1));
  for (const { address, service } of inOrder) {
    const pool = ledger.space.areaOf(address)?.pool;
    if (!pool) continue;
    if (pool.spreadBy === 'leastRecentlyUsed') ledger.space.setTurn(address, turn);
    if (pool.coolDownMs === 0 || ledger.space.withholdingOf(address)) continue;
    ledger.withhold(address, restOf(service));
    rested.push({ address, service, pool: poolKey(pool), coolDownMs: pool.coolDownMs });
  }
  return rested;
}

/** Why an address is withheld that rests. */
export const restOf = (service: string): Withholding => ({
  reason: 'CoolingDown',
  message: `${service} let go of it, and it rests before somebody else gets it (spec.coolDown of the pool).`,
  service,
});
