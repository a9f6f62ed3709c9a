/** A Service that is none of ours, and operators that do not work. */

import { leaderLease, NOW, service, snapshotOf } from '../../testing/cluster.ts';
import { announcing, type Cause, KEY, PUBLIC } from './cause.ts';

export const serviceCauses: readonly Cause[] = [
  {
    name: 'a Service of another type',
    cluster: announcing({ services: [service(KEY, { type: 'ClusterIP' })] }),
    reason: 'NotLoadBalancer',
    says: 'its type is ClusterIP',
    remedy: 'spec.type',
  },
  {
    name: 'an external IP of a pool that lends none',
    cluster: announcing({ services: [service(KEY, { type: 'ClusterIP', externalIPs: ['203.0.113.5'] })] }),
    reason: 'PoolWithoutExternalIPs',
    says: '203.0.113.5: pool public does not say externalIPs: true',
    remedy: 'spec.externalIPs: true',
  },
  {
    name: 'an external IP of a pool for everybody',
    cluster: announcing({
      pools: [{ ...PUBLIC, spec: { ...PUBLIC.spec, externalIPs: true } }],
      services: [service(KEY, { type: 'ClusterIP', externalIPs: ['203.0.113.5'] })],
    }),
    reason: 'NamespaceNotSelected',
    says: 'does not select namespace shop',
    remedy: 'add shop to serviceAllocation.namespaces',
  },
  {
    name: 'an external IP in no pool',
    cluster: announcing({ services: [service(KEY, { type: 'NodePort', externalIPs: ['198.51.100.5'] })] }),
    reason: 'AddressNotInPool',
    says: '198.51.100.5: in no pool',
    link: 'external IPs',
  },
  {
    name: 'a Service of somebody else by its class',
    cluster: announcing({ services: [service(KEY, { loadBalancerClass: 'cloud.example/lb' })] }),
    reason: 'OtherClass',
    says: 'its loadBalancerClass is cloud.example/lb, and Herald serves Services without a class',
    remedy: '--lb-class=cloud.example/lb',
  },
  {
    name: 'a Service without the class that Herald serves',
    cluster: announcing({ operatorArgs: ['--lb-class=herald'] }),
    reason: 'OtherClass',
    says: 'it has no loadBalancerClass, and Herald serves the class herald',
    remedy: 'spec.loadBalancerClass herald',
  },
  {
    name: 'a cluster without Herald',
    cluster: announcing({
      isSilent: true,
      more: {
        installation: { ...snapshotOf({}).installation, isFound: false },
      },
    }),
    reason: 'NotInstalled',
    says: 'no Deployment herald-operator was found in namespace herald-system',
    remedy: '--herald-namespace',
  },
  {
    name: 'operators that do not lead',
    cluster: announcing({ isSilent: true, more: { leases: [leaderLease(new Date(NOW.getTime() - 60_000))] } }),
    reason: 'NoLeader',
    says: 'herald-operator-1 renewed its Lease 60s ago',
    remedy: 'kubectl -n herald-system get pods',
  },
  {
    name: 'a Service that was made this moment',
    cluster: announcing({ isSilent: true }),
    reason: 'NotLookedAt',
    says: 'herald-operator-1 leads and has not looked at this Service yet',
  },
  {
    name: 'a Service whose status somebody else wrote',
    cluster: announcing({
      isSilent: true,
      services: [
        {
          ...service(KEY),
          status: {
            loadBalancer: { ingress: [{ ip: '198.51.100.7' }] },
            conditions: [
              {
                type: 'heraldlb.io/AddressAssigned',
                status: 'False',
                reason: 'NotOurs',
                message: 'The status shows 198.51.100.7, which lies in no pool in force.',
                lastTransitionTime: NOW.toISOString(),
              },
            ],
          },
        },
      ],
    }),
    reason: 'NotOurs',
    says: 'The status shows 198.51.100.7, which lies in no pool in force',
    remedy: 'give the Service the loadBalancerClass of whoever serves it',
  },
  {
    name: 'a Service whose status somebody else changes back',
    cluster: announcing({ isSilent: true }),
    events: [{ metadata: { name: 'x' }, reason: 'ContestedStatus', note: '"kube-vip" changes the status back' }],
    reason: 'ContestedStatus',
    says: '"kube-vip" changes the status back',
    remedy: 'remove the other controller',
  },
];
