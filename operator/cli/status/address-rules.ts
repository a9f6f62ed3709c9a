/** Reservations and quotas at a glance, from what the operator wrote about them. */

import type { AddressQuota, QuotaUse } from '../../../crds/address-quota.ts';
import type { AddressReservation } from '../../../crds/address-reservation.ts';
import { readiness } from './readiness.ts';
import type { LimitReport, QuotaReport, ReservationReport } from './report.ts';

const FAMILIES = [
  ['ipv4', 'IPv4'],
  ['ipv6', 'IPv6'],
] as const;

export function reservationReport(object: AddressReservation): ReservationReport {
  const { held = 0, heldByOthers = 0 } = object.status ?? {};
  return {
    name: object.metadata.name,
    ...readiness(object),
    keeps: keptBy(object.spec),
    whose: whoseOf(object.spec),
    held,
    heldByOthers,
  };
}

function keptBy({ addresses = [], share }: AddressReservation['spec']): string {
  const shares = FAMILIES.flatMap(([family, name]) => (share?.[family] ? [`${share[family]} ${name}`] : []));
  return [...addresses, ...(share ? [`${shares.join(' and ')} of pool ${share.pool}`] : [])].join(', ');
}

function whoseOf({ for: who }: AddressReservation['spec']): string {
  const { namespace, name, namespaceSelector, serviceSelector } = who;
  if (namespace !== undefined && name !== undefined) return `${namespace}/${name}`;
  const words = [
    ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
    ...(namespaceSelector ? ['namespaces by labels'] : []),
    ...(serviceSelector ? ['Services by labels'] : []),
  ];
  return words.join(', ');
}

export function quotaReport(object: AddressQuota): QuotaReport {
  const limits = (object.status?.used ?? []).flatMap((use) => limitsOf(use, object));
  return { name: object.metadata.name, ...readiness(object), limits };
}

function limitsOf(use: QuotaUse, { spec }: AddressQuota): readonly LimitReport[] {
  const { namespace, pool } = use;
  const limit = spec.limits.find((one) => one.pool === pool);
  return FAMILIES.flatMap(([family, name]) => {
    const [used, most] = [use[family], limit?.[family]];
    if (used === undefined || most === undefined) return [];
    return [
      {
        family: name,
        used,
        limit: most,
        ...(namespace !== undefined && { namespace }),
        ...(pool !== undefined && { pool }),
      },
    ];
  });
}
