/** Builders of pools and requests for tests of deciding: each shows only what matters. */

import fc from 'fast-check';
import type { PoolSetEntry } from '../crds/pool-set.ts';
import type { Decision } from '../operator/allocator/decision.ts';
import type { Family, ServiceRequest } from '../operator/allocator/service-request.ts';
import { type Pool, poolOf } from '../operator/config/pool.ts';
import { formatIp, type IpAddress, parseIp } from '../operator/net/address.ts';

/** The address of a text that is one. */
export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (!address) throw new Error(`${text} is not an address`);
  return address;
}

/** Pool `a` has 192.0.2.0 up, `b` 192.0.3.0 up, and so on; four addresses each unless told. */
export function pool(name: string, more: Partial<PoolSetEntry> & { size?: number; sizeV6?: number } = {}): Pool {
  const { size = 4, sizeV6 = 0, ...entry } = more;
  const third = 2 + name.charCodeAt(0) - 'a'.charCodeAt(0);
  const addresses = [
    ...(size > 0 ? [`192.0.${third}.0-192.0.${third}.${size - 1}`] : []),
    ...(sizeV6 > 0 ? [`2001:db8:${third}::-2001:db8:${third}::${(sizeV6 - 1).toString(16)}`] : []),
  ];
  return poolOf(
    {
      namespace: 'herald-system',
      name,
      generation: 1,
      hash: '',
      addresses,
      autoAssign: true,
      avoidBuggyIPs: false,
      ...entry,
    },
    [],
  );
}

/** A single-stack IPv4 Service in namespace `default`, born on the first of January. */
export function request(
  name: string,
  { held = [], families = [4], ...more }: Partial<Omit<ServiceRequest, 'held'>> & { held?: readonly string[] } = {},
): ServiceRequest {
  return {
    key: `default/${name}`,
    namespace: 'default',
    name,
    createdAt: '2026-01-01T00:00:00Z',
    families,
    isOneFamilyEnough: false,
    held: held.map(ip),
    ...more,
  };
}

/** A decision on one line. */
export function inWords(decision: Decision): string {
  if (decision.outcome === 'Unassigned')
    return [decision.reason, ...decision.rejections.map(({ pool, reason }) => `${pool}: ${reason}`)].join(', ');
  const partly = decision.reason === 'Assigned' ? '' : ` (${decision.reason})`;
  return `${decision.addresses.map(formatIp).join('+')} from ${decision.pools.join(',')}${partly}`;
}

/** A plan as names and lines, in order. */
export const planInWords = (plan: ReadonlyMap<string, Decision>): Record<string, string> =>
  Object.fromEntries(
    [...plan].map(([key, decision]) => [key.slice('default/'.length), inWords(decision)] as const).sort(),
  );

const someFamilies = fc.constantFrom<readonly Family[]>([4], [4], [6], [4, 6], [6, 4]);
/** Addresses in and around the pools of `somePools`. */
export const someAddress = (family: Family): fc.Arbitrary<IpAddress> =>
  fc
    .tuple(fc.nat(2), fc.nat(5))
    .map(([pool, at]) => ip(family === 4 ? `192.0.${2 + pool}.${at}` : `2001:db8:${2 + pool}::${at}`));

/** Small pools, so that they run full; of both families, pinned or not. */
export const somePools: fc.Arbitrary<readonly Pool[]> = fc
  .uniqueArray(
    fc.record(
      {
        name: fc.constantFrom('a', 'b', 'c'),
        size: fc.nat(4),
        sizeV6: fc.nat(3),
        autoAssign: fc.constantFrom(true, true, true, false),
        avoidBuggyIPs: fc.boolean(),
        deleted: fc.constantFrom(false, false, false, true),
        serviceAllocation: fc.constantFrom<PoolSetEntry['serviceAllocation']>(
          undefined,
          undefined,
          { priority: 0 },
          { priority: 2 },
          { priority: 1, namespaces: ['default'] },
          { namespaces: ['prod'] },
          { serviceSelectors: [{ matchLabels: { tier: 'web' } }] },
        ),
      },
      { noNullPrototype: true },
    ),
    { selector: ({ name }) => name, maxLength: 3 },
  )
  .map((pools) =>
    pools.map(({ name, serviceAllocation, ...rest }) =>
      pool(name, { ...rest, ...(serviceAllocation && { serviceAllocation }) }),
    ),
  );

/** Requests that contradict, compete and hold what they may not. */
export const someRequest: fc.Arbitrary<ServiceRequest> = fc
  .record(
    {
      name: fc.constantFrom(...'stuvwxyz'),
      day: fc.integer({ min: 10, max: 12 }),
      families: someFamilies,
      isOneFamilyEnough: fc.boolean(),
      namespace: fc.constantFrom('default', 'default', 'prod'),
      isWeb: fc.boolean(),
      requestedPool: fc.constantFrom(undefined, undefined, undefined, 'a', 'b', 'nowhere'),
      asks: fc.constantFrom(true, false, false),
      asked: fc.record({ 4: someAddress(4), 6: someAddress(6) }, { noNullPrototype: true }),
      held: fc.array(fc.oneof(someAddress(4), someAddress(6)), { maxLength: 2 }),
      isBroken: fc.constantFrom(true, ...new Array<boolean>(9).fill(false)),
      isForeign: fc.constantFrom(true, ...new Array<boolean>(5).fill(false)),
    },
    { noNullPrototype: true },
  )
  .map(
    ({
      name,
      day,
      families,
      isOneFamilyEnough,
      namespace,
      isWeb,
      requestedPool,
      asks,
      asked,
      held,
      isBroken,
      isForeign,
    }) => ({
      key: `default/${name}`,
      namespace,
      name,
      ...(isWeb && { labels: { tier: 'web' } }),
      createdAt: `2026-01-${day}T00:00:00Z`,
      families,
      isOneFamilyEnough,
      ...(requestedPool && { requestedPool }),
      ...(asks && !isBroken && { requestedAddresses: families.map((family) => asked[family]) }),
      held,
      ...(isBroken && { problem: { reason: 'InvalidRequest' as const, message: 'It cannot be read.' } }),
      ...(isForeign && {
        isForeign: true,
        problem: { reason: 'NotOurs' as const, message: 'Somebody else answers for it.' },
      }),
    }),
  );
