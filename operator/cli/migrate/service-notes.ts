/** What a takeover would do to the addresses that Services have: said before anything is changed. */

import { type IpAddress, parseIp } from '../../net/address.ts';
import { type AddressRange, contains, parseRange } from '../../net/range.ts';
import type { MigrationState, ServiceState, StoredObject } from './state.ts';

/** Sentences without a full stop, for Services of which an address may not stay. */
export function serviceNotes({ services, ipAddressPools = [], addressPools = [] }: MigrationState): string[] {
  const ranges = [...ipAddressPools, ...addressPools].flatMap(rangesOf);
  return [...sharedNotes(services), ...services.flatMap((service) => strayNotes(service, ranges))];
}

/** A sharing key works within a namespace, unless the pool says more; see docs/differences-from-metallb.md. */
function sharedNotes(services: readonly ServiceState[]): string[] {
  const byAddress = new Map<string, string[]>();
  for (const { key, addresses } of services)
    for (const address of addresses) byAddress.set(address, [...(byAddress.get(address) ?? []), key]);
  return [...byAddress]
    .filter(([, holders]) => new Set(holders.map(namespaceOf)).size > 1)
    .map(
      ([address, holders]) =>
        `Services ${holders.join(', ')} of different namespaces share ${address}: give its pool shareAcrossNamespaces: true once Herald's definitions are there, or the oldest keeps it with those of its namespace, and the others get another one or none`,
    );
}

const namespaceOf = (key: string): string => key.split('/')[0] ?? '';

function strayNotes({ key, addresses }: ServiceState, ranges: readonly AddressRange[]): string[] {
  return addresses
    .filter((address) => !isIn(parseIp(address), ranges))
    .map(
      (address) =>
        `Service ${key} has ${address}, which no pool holds: add it to a pool, or Herald does not announce it`,
    );
}

const isIn = (address: IpAddress | undefined, ranges: readonly AddressRange[]): boolean =>
  address !== undefined && ranges.some((range) => contains(range, address));

function rangesOf({ spec }: StoredObject): AddressRange[] {
  const entries = spec?.['addresses'];
  if (!Array.isArray(entries)) return [];
  return entries.map((entry) => parseRange(String(entry))).filter((range) => typeof range !== 'string');
}
