/** What a Service asks for and cannot have. */

import { holding, pool, service } from '../../testing/cluster.ts';
import { ADDRESS_POOL, announcing, BEFORE, type Cause, KEY, PUBLIC, WANTED_IPS } from './cause.ts';

const ADDRESS_POOLS = 'heraldlb.io/address-pools';

export const requestCauses: readonly Cause[] = [
  {
    name: 'an address that lies in no pool',
    cluster: announcing({ services: [service(KEY, {}, { annotations: { [WANTED_IPS]: '198.51.100.1' } })] }),
    reason: 'AddressNotInPool',
    says: '198.51.100.1 lies in no pool in force',
    remedy: 'add the address to a pool',
  },
  {
    name: 'an address that lies in another pool than the one that is named',
    cluster: announcing({
      pools: [PUBLIC, pool('lab', ['198.51.100.0/24'])],
      services: [service(KEY, {}, { annotations: { [WANTED_IPS]: '198.51.100.1', [ADDRESS_POOL]: 'public' } })],
    }),
    reason: 'AddressNotInPool',
    says: '198.51.100.1 is not in the pool',
    detail: ['pool public', 'AddressNotInPool'],
  },
  {
    name: 'an address that avoidBuggyIPs leaves out',
    cluster: announcing({
      pools: [pool('public', ['203.0.113.0/28'], { avoidBuggyIPs: true })],
      services: [service(KEY, {}, { annotations: { [WANTED_IPS]: '203.0.113.0' } })],
    }),
    reason: 'AddressNotInPool',
    says: '203.0.113.0 lies in no pool in force',
  },
  {
    name: 'an address that a refused change of a pool would bring',
    cluster: announcing({
      pools: [pool('public', ['198.51.100.0/24'], {}, { generation: 2 })],
      inForce: [{ ...BEFORE, addresses: [...BEFORE.addresses], uid: 'herald-system-public' }],
      services: [
        holding(service('shop/web'), '203.0.113.1'),
        service(KEY, {}, { annotations: { [WANTED_IPS]: '198.51.100.1' } }),
      ],
    }),
    reason: 'AddressNotInPool',
    says: '198.51.100.1 lies in no pool in force',
    detail: ['pool public', 'WouldBreakServices'],
    remedy: 'delete the Services that hold the addresses',
  },
  {
    name: 'an address that somebody else holds',
    cluster: announcing({
      services: [
        holding(service('shop/web'), '203.0.113.1'),
        service(KEY, {}, { annotations: { [WANTED_IPS]: '203.0.113.1' } }),
      ],
    }),
    reason: 'AddressInUse',
    says: '203.0.113.1 is held by shop/web',
    detail: ['pool public', 'AddressInUse'],
    remedy: 'drop metallb.io/loadBalancerIPs',
  },
  {
    name: 'several pools, none of which there is',
    cluster: announcing({ services: [service(KEY, {}, { annotations: { [ADDRESS_POOLS]: 'publik' } })] }),
    reason: 'PoolNotFound',
    says: 'unknown pool "publik"',
    remedy: 'correct heraldlb.io/address-pools "publik"',
  },
  {
    name: 'several pools in words that cannot be read',
    cluster: announcing({ services: [service(KEY, {}, { annotations: { [ADDRESS_POOLS]: 'public,' } })] }),
    reason: 'InvalidRequest',
    says: 'has an empty name',
    remedy: 'correct or drop heraldlb.io/address-pools',
  },
  {
    name: 'several pools, of which the one that overlaps another does not count',
    cluster: announcing({
      pools: [
        pool('old', ['203.0.113.0/24'], { autoAssign: false }, { creationTimestamp: '2026-01-01T00:00:00Z' }),
        pool('public', ['203.0.113.0/28'], { autoAssign: false }),
      ],
      services: [service(KEY, {}, { annotations: { [ADDRESS_POOLS]: 'public' } })],
    }),
    reason: 'PoolNotFound',
    says: 'unknown pool "public"',
    detail: ['pool public', 'OverlapsPool'],
    remedy: 'make the ranges of the pools disjoint',
  },
  {
    name: 'the annotation and the field at once',
    cluster: announcing({
      services: [service(KEY, { loadBalancerIP: '203.0.113.2' }, { annotations: { [WANTED_IPS]: '203.0.113.2' } })],
    }),
    reason: 'InvalidRequest',
    says: 'The Service has both metallb.io/loadBalancerIPs and spec.loadBalancerIP',
    remedy: 'remove spec.loadBalancerIP',
  },
  {
    name: 'an address that is none',
    cluster: announcing({ services: [service(KEY, {}, { annotations: { [WANTED_IPS]: '203.0.113.300' } })] }),
    reason: 'InvalidRequest',
    says: '"203.0.113.300" is not an IP address',
    remedy: 'correct or drop metallb.io/loadBalancerIPs',
  },
  {
    name: 'two addresses of one family',
    cluster: announcing({ services: [service(KEY, {}, { annotations: { [WANTED_IPS]: '203.0.113.1,203.0.113.2' } })] }),
    reason: 'InvalidRequest',
    says: 'asks for more than one IPv4 address',
  },
  {
    name: 'an address of another family',
    cluster: announcing({ services: [service(KEY, { loadBalancerIP: '2001:db8::1' })] }),
    reason: 'InvalidRequest',
    says: '2001:db8::1 does not match the families of the Service: IPv4',
    remedy: 'spec.loadBalancerIP',
  },
  {
    name: 'a headless Service',
    cluster: announcing({ services: [service(KEY, { clusterIP: 'None', clusterIPs: ['None'] })] }),
    reason: 'NoClusterIP',
    says: 'The Service has no cluster address',
    remedy: 'headless',
  },
  {
    name: 'dual stack in a cluster of one family',
    cluster: announcing({ services: [service(KEY, { ipFamilyPolicy: 'RequireDualStack' })] }),
    reason: 'NoClusterIP',
    says: 'The Service requires dual stack and has a cluster address of one family',
    remedy: 'SingleStack',
  },
];
