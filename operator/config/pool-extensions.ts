/** What pools have beyond MetalLB's fields: from a spec to the entry of the PoolSet, and from there to the pool in force. */

import type { IpAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import { POOL_EXTENSIONS, type SPREADS } from '../../crds/pool-extensions.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { type AddressRange, formatRange, overlaps, parseAddressOrRange, parseRange, without } from '../net/range.ts';
import { parseDurationMs } from './go-duration.ts';

/** Where the addresses of a pool are claimed from. */
export type AddressSource = NonNullable<PoolSetEntry['source']>;

/** The part of a pool in force that follows from these fields. */
export interface PoolExtensions {
  /** Keeps what it has given and gives nothing new. */
  readonly isDraining: boolean;
  /** How long a freed address rests; 0: not at all. */
  readonly coolDownMs: number;
  readonly spreadBy: (typeof SPREADS)[number];
  /** A sharing key joins Services of different namespaces. */
  readonly sharesAcrossNamespaces: boolean;
  /** The network is asked for an address before its first use. */
  readonly detectsDuplicates: boolean;
  /** Its addresses in `spec.externalIPs` of Services are announced. */
  readonly announcesExternalIPs: boolean;
  readonly source?: AddressSource;
}

export function poolExtensionsOf(entry: PoolSetEntry): PoolExtensions {
  const { source } = entry;
  return {
    isDraining: entry.drain === true,
    coolDownMs: Math.max(0, parseDurationMs(entry.coolDown ?? '0s') ?? 0),
    spreadBy: entry.spreadBy ?? 'none',
    sharesAcrossNamespaces: entry.shareAcrossNamespaces === true,
    detectsDuplicates: entry.duplicateAddressDetection === true,
    announcesExternalIPs: entry.externalIPs === true,
    ...(source && { source }),
  };
}

/** What says nothing beyond MetalLB: the hash of such a pool is that of one without the field. */
const isSaid = (value: unknown): boolean =>
  value !== undefined && value !== false && value !== 'none' && !(Array.isArray(value) && value.length === 0);

/** The fields of a spec, or of an entry, that say something. */
export function extensionsOf(
  spec: Pick<IpAddressPoolSpec | PoolSetEntry, (typeof POOL_EXTENSIONS)[number]>,
): Pick<PoolSetEntry, (typeof POOL_EXTENSIONS)[number]> {
  return Object.fromEntries(POOL_EXTENSIONS.map((name) => [name, spec[name]]).filter(([, value]) => isSaid(value)));
}

const rangesOf = (texts: readonly string[]): readonly AddressRange[] =>
  texts.map(parseAddressOrRange).filter((range) => typeof range !== 'string');

/** The ranges that a pool declares, whether a part of them is excluded or not. */
export const declaredRanges = ({ addresses }: Pick<PoolSetEntry, 'addresses'>): readonly AddressRange[] =>
  addresses.map(parseRange).filter((range) => typeof range !== 'string');

/** The ranges that a pool has, in the order of its spec. */
export function rangesInForce(entry: Pick<PoolSetEntry, 'addresses' | 'exclude'>): readonly AddressRange[] {
  const excluded = rangesOf(entry.exclude ?? []);
  return declaredRanges(entry).flatMap((range) => without(range, excluded));
}

/** What is wrong with the fields, as a sentence; the API server has checked their shape. */
export function extensionsProblem(spec: IpAddressPoolSpec): string | undefined {
  for (const text of spec.exclude ?? [])
    if (typeof parseAddressOrRange(text) === 'string')
      return `"${text}" in spec.exclude is neither an address, nor a CIDR, nor a range first-last.`;
  if ((spec.exclude?.length ?? 0) > 0 && rangesInForce(spec).length === 0)
    return 'spec.exclude takes every address of spec.addresses out.';
  const coolDownMs = spec.coolDown === undefined ? 0 : parseDurationMs(spec.coolDown);
  if (coolDownMs === undefined || coolDownMs < 0) return `spec.coolDown "${spec.coolDown}" is no duration like 30s.`;
  return undefined;
}

/** A sentence about entries of `exclude` that take nothing out, or undefined. */
export function idleExclusions(entry: Pick<PoolSetEntry, 'addresses' | 'exclude'>): string | undefined {
  const declared = declaredRanges(entry);
  const idle = rangesOf(entry.exclude ?? []).filter((range) => !declared.some((one) => overlaps(one, range)));
  if (idle.length === 0) return undefined;
  return `spec.exclude has ${idle.map(formatRange).join(', ')}, and the pool has no address of that.`;
}
