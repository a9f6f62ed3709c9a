/** What decides about addresses beside pools and Services. */

import type { Quota } from '../config/quota.ts';
import type { Reservation } from '../config/reservation.ts';
import type { IpAddress } from '../net/address.ts';

/** Why an address is given to nobody for a while, though nobody holds it. */
export interface Withholding {
  /** `AddressConflicts` takes it from its holders too; the others leave it to who has it. */
  readonly reason: 'CoolingDown' | 'AddressConflicts' | 'AddressInUse';
  /** A sentence. */
  readonly message: string;
  /** Of an address that rests: whose it was, 'namespace/name'. That very Service may have it again at once. */
  readonly service?: string;
}

export interface WithheldAddress extends Withholding {
  readonly address: IpAddress;
}

/** When addresses were let go of, for pools that give the one first that has been unused for longest. */
export interface ReleasedAddress {
  readonly address: IpAddress;
  /** Counts up; what was let go of together has the same. */
  readonly turn: number;
}

/** What an external source answered to a claim. */
export type ClaimAnswer = { readonly addresses: readonly IpAddress[] } | { readonly refusal: string };

export interface AnsweredClaim {
  /** 'namespace/name' of the pool. */
  readonly pool: string;
  /** 'namespace/name' of the Service. */
  readonly service: string;
  readonly answer: ClaimAnswer;
}

export interface Circumstances {
  /** The oldest first. */
  readonly reservations: readonly Reservation[];
  readonly quotas: readonly Quota[];
  readonly withheld: readonly WithheldAddress[];
  readonly released: readonly ReleasedAddress[];
  readonly claims: readonly AnsweredClaim[];
}

export const NO_CIRCUMSTANCES: Circumstances = {
  reservations: [],
  quotas: [],
  withheld: [],
  released: [],
  claims: [],
};

/** How a claim on an external source is filed: one per pool and Service. */
export const claimKey = (pool: string, service: string): string => `${pool} ${service}`;
