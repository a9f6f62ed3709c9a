/** Which pools an advertisement covers. */

import type { LabelSelector } from '../../crds/object-meta.ts';
import { matches } from './label-selector.ts';
import type { Pool } from './pool.ts';
import { type MissingRef, missingAmong } from './refs.ts';

/** The part of an advertisement's spec that chooses pools. */
export interface PoolChoice {
  readonly ipAddressPools?: readonly string[] | undefined;
  readonly ipAddressPoolSelectors?: readonly LabelSelector[] | undefined;
}

const choosesAll = ({ ipAddressPools = [], ipAddressPoolSelectors = [] }: PoolChoice): boolean =>
  ipAddressPools.length === 0 && ipAddressPoolSelectors.length === 0;

/** The pools covered: without names and selectors every one, else the union of both. */
export function chosenPools(choice: PoolChoice, pools: readonly Pool[]): readonly Pool[] {
  if (choosesAll(choice)) return pools;
  const { ipAddressPools = [], ipAddressPoolSelectors = [] } = choice;
  return pools.filter(
    ({ name, labels }) =>
      ipAddressPools.includes(name) || ipAddressPoolSelectors.some((selector) => matches(selector, labels)),
  );
}

/** The pools that an advertisement covers now, for its status: `all`, or names. */
export function coverage(choice: PoolChoice, pools: readonly Pool[]): string {
  if (choosesAll(choice)) return 'all';
  return [...new Set(chosenPools(choice, pools).map(({ name }) => name))].sort().join(',');
}

/** The pools named that are not in force. */
export const missingPools = ({ ipAddressPools }: PoolChoice, pools: readonly Pool[]): readonly MissingRef[] =>
  missingAmong(ipAddressPools, (wanted) => pools.some(({ name }) => name === wanted), {
    reason: 'PoolNotFound',
    what: 'pool',
  });
