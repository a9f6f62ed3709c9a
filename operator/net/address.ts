/** IPv4 and IPv6 addresses as numbers (RFC 791, RFC 4291), so that ranges are arithmetic; text as RFC 5952 writes it. */

export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** Bits in an address of each family. */
export const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

/** The address `text` means, or undefined. Strict: four decimal octets without leading zeros, or RFC 4291 2.2 without a zone. */
export function parseIp(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): IpAddress | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!/^(0|[1-9]\d{0,2})$/.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return { family: 4, value: BigInt(value) };
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (!head) return undefined;
  const groups = halves.length === 1 ? head : tail && expand(head, tail);
  if (groups?.length !== 8) return undefined;
  return { family: 6, value: groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n) };
}

/** `::` stands for at least one group of zeros (RFC 5952 4.2.2 writes it only for two, but one is readable). */
function expand(head: readonly number[], tail: readonly number[]): number[] | undefined {
  const missing = 8 - head.length - tail.length;
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const groups: number[] = [];
  for (const part of last.includes('.') ? parts.slice(0, -1) : parts) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    groups.push(Number.parseInt(part, 16));
  }
  if (!last.includes('.')) return groups;
  const embedded = parseIpv4(last); // RFC 4291 2.2 form 3: x:x:x:x:x:x:d.d.d.d
  if (!embedded) return undefined;
  return [...groups, Number(embedded.value >> 16n), Number(embedded.value & 0xffffn)];
}

/** The canonical text of an address: dotted quad, or RFC 5952 (lower case, the longest run of zeros shortened). */
export function formatIp({ family, value }: IpAddress): string {
  if (family === 4) return formatIpv4(Number(value));
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - 16 * at)) & 0xffffn));
  if (isIpv4Mapped(groups)) return `::ffff:${formatIp({ family: 4, value: value & 0xffff_ffffn })}`;
  const { start, length } = longestZeroRun(groups);
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups); // RFC 5952 4.2.2: one group is not shortened
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

const formatIpv4 = (value: number): string =>
  `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

/** RFC 5952 5: the well-known prefix ::ffff:0:0/96 shows its last 32 bits as IPv4. */
const isIpv4Mapped = (groups: readonly number[]): boolean =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [at, group] of groups.entries()) {
    if (group !== 0) start = at + 1;
    else if (at + 1 - start > best.length) best = { start, length: at + 1 - start };
  }
  return best;
}

/** Orders by family, then by value: the order in which a pool is filled. */
export function compareIp(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

/** The 4 or 16 octets of an address in network order. */
export function ipOctets({ family, value }: IpAddress): Uint8Array {
  const octets = new Uint8Array(ADDRESS_BITS[family] / 8);
  let rest = value;
  for (let at = octets.length - 1; at >= 0; at--) {
    octets[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return octets;
}

/**
 * The address that 4 or 16 octets in network order mean.
 *
 * @throws {RangeError} for any other length: the caller has read its packet wrongly
 */
export function ipFromOctets(octets: Uint8Array): IpAddress {
  if (octets.length !== 4 && octets.length !== 16)
    throw new RangeError(`an address has 4 or 16 octets, not ${octets.length}`);
  let value = 0n;
  for (const octet of octets) value = (value << 8n) | BigInt(octet);
  return { family: octets.length === 4 ? 4 : 6, value };
}
