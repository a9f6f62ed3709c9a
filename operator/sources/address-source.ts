/** The port of external address sources: whoever gives addresses that Herald does not choose itself. */

import type { IpAddress } from '../net/address.ts';

/** One address of one Service, before it is known which. */
export interface Claim {
  /** Unique among all clusters, and the same whoever asks: the source answers a repeated claim with what it gave. */
  readonly id: string;
  /** The uid of the namespace kube-system. */
  readonly cluster: string;
  /** 'namespace/name' */
  readonly pool: string;
  readonly family: IpAddress['family'];
  readonly service: { readonly namespace: string; readonly name: string; readonly uid: string };
}

export interface ClaimRequest extends Claim {
  readonly order: Order;
  /** What the pool may give of this family: CIDRs and first-last ranges. */
  readonly within: readonly string[];
  /** Only this very address will do. */
  readonly address?: IpAddress | undefined;
}

/** A claim that the source holds for us. */
export interface GrantedClaim extends Claim {
  readonly address: IpAddress;
}

/**
 * Greater as text is later. A source ignores a claim or a release with a lesser order than the last one of that id, so
 * that a request which was on its way for long, perhaps from a leader of the past, undoes nothing.
 */
export type Order = string;

export type ClaimAnswer =
  | { readonly outcome: 'Granted'; readonly address: IpAddress }
  /** For good, until something changes; `message` has the source's own words. */
  | { readonly outcome: 'Refused'; readonly message: string };

/** Every call may be repeated, whatever became of the one before it. */
export interface AddressSource {
  /** @throws {SourceError} */
  claim(request: ClaimRequest, signal: AbortSignal): Promise<ClaimAnswer>;
  /** Gives back what the id has; nothing is as good. @throws {SourceError} */
  release(id: string, order: Order, signal: AbortSignal): Promise<void>;
  /** Every claim of a cluster, of all its pools. @throws {SourceError} */
  list(cluster: string, signal: AbortSignal): Promise<readonly GrantedClaim[]>;
  close(): void;
}

/** Why a source could not be used; nothing is known about what it did. */
export type SourceFailure =
  /** No connection, or it broke. */
  | 'Unreachable'
  /** No answer in time. */
  | 'Timeout'
  /** 401 or 403. */
  | 'Unauthorized'
  /** 429 or 5xx. */
  | 'Failed'
  /** An answer that the protocol does not know, or too long a one. */
  | 'BadAnswer'
  /** The Secret with the token or the CA is missing or of no use. */
  | 'BadSecret'
  /** The order was too low. */
  | 'Outdated';

export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly reason: SourceFailure;
  /** What the source asks for by Retry-After. */
  readonly retryAfterMs: number | undefined;
  /** Where the reason is Outdated: the order to exceed. */
  readonly order: Order | undefined;

  /** @param message a sentence without its full stop and without any secret */
  constructor(
    reason: SourceFailure,
    message: string,
    more: { readonly retryAfterMs?: number | undefined; readonly order?: Order | undefined } = {},
  ) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = more.retryAfterMs;
    this.order = more.order;
  }
}
