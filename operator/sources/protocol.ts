/** The words of the protocol of docs/address-sources.md as they go over the wire, and their limits. */

import * as z from 'zod';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import type { ClaimRequest, GrantedClaim } from './address-source.ts';

/** How many claims one page of a list may have, at most. */
export const PAGE_SIZE = 500;
/** An answer may have this many octets: a page of claims needs about a quarter of it. */
export const MAX_ANSWER_OCTETS = 1024 * 1024;
/** Of what a source says in its own words, this many characters are shown. */
export const MAX_MESSAGE = 256;

const FAMILY_NAMES = { 4: 'IPv4', 6: 'IPv6' } as const;

const address = z.string().max(64);
const text = z.string().max(512);

const claimed = z.object({ address });

const listedClaim = z.object({
  id: text,
  cluster: text,
  pool: text,
  family: z.enum(['IPv4', 'IPv6']),
  address,
  service: z.object({ namespace: text, name: text, uid: text }),
});
const page = z.object({ claims: z.array(listedClaim).max(10_000), next: z.string().max(2_048).optional() });

const refusal = z.object({ reason: text.optional(), message: z.string().optional(), order: text.optional() });

/** What a claim sends. */
export const claimBody = ({ family, address: wanted, id: _id, ...rest }: ClaimRequest): object => ({
  ...rest,
  family: FAMILY_NAMES[family],
  ...(wanted && { address: formatIp(wanted) }),
});

/** The address that was given; undefined for what is no answer to a claim. */
export function readClaimed(body: unknown): IpAddress | undefined {
  const { data } = claimed.safeParse(body);
  return data && parseIp(data.address);
}

/** One page of a list; undefined for what is none. A claim whose address cannot be read makes the whole page unreadable. */
export function readPage(
  body: unknown,
): { readonly claims: readonly GrantedClaim[]; readonly next?: string } | undefined {
  const { data } = page.safeParse(body);
  if (!data) return undefined;
  const claims = data.claims.flatMap(({ family, address: given, ...rest }): GrantedClaim[] => {
    const parsed = parseIp(given);
    return parsed ? [{ ...rest, family: family === 'IPv4' ? 4 : 6, address: parsed }] : [];
  });
  if (claims.length !== data.claims.length) return undefined;
  return { claims, ...(data.next && { next: data.next }) };
}

/** What a source says beside a status of 4xx or 5xx: one line of bounded length, whatever it sent. */
export function readRefusal(body: unknown): { readonly reason?: string; readonly message: string; order?: string } {
  const { data } = refusal.safeParse(body);
  if (!data) return { message: '' };
  const { reason, message = '', order } = data;
  return { ...(reason && { reason }), message: plain(message), ...(order && { order }) };
}

/** Without control characters, which would be of use only to mislead whoever reads it. */
function plain(words: string): string {
  const line = words.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE - 1)}…` : line;
}
