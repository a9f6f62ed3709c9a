/** Configuration as it is decided, and verdicts in words, for tests: each shows only what matters. */

import { type ConfigObjects, type ResolvedConfig, resolveConfig } from '../operator/config/resolve-config.ts';
import { NO_SURROUNDINGS } from '../operator/config/surroundings.ts';

/** Nothing but what is given, in a cluster of which nothing is known. */
export const resolve = (objects: Partial<ConfigObjects>): ResolvedConfig =>
  resolveConfig({
    ownNamespace: 'herald-system',
    configNamespaces: ['herald-system', 'metallb-system'],
    pools: [],
    inForce: [],
    heldAddresses: [],
    l2Advertisements: [],
    bgpAdvertisements: [],
    bgpPeers: [],
    bfdProfiles: [],
    communities: [],
    reservations: [],
    quotas: [],
    namespaces: [],
    surroundings: NO_SURROUNDINGS,
    ...objects,
  });

/** By name: the summary, and the abnormal. */
export function verdictWords({ verdicts }: Pick<ResolvedConfig, 'verdicts'>): Record<string, string> {
  const words = [...verdicts].map(([ref, { conditions }]) => {
    const ready = conditions.find(({ type }) => type === 'Ready');
    const marks = conditions.filter(({ type }) => type === 'Stalled' || type === 'Reconciling');
    return [ref.split('/').at(-1), [`${ready?.status} ${ready?.reason}`, ...marks.map(({ type }) => type)].join(' ')];
  });
  return Object.fromEntries(words);
}

/** The condition of a type of the object of this name, as `status reason: message`; undefined where it has none. */
export function conditionWords(
  { verdicts }: Pick<ResolvedConfig, 'verdicts'>,
  name: string,
  type: string,
): string | undefined {
  const [, verdict] = [...verdicts].find(([ref]) => ref.endsWith(`/${name}`)) ?? [];
  const condition = verdict?.conditions.find((one) => one.type === type);
  return condition && `${condition.status} ${condition.reason}: ${condition.message}`;
}
