/** Which addresses of the docker network are free for pools: the upper half, less the hosts' own and a margin. */
import { compareIp, formatIp, type IpAddress, parseIp } from '../../operator/net/address.ts';

/** How many addresses at the top are kept for the lab's own hosts. */
const KEPT_AT_TOP = 64n;
/** More than this nobody needs, and an IPv6 network has far more. */
const MOST = 1n << 15n;

/** One free range, first and last address inclusive. */
export interface FreeRange {
  readonly first: string;
  readonly last: string;
}

/**
 * The free range of a network such as `172.18.0.0/16`.
 * @throws Error when the text is no network, or one of the taken addresses is inside
 */
export function freeRange(network: string, taken: readonly string[]): FreeRange {
  const { base, size } = parseNetwork(network);
  const half = size / 2n;
  const count = half - KEPT_AT_TOP < MOST ? half - KEPT_AT_TOP : MOST - KEPT_AT_TOP;
  if (count < 16n) throw new Error(`${network} is too small for pools`);
  // IPv4 networks are small and handed out from below: their upper half. IPv6 ones are vast: an offset that no one reaches.
  const offset = half < MOST ? half : MOST;
  const first: IpAddress = { family: base.family, value: base.value + offset };
  const last: IpAddress = { family: base.family, value: first.value + count - 1n };
  const inside = taken.find((text) => isBetween(parseIp(text), first, last));
  if (inside) throw new Error(`${inside} is taken, in the part of ${network} that is meant for pools`);
  return { first: formatIp(first), last: formatIp(last) };
}

/** The address of the lab's own host number `index` (from 0): right above the free range. */
export function hostAddress(network: string, index: number): string {
  const { base } = parseNetwork(network);
  const last = parseIp(freeRange(network, []).last);
  if (last === undefined || index < 0 || index >= 32) throw new Error(`no place for host ${index} in ${network}`);
  return formatIp({ family: base.family, value: last.value + 1n + BigInt(index) });
}

function parseNetwork(network: string): { base: IpAddress; size: bigint } {
  const [text = '', length = ''] = network.split('/');
  const address = parseIp(text);
  const bits = address?.family === 4 ? 32 : 128;
  if (address === undefined || !/^\d{1,3}$/.test(length) || Number(length) > bits)
    throw new Error(`${network} is no network`);
  const size = 1n << BigInt(bits - Number(length));
  return { base: { family: address.family, value: address.value - (address.value % size) }, size };
}

function isBetween(address: IpAddress | undefined, first: IpAddress, last: IpAddress): boolean {
  return (
    address !== undefined &&
    address.family === first.family &&
    compareIp(address, first) >= 0 &&
    compareIp(address, last) <= 0
  );
}
