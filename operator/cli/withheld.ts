/** What nobody gets although nobody holds it, as the operator has stored it: addresses that rest, and external IPs. */

import { POOL_SET_NAME } from '../../crds/pool-set.ts';
import type { WithheldAddress } from '../allocator/circumstances.ts';
import { restOf } from '../allocator/rest.ts';
import { parseIp } from '../net/address.ts';
import type { ClusterSnapshot } from './gather.ts';

export function withheldIn({
  poolSets,
  installation,
  takenAt,
}: Pick<ClusterSnapshot, 'poolSets' | 'installation' | 'takenAt'>): readonly WithheldAddress[] {
  const isOurs = ({ metadata: m }: (typeof poolSets)[number]): boolean =>
    m.namespace === installation.namespace && m.name === POOL_SET_NAME;
  const { resting = [], externalIPs = [] } = poolSets.find(isOurs) ?? {};
  const rests = resting.filter(({ until }) => Date.parse(until) > takenAt.getTime());
  return [
    ...rests.map(({ address, service }) => ({ text: address, ...restOf(service) })),
    ...externalIPs.map(({ address, service }) => ({
      text: address,
      reason: 'AddressInUse' as const,
      message: `${address} is an external IP of ${service}.`,
    })),
  ].flatMap(({ text, ...why }) => {
    const address = parseIp(text);
    return address ? [{ address, ...why }] : [];
  });
}
