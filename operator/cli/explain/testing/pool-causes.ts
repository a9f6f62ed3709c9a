/** Pools that do not count, or that give this Service nothing. */

import { holding, pool, service } from '../../testing/cluster.ts';
import { ADDRESS_POOL, announcing, BEFORE, type Cause, KEY, PUBLIC } from './cause.ts';

export const poolCauses: readonly Cause[] = [
  {
    name: 'no pool',
    cluster: announcing({ pools: [] }),
    reason: 'NoPool',
    says: 'There is no pool in force',
    remedy: 'create an IPAddressPool in namespace herald-system',
  },
  {
    name: 'a pool whose range cannot be read',
    cluster: announcing({ pools: [pool('public', ['203.0.113.9-203.0.113.1'])] }),
    reason: 'NoPool',
    says: 'There is no pool in force',
    detail: ['pool public', 'InvalidAddressRange'],
    remedy: 'correct spec.addresses',
  },
  {
    name: 'a pool that overlaps an older one',
    cluster: announcing({
      pools: [
        pool('old', ['203.0.113.0/24'], { autoAssign: false }, { creationTimestamp: '2026-01-01T00:00:00Z' }),
        PUBLIC,
      ],
      services: [service(KEY, {}, { annotations: { [ADDRESS_POOL]: 'public' } })],
    }),
    reason: 'PoolNotFound',
    says: 'unknown pool "public": it does not exist or is not in force',
    detail: ['pool public', 'OverlapsPool'],
    remedy: 'make the ranges of the pools disjoint',
  },
  {
    name: 'a pool in a namespace that is not read',
    cluster: announcing({ pools: [pool('public', ['203.0.113.0/28'], {}, { namespace: 'shop' })] }),
    reason: 'NoPool',
    says: 'There is no pool in force',
    detail: ['pool public', 'NamespaceNotWatched'],
    remedy: 'move the object to namespace herald-system',
  },
  {
    name: 'a pool that another of its name shadows',
    cluster: announcing({
      pools: [
        pool('public', ['203.0.113.0/31']),
        pool('public', ['198.51.100.0/24'], {}, { namespace: 'metallb-system' }),
      ],
      services: [
        service('shop/a', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }),
        service('shop/b', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }),
        service(KEY),
      ],
    }),
    reason: 'PoolExhausted',
    says: 'Every address of the pool is in use',
    detail: ['pool public', 'Shadowed'],
    remedy: 'rename one of the two',
  },
  {
    name: 'a pool with a selector that makes no sense',
    cluster: announcing({
      pools: [
        pool('public', ['203.0.113.0/28'], {
          serviceAllocation: {
            priority: 0,
            serviceSelectors: [{ matchExpressions: [{ key: 'app', operator: 'Equals', values: ['x'] }] }],
          },
        }),
      ],
    }),
    reason: 'NoPool',
    says: 'There is no pool in force',
    detail: ['pool public', 'InvalidSelector'],
  },
  {
    name: 'a pool that is full',
    cluster: announcing({
      pools: [pool('public', ['203.0.113.7/32'])],
      services: [service('shop/web', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }), service(KEY)],
    }),
    reason: 'PoolExhausted',
    says: 'no available IPs. Pool public: Every address of the pool is in use',
    detail: ['pool public', 'PoolExhausted'],
    remedy: 'add addresses',
  },
  {
    name: 'a pool that only gives when it is named',
    cluster: announcing({ pools: [pool('public', ['203.0.113.0/28'], { autoAssign: false })] }),
    reason: 'NoPoolFits',
    says: 'The pool serves only Services that name it',
    detail: ['pool public', 'AutoAssignDisabled'],
    remedy: ADDRESS_POOL,
  },
  {
    name: 'a pool for other namespaces',
    cluster: announcing({
      pools: [pool('public', ['203.0.113.0/28'], { serviceAllocation: { priority: 0, namespaces: ['bank'] } })],
    }),
    reason: 'NoPoolFits',
    says: 'does not include the namespace of the Service',
    detail: ['pool public', 'NamespaceNotAllowed'],
    remedy: 'add shop to serviceAllocation.namespaces',
  },
  {
    name: 'a pool for Services with other labels',
    cluster: announcing({
      pools: [
        pool('public', ['203.0.113.0/28'], {
          serviceAllocation: { priority: 0, serviceSelectors: [{ matchLabels: { tier: 'gold' } }] },
        }),
      ],
    }),
    reason: 'NoPoolFits',
    says: 'does not select the labels of the Service',
    detail: ['pool public', 'ServiceNotSelected'],
  },
  {
    name: 'a pool without the family',
    cluster: announcing({
      services: [service(KEY, { clusterIP: 'fd00:10::1', clusterIPs: ['fd00:10::1'], ipFamilies: ['IPv6'] })],
    }),
    reason: 'NoPoolFits',
    says: 'The pool has no IPv6 addresses',
    detail: ['pool public', 'FamilyMissing'],
    remedy: 'add a range of that family',
  },
  {
    name: 'a pool that does not exist',
    cluster: announcing({ services: [service(KEY, {}, { annotations: { [ADDRESS_POOL]: 'publik' } })] }),
    reason: 'PoolNotFound',
    says: 'unknown pool "publik"',
    remedy: 'correct metallb.io/address-pool "publik"',
  },
  {
    name: 'a pool that was deleted and still has Services',
    cluster: announcing({
      pools: [],
      inForce: [{ ...BEFORE, addresses: [...BEFORE.addresses] }],
      services: [
        holding(service('shop/web'), '203.0.113.1'),
        service(KEY, {}, { annotations: { [ADDRESS_POOL]: 'public' } }),
      ],
    }),
    reason: 'NoPoolFits',
    says: 'The pool was deleted',
    detail: ['pool public', 'PoolRemoved'],
    remedy: 'name another pool',
  },
];
