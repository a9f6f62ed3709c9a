/** Who announces which Service, as the operator and the speakers wrote it. */

import { serviceConditions } from '../../../crds/annotations.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { keyOf, type Service } from '../../cluster/objects.ts';
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

type Reports = Pick<ClusterSnapshot, 'services' | 'serviceAnnouncements' | 'serviceL2Statuses'>;

/**
 * By `namespace/name`: from the ServiceAnnouncement of the Service, else from its ServiceL2Status.
 *
 * The operator fills names in lazily, a speaker writes its ServiceL2Status within a second or two: where the two name
 * other nodes, an owner has moved and the speaker knows it. A speaker that owns an address and can answer for it
 * nowhere writes one too, so a Service that the operator calls not announced is left out.
 */
export function announcersByService(reports: Reports): ReadonlyMap<string, readonly Announcer[]> {
  const announcers = new Map(byL2Status(reports));
  for (const { metadata, announcers: written } of reports.serviceAnnouncements) {
    const key = `${metadata.namespace}/${metadata.name}`;
    const speakers = announcers.get(key) ?? [];
    const isOver = speakers.length > 0 && !written.some(({ node }) => speakers.some((one) => one.node === node));
    if (written.length === 0 || isOver) continue;
    announcers.set(
      key,
      written.map(({ node, address, protocol, since }) => {
        const interfaces = speakers.find((one) => one.node === node)?.interfaces;
        return { node, address, protocol, ...(interfaces && { interfaces }), ...(since !== undefined && { since }) };
      }),
    );
  }
  for (const service of reports.services) if (isToldNotAnnounced(service)) announcers.delete(keyOf(service));
  return announcers;
}

function byL2Status({ serviceL2Statuses }: Reports): ReadonlyMap<string, readonly Announcer[]> {
  const announcers = new Map<string, readonly Announcer[]>();
  for (const { status } of serviceL2Statuses) {
    if (!status?.node) continue;
    const key = `${status.serviceNamespace}/${status.serviceName}`;
    const interfaces = (status.interfaces ?? []).flatMap(({ name }) => name ?? []);
    const announcer = { node: status.node, protocol: 'l2' as const, ...(interfaces.length > 0 && { interfaces }) };
    announcers.set(key, [...(announcers.get(key) ?? []), announcer]);
  }
  return announcers;
}

const isToldNotAnnounced = ({ status }: Service): boolean =>
  conditionOf(status?.conditions, serviceConditions.announced)?.status === 'False';

/** `203.0.113.10 by node-b (l2 on eth0, for 41h)`. */
export function announcerInWords({ node, address, protocol, interfaces, since }: Announcer, now: Date): string {
  const where = interfaces === undefined ? protocol : `${protocol} on ${interfaces.join(', ')}`;
  const times = since === undefined ? '' : `, for ${ageOf(since, now)}`;
  return `${address === undefined ? '' : `${address} `}by ${node} (${where}${times})`;
}
