/** Why each advertisement covers the addresses of a Service or does not. */

import { coversPool } from '../../advertising/coverage.ts';
import type { AnnouncedService, PoolInForce } from '../../advertising/snapshot.ts';
import { keyOf } from '../../cluster/objects.ts';
import type { L2Advertisement } from '../../config/advertisements.ts';
import { matchesAny } from '../../config/label-selector.ts';
import type { Decisions } from '../decisions.ts';
import type { ClusterSnapshot } from '../gather.ts';
import type { Detail } from './explanation.ts';
import { refusalOf } from './service-address.ts';

/** One line for each advertisement that is there, those that cover first. */
export function advertisementDetails(
  service: AnnouncedService,
  pool: PoolInForce | undefined,
  { l2Advertisements, bgpAdvertisements }: ClusterSnapshot,
  decisions: Decisions,
): readonly Detail[] {
  const inForce = new Map(decisions.l2Advertisements.map((one) => [`${one.namespace}/${one.name}`, one]));
  const l2 = l2Advertisements.map((object): Detail => {
    const subject = `l2advertisement ${object.metadata.name}`;
    const counting = inForce.get(keyOf(object));
    const refusal = refusalOf(object);
    if (!counting || refusal) return { subject, verdict: 'not in force', ...(refusal ?? NOT_LOOKED_AT) };
    return { subject, ...coverageOf(counting, pool, service) };
  });
  const bgp = bgpAdvertisements.map(
    ({ metadata }): Detail => ({
      subject: `bgpadvertisement ${metadata.name}`,
      verdict: 'not in force',
      reason: 'BackendMissing',
      message: 'this version does not advertise by BGP',
    }),
  );
  const isCovering = ({ verdict }: Detail): boolean => verdict === 'covers';
  const all = [...l2, ...bgp];
  return [...all.filter(isCovering), ...all.filter((detail) => !isCovering(detail))];
}

const NOT_LOOKED_AT = { reason: 'NotLookedAt', message: 'it is not in force' } as const;

function coverageOf(
  { pools, poolSelectors, serviceSelectors, interfaces }: L2Advertisement,
  advertisedPool: PoolInForce | undefined,
  service: AnnouncedService,
): Pick<Detail, 'verdict' | 'reason' | 'message'> {
  if (advertisedPool && !coversPool({ pools, poolSelectors } as L2Advertisement, advertisedPool))
    return {
      verdict: 'refused',
      reason: 'AdvertisementNotForPool',
      message:
        pools.length > 0
          ? `it names ${pools.length === 1 ? 'pool' : 'the pools'} ${pools.join(', ')}, not ${advertisedPool.name}`
          : `its ipAddressPoolSelectors do not match the labels of pool ${advertisedPool.name}: ${labelsOf(advertisedPool.labels)}`,
    };
  if (!matchesAny(serviceSelectors, service.labels))
    return {
      verdict: 'refused',
      reason: 'AdvertisementNotForService',
      message: `its serviceSelectors do not match the labels of the Service: ${labelsOf(service.labels)}`,
    };
  const where = interfaces.length === 0 ? 'every interface' : interfaces.join(', ');
  return { verdict: 'covers', message: `the address, on ${where}` };
}

const labelsOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ') || 'it has none';
