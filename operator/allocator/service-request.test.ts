import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { formatIp } from '../net/address.ts';
import { isOurs, requestOf, type ServiceObject } from './service-request.ts';

function service(
  spec: Partial<ServiceObject['spec']> = {},
  annotations?: Readonly<Record<string, string>>,
  ingress?: readonly { readonly ip?: string; readonly hostname?: string }[],
): ServiceObject {
  return {
    metadata: { namespace: 'shop', name: 'web', creationTimestamp: 'then', ...(annotations && { annotations }) },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ...spec },
    ...(ingress && { status: { loadBalancer: { ingress } } }),
  };
}
const both = { clusterIPs: ['10.96.0.1', 'fd00::1'] };
const ips = (value: string) => ({ 'metallb.io/loadBalancerIPs': value });

/** The request on one line. */
function inWords(given: ServiceObject): string {
  const { families, isOneFamilyEnough, requestedPool, requestedAddresses, problem, held } = requestOf(given);
  return [
    families.join('+'),
    ...(isOneFamilyEnough ? ['one is enough'] : []),
    ...(requestedPool ? [`pool ${requestedPool}`] : []),
    ...(requestedAddresses ? [`asks ${requestedAddresses.map(formatIp).join(' ')}`] : []),
    ...(held.length > 0 ? [`holds ${held.map(formatIp).join(' ')}`] : []),
    ...(problem ? [problem.reason] : []),
  ].join(', ');
}

spec('the request of a Service', (test) => {
  const cases: [name: string, given: ServiceObject, gives: string][] = [
    ['the family of the cluster address', service(), '4'],
    ['only the first family of a single-stack Service', service(both), '4'],
    [
      'both families in their order',
      service({ clusterIPs: ['fd00::1', '10.96.0.1'], ipFamilyPolicy: 'RequireDualStack' }),
      '6+4',
    ],
    ['a preference for both', service({ ...both, ipFamilyPolicy: 'PreferDualStack' }), '4+6, one is enough'],
    ['a preference where the cluster has one', service({ ipFamilyPolicy: 'PreferDualStack' }), '4, one is enough'],
    ['both required where the cluster has one', service({ ipFamilyPolicy: 'RequireDualStack' }), '4, NoClusterIP'],
    ['no cluster address', service({ clusterIP: 'None', clusterIPs: ['None'] }), ', NoClusterIP'],
    ['what the status holds', service({}, undefined, [{ ip: '192.0.2.1' }, { hostname: 'x' }]), '4, holds 192.0.2.1'],
    ['a pool by annotation', service({}, { 'metallb.io/address-pool': 'gold' }), '4, pool gold'],
    ['a pool by its older name', service({}, { 'metallb.universe.tf/address-pool': 'gold' }), '4, pool gold'],
    [
      'the newer name before the older, even if it is empty',
      service({}, { 'metallb.io/address-pool': '', 'metallb.universe.tf/address-pool': 'gold' }),
      '4',
    ],
    ['an address by annotation', service({}, ips(' 192.0.2.7 ')), '4, asks 192.0.2.7'],
    ['an address by spec', service({ loadBalancerIP: '192.0.2.7' }), '4, asks 192.0.2.7'],
    [
      'one address for each family',
      service({ ...both, ipFamilyPolicy: 'RequireDualStack' }, ips('2001:db8::7, 192.0.2.7')),
      '4+6, asks 2001:db8::7 192.0.2.7',
    ],
    ['both ways to ask at once', service({ loadBalancerIP: '192.0.2.7' }, ips('192.0.2.7')), '4, InvalidRequest'],
    ['no address at all', service({}, ips('next')), '4, InvalidRequest'],
    ['two of one family', service({}, ips('192.0.2.7,192.0.2.8')), '4, InvalidRequest'],
    ['another family', service({}, ips('2001:db8::7')), '4, InvalidRequest'],
    [
      'one address where both families are preferred',
      service({ ...both, ipFamilyPolicy: 'PreferDualStack' }, ips('192.0.2.7')),
      '4, one is enough, asks 192.0.2.7',
    ],
  ];
  for (const [name, given, gives] of cases) test(`reads ${name}`, () => assert.is(inWords(given), gives));

  const classes: [type: string, itsClass: string | undefined, ours: string, gives: boolean][] = [
    ['LoadBalancer', undefined, '', true],
    ['LoadBalancer', 'cloud/lb', '', false],
    ['LoadBalancer', 'herald/l2', 'herald/l2', true],
    ['LoadBalancer', undefined, 'herald/l2', false],
    ['ClusterIP', undefined, '', false],
  ];
  for (const [type, itsClass, ours, gives] of classes)
    test(`${type} of class ${itsClass} is ${gives ? '' : 'not '}ours where ours is "${ours}"`, () =>
      assert.is(isOurs(service({ type, ...(itsClass && { loadBalancerClass: itsClass }) }), ours), gives));
});
