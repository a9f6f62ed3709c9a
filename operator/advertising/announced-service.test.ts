import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '../cluster/objects.ts';
import { formatIp } from '../net/address.ts';
import {
  announcedServiceOf,
  announcingNodeOf,
  externalIpClaimOf,
  peerAddressOf,
  serviceKeyOf,
} from './announced-service.ts';

const service = (more: Partial<Service['spec']> = {}, ips: readonly string[] = ['192.0.2.1']): Service => ({
  metadata: { namespace: 'shop', name: 'web', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { type: 'LoadBalancer', selector: { app: 'web' }, ...more },
  status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
});
const slice = (...endpoints: Endpoint[]): EndpointSlice => ({
  metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints,
});
const on = (nodeName: string, conditions?: Endpoint['conditions']): Endpoint => ({
  nodeName,
  ...(conditions && { conditions }),
});

spec('announced service', (test) => {
  test('is what counts of a Service', () => {
    const ports = [{ port: 53, protocol: 'UDP' }, { port: 53 }];
    assert.equal(announcedServiceOf(service({ ports }), [slice(on('a'))], ''), {
      key: 'shop/web',
      namespace: 'shop',
      createdAt: '2026-01-01T00:00:00Z',
      labels: {},
      addresses: ['192.0.2.1'],
      held: 1,
      sharingKey: '',
      ports: ['UDP/53', 'TCP/53'],
      backend: '',
      externalTrafficPolicy: 'Cluster',
      hasSelector: true,
      endpoints: { anywhere: true, nodes: new Set(['a']) },
    });
  });
  test('is none where others answer for the addresses', () => {
    const told = (status: string, more: object = {}) => {
      const one = service();
      const conditions = [{ type: 'heraldlb.io/AddressAssigned', status }];
      return announcedServiceOf({ ...one, ...more, status: { ...one.status, conditions } }, [], '')?.addresses;
    };
    const foreignWriters = [{ manager: 'controller' }];
    assert.is(told('False'), undefined);
    assert.is(announcedServiceOf({ ...service(), foreignWriters }, [], ''), undefined);
    assert.equal(told('True'), ['192.0.2.1']);
    // Until it is put back; what is left for good has another condition.
    assert.equal(told('True', { foreignWriters }), ['192.0.2.1']);
  });
  const classes: [ours: string, its: string | undefined, isOurs: boolean][] = [
    ['', undefined, true],
    ['', 'other', false],
    ['ours', 'ours', true],
    ['ours', undefined, false],
  ];
  for (const [ours, its, isOurs] of classes)
    test(`of class ${its ?? '(none)'} is ${isOurs ? 'ours' : 'not ours'} with --lb-class "${ours}"`, () => {
      const object = service(its === undefined ? {} : { loadBalancerClass: its });
      assert.is(announcedServiceOf(object, [], ours) !== undefined, isOurs);
    });
  test('has canonical addresses once, and none that cannot be read', () => {
    const ips = ['2001:DB8::0:1', '192.0.2.1', '192.0.2.1', 'not-an-address', ''];
    assert.equal(announcedServiceOf(service({}, ips), [], '')?.addresses, ['2001:db8::1', '192.0.2.1']);
    assert.is(announcedServiceOf(service({}, []), [], ''), undefined);
  });
  test('has the external IPs that were granted and that it still names, after what it holds', () => {
    const externalIPs = ['192.0.2.7', '2001:DB8::7', '192.0.2.1', '192.0.2.8'];
    const granted = ['2001:db8::7', '192.0.2.7', '192.0.2.9', '192.0.2.1'];
    const found = announcedServiceOf(service({ clusterIP: '10.96.0.1', externalIPs }), [], '', granted);
    assert.equal(found?.addresses, ['192.0.2.1', '192.0.2.7', '2001:db8::7']);
    assert.is(found?.held, 1);
  });
  const types: [what: string, spec: Partial<Service['spec']>, addresses: readonly string[] | undefined][] = [
    ['a Service of type ClusterIP has its external IPs alone', { type: 'ClusterIP' }, ['192.0.2.7']],
    ['a Service of type NodePort too', { type: 'NodePort' }, ['192.0.2.7']],
    ['one of another class has none', { loadBalancerClass: 'other' }, undefined],
    [
      'a class is no matter where there is no load balancer',
      { type: 'ClusterIP', loadBalancerClass: 'x' },
      ['192.0.2.7'],
    ],
    ['nobody forwards to a headless Service', { type: 'ClusterIP', clusterIP: 'None' }, undefined],
    ['nor to one that is a name', { type: 'ExternalName' }, undefined],
  ];
  for (const [what, more, addresses] of types)
    test(what, () => {
      const object = service({ clusterIP: '10.96.0.1', externalIPs: ['192.0.2.7'], ...more });
      assert.equal(announcedServiceOf(object, [], '', ['192.0.2.7'])?.addresses, addresses);
    });
  test('claims its external IPs, each once, as it is written elsewhere', () => {
    const object = service({ clusterIP: '10.96.0.1', externalIPs: ['2001:DB8::7', '2001:db8:0::7', 'no-address'] });
    assert.equal(externalIpClaimOf(object, '')?.addresses.map(formatIp), ['2001:db8::7']);
    assert.is(externalIpClaimOf(service(), ''), undefined);
    assert.is(externalIpClaimOf(service({ ...object.spec, loadBalancerClass: 'other' }), ''), undefined);
  });
  test('reads the sharing key by its older name too', () => {
    const { metadata, ...rest } = service();
    const annotations = { 'metallb.universe.tf/allow-shared-ip': 'k' };
    assert.is(announcedServiceOf({ ...rest, metadata: { ...metadata, annotations } }, [], '')?.sharingKey, 'k');
  });
  const endpoints: [what: string, conditions: Endpoint['conditions'], serves: boolean][] = [
    ['says nothing', undefined, true],
    ['is ready', { ready: true }, true],
    ['is not ready', { ready: false }, false],
    ['ends and still serves', { ready: false, serving: true, terminating: true }, true],
    ['ends and does not serve', { ready: false, serving: false, terminating: true }, false],
  ];
  for (const [what, conditions, serves] of endpoints)
    test(`is ${serves ? '' : 'not '}served by an endpoint that ${what}`, () => {
      const found = announcedServiceOf(service(), [slice(on('a', conditions))], '')?.endpoints;
      assert.equal([found?.anywhere, [...(found?.nodes ?? [])]], [serves, serves ? ['a'] : []]);
    });
  test('a slice names its Service', () => {
    assert.is(serviceKeyOf(slice()), 'shop/web');
    assert.is(serviceKeyOf({ ...slice(), metadata: { namespace: 'shop', name: 'x' } }), undefined);
  });
});

spec('announcing node', (test) => {
  const node = (addresses: readonly [string, string][]): Node => ({
    metadata: { name: 'a', labels: { zone: '1' } },
    status: {
      conditions: [{ type: 'NetworkUnavailable', status: 'True' }],
      addresses: addresses.map(([type, address]) => ({ type, address })),
    },
  });
  test('knows labels and the missing network', () => {
    assert.equal(announcingNodeOf(node([])), { name: 'a', labels: { zone: '1' }, isNetworkUnavailable: true });
  });
  test('is reached at its InternalIP, of the wanted family if it has one', () => {
    const both = node([
      ['Hostname', 'a'],
      ['InternalIP', '192.0.2.9'],
      ['InternalIP', '2001:db8::9'],
    ]);
    assert.is(peerAddressOf(both, undefined)?.address, '192.0.2.9');
    assert.is(peerAddressOf(both, 6)?.address, '2001:db8::9');
    assert.is(peerAddressOf(node([['InternalIP', '192.0.2.9']]), 6)?.address, '192.0.2.9');
    assert.is(peerAddressOf(node([['ExternalIP', '192.0.2.9']]), 4), undefined);
  });
});
