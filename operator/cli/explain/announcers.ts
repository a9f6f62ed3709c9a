/** Who announces a Service, as the operator and the speakers wrote it. */

import { splitKey } from '../../cluster/objects.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';

/** A node and what it announces. */
export interface Announcer {
  readonly node: string;
  /** Missing where only the node was written. */
  readonly address?: string;
  /** `l2` or `bgp`, and on which interfaces. */
  readonly how: string;
  readonly since?: string;
}

/** From the ServiceAnnouncement, else from the ServiceL2Status of the Service. */
export function announcersOf(key: string, snapshot: ClusterSnapshot): readonly Announcer[] {
  const { namespace, name } = splitKey(key);
  const statuses = snapshot.serviceL2Statuses.filter(
    ({ status }) => status?.serviceName === name && status?.serviceNamespace === namespace && status?.node,
  );
  const announcement = snapshot.serviceAnnouncements.find(
    ({ metadata: m }) => m.name === name && m.namespace === namespace,
  );
  if (announcement && announcement.announcers.length > 0)
    return announcement.announcers.map(({ node, address, protocol, since }) => ({
      node,
      address,
      how: protocol,
      ...(since !== undefined && { since }),
    }));
  return statuses.map(({ status }) => {
    const interfaces = (status?.interfaces ?? []).flatMap((one) => one.name ?? []);
    return { node: status?.node ?? '', how: interfaces.length === 0 ? 'l2' : `l2 on ${interfaces.join(', ')}` };
  });
}

/** `203.0.113.10 by node-b (l2, for 41h)`. */
export function announcerInWords({ node, address, how, since }: Announcer, now: Date): string {
  const times = since === undefined ? '' : `, for ${ageOf(since, now)}`;
  return `${address === undefined ? '' : `${address} `}by ${node} (${how}${times})`;
}
