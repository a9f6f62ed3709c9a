/** Ranges of addresses as pools write them: a CIDR (RFC 4632) or `first-last`, both ends included. */

import { ADDRESS_BITS, compareIp, formatIp, type IpAddress, parseIp } from './address.ts';

/** Both ends included; both of one family; first <= last. */
export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

/** Why a text is not a range. */
export type RangeProblem = 'NotAnAddress' | 'MixedFamilies' | 'Descending' | 'BadPrefixLength';

/** The range `text` means: a CIDR, whose host bits are masked as MetalLB does, or `first-last`; blanks around the parts are ignored. */
export function parseRange(text: string): AddressRange | RangeProblem {
  const trimmed = text.trim();
  if (trimmed.includes('/')) return parseCidr(trimmed);
  const ends = trimmed.split('-').map((end) => parseIp(end.trim()));
  const [first, last] = ends;
  if (ends.length !== 2 || !first || !last) return 'NotAnAddress';
  if (first.family !== last.family) return 'MixedFamilies';
  return compareIp(first, last) > 0 ? 'Descending' : { first, last };
}

/** The same where a single address will do too. */
export function parseAddressOrRange(text: string): AddressRange | RangeProblem {
  const address = parseIp(text.trim());
  return address ? { first: address, last: address } : parseRange(text);
}

function parseCidr(text: string): AddressRange | RangeProblem {
  const [addressText = '', lengthText = '', ...rest] = text.split('/');
  const address = parseIp(addressText.trim());
  if (!address || rest.length > 0) return 'NotAnAddress';
  const bits = ADDRESS_BITS[address.family];
  if (!/^\d{1,3}$/.test(lengthText) || Number(lengthText) > bits) return 'BadPrefixLength';
  const hostMask = (1n << BigInt(bits - Number(lengthText))) - 1n;
  const first = address.value & ~hostMask;
  return { first: { family: address.family, value: first }, last: { family: address.family, value: first | hostMask } };
}

/** The CIDR that `range` is exactly, else `first-last`. */
export function formatRange(range: AddressRange): string {
  const { first, last } = range;
  const size = sizeOf(range);
  const isPrefix = (size & (size - 1n)) === 0n && (first.value & (size - 1n)) === 0n;
  if (!isPrefix) return `${formatIp(first)}-${formatIp(last)}`;
  return `${formatIp(first)}/${ADDRESS_BITS[first.family] - (size.toString(2).length - 1)}`;
}

/** Whether `address` lies in `range`. */
export const contains = ({ first, last }: AddressRange, address: IpAddress): boolean =>
  first.family === address.family && first.value <= address.value && address.value <= last.value;

/** Whether some address lies in both. */
export const overlaps = (a: AddressRange, b: AddressRange): boolean =>
  a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value;

/** What is left of `range` without the addresses of `taken`, ascending. */
export function without(range: AddressRange, taken: readonly AddressRange[]): readonly AddressRange[] {
  let left: readonly AddressRange[] = [range];
  for (const hole of taken) left = left.flatMap((part) => (overlaps(part, hole) ? partsBeside(part, hole) : [part]));
  return left;
}

function partsBeside({ first, last }: AddressRange, hole: AddressRange): readonly AddressRange[] {
  const { family } = first;
  const below = { first, last: { family, value: hole.first.value - 1n } };
  const above = { first: { family, value: hole.last.value + 1n }, last };
  return [below, above].filter((part) => part.first.value <= part.last.value);
}

/** How many addresses `range` holds; a bigint, because an IPv6 range outgrows a number. */
export const sizeOf = ({ first, last }: AddressRange): bigint => last.value - first.value + 1n;

/** The length of the shortest prefix that lies wholly in `range`: 24 for 192.0.2.0/24, 25 for 192.0.2.64-192.0.2.255. */
export function prefixLengthOf({ first, last }: AddressRange): number {
  const bits = ADDRESS_BITS[first.family];
  for (let length = 0; length < bits; length++) {
    const size = 1n << BigInt(bits - length);
    // The first address at or after `first` that a prefix of this length can begin with.
    const start = ((first.value + size - 1n) / size) * size;
    if (start + size - 1n <= last.value) return length;
  }
  return bits;
}
