import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '../cluster/objects.ts';
import { announcedServiceOf, announcingNodeOf, peerAddressOf, serviceKeyOf } from './announced-service.ts';

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
    assert.equal(announcedServiceOf(service(), [slice(on('a'))], ''), {
      key: 'shop/web',
      createdAt: '2026-01-01T00:00:00Z',
      labels: {},
      addresses: ['192.0.2.1'],
      sharingKey: '',
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
