/**
 * With sticky ownership: the addresses that a node goes on answering for although another is first by the hash order. They are few as long
 * as no node was lost, and do not fit into one heartbeat when one was: each heartbeat carries one page.
 */

/** Which part of which set a heartbeat carries. */
export interface ClaimsPage {
  /** Another one for each set within an incarnation. */
  readonly revision: number;
  readonly page: number;
  /** 0: the set is empty. */
  readonly pages: number;
  /** `addressIdOf` the addresses. */
  readonly addresses: readonly number[];
}

/** What is known of the claims of one peer. */
export interface PeerClaims {
  readonly revision: number;
  readonly parts: ReadonlyMap<number, readonly number[]>;
  /** The last set of which every page arrived. */
  readonly complete: readonly number[] | undefined;
  /** Whether that is the set of `revision`. */
  readonly isUpToDate: boolean;
}

/** Our own. */
export interface OwnClaims {
  readonly revision: number;
  readonly addresses: readonly number[];
}

/** Beside 63 receipts and what was taken, a heartbeat then fits into one Ethernet frame. */
export const CLAIMS_PER_PAGE = 64;

/** The page whose turn it is, by the sequence of the heartbeat. */
export function pageFor({ revision, addresses }: OwnClaims, sequence: number): ClaimsPage {
  const pages = Math.ceil(addresses.length / CLAIMS_PER_PAGE);
  const page = pages === 0 ? 0 : sequence % pages;
  return { revision, page, pages, addresses: addresses.slice(page * CLAIMS_PER_PAGE, (page + 1) * CLAIMS_PER_PAGE) };
}

/** What is known after one more page. */
export function afterPage(known: PeerClaims | undefined, given: ClaimsPage): PeerClaims {
  if (given.pages === 0) return { revision: given.revision, parts: new Map(), complete: [], isUpToDate: true };
  const isSame = known?.revision === given.revision;
  if (isSame && known.parts.has(given.page)) return known;
  const parts = new Map(isSame ? known.parts : []).set(given.page, given.addresses);
  const isUpToDate = parts.size >= given.pages;
  const complete = isUpToDate ? [...parts.values()].flat() : known?.complete;
  return { revision: given.revision, parts, complete, isUpToDate };
}

/** Whether two sets differ, both undefined being equal. */
export const claimsDiffer = (a: PeerClaims | undefined, b: PeerClaims | undefined): boolean =>
  a?.complete !== b?.complete && String(a?.complete) !== String(b?.complete);
