/** Who announces which Service, as the operator and the speakers wrote it. */

import type { ClusterSnapshot } from '../gather.ts';
import { ageOf } from '../output.ts';

/** A node and what it announces. */
export interface Announcer {
  readonly node: string;
  /** Missing where only the node was written. */
  readonly address?: string;
  readonly protocol: 'l2' | 'bgp';
  /** Names; missing where they were not written, or are all. */
  readonly interfaces?: readonly string[];
  readonly since?: string;
}

type Reports = Pick<ClusterSnapshot, 'serviceAnnouncements' | 'serviceL2Statuses'>;

/** By `namespace/name`: from the ServiceAnnouncement of the Service, else from its ServiceL2Statuses. */
export function announcersByService({
  serviceAnnouncements,
  serviceL2Statuses,
}: Reports): ReadonlyMap<string, readonly Announcer[]> {
  const announcers = new Map<string, readonly Announcer[]>();
  for (const { status } of serviceL2Statuses) {
    if (!status?.node) continue;
    const key = `${status.serviceNamespace}/${status.serviceName}`;
    const interfaces = (status.interfaces ?? []).flatMap(({ name }) => name ?? []);
    const announcer = { node: status.node, protocol: 'l2' as const, ...(interfaces.length > 0 && { interfaces }) };
    announcers.set(key, [...(announcers.get(key) ?? []), announcer]);
  }
  for (const { metadata, announcers: written } of serviceAnnouncements) {
    const key = `${metadata.namespace}/${metadata.name}`;
    if (written.length === 0) continue;
    announcers.set(
      key,
      written.map(({ node, address, protocol, since }) => {
        const interfaces = announcers.get(key)?.find((one) => one.node === node)?.interfaces;
        return { node, address, protocol, ...(interfaces && { interfaces }), ...(since !== undefined && { since }) };
      }),
    );
  }
  return announcers;
}

/** `203.0.113.10 by node-b (l2 on eth0, for 41h)`. */
export function announcerInWords({ node, address, protocol, interfaces, since }: Announcer, now: Date): string {
  const where = interfaces === undefined ? protocol : `${protocol} on ${interfaces.join(', ')}`;
  const times = since === undefined ? '' : `, for ${ageOf(since, now)}`;
  return `${address === undefined ? '' : `${address} `}by ${node} (${where}${times})`;
}
