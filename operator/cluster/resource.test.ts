import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { keyOf, type Service, splitKey } from './objects.ts';
import { collectionPath, objectPath, resources } from './resource.ts';

spec('resources', (test) => {
  for (const [path, expected] of [
    [collectionPath(resources.services), '/api/v1/services'],
    [collectionPath({ ...resources.services, namespace: 'shop' }), '/api/v1/namespaces/shop/services'],
    [collectionPath(resources.nodes), '/api/v1/nodes'],
    [collectionPath(resources.serviceL2Statuses), '/apis/metallb.io/v1beta1/servicel2statuses'],
    [collectionPath(resources.bgpPeers), '/apis/metallb.io/v1beta2/bgppeers'],
    [
      objectPath(resources.poolSets, { namespace: 'h', name: 'herald' }),
      '/apis/heraldlb.io/v1alpha1/namespaces/h/poolsets/herald',
    ],
    [
      objectPath(resources.services, { namespace: 'shop', name: 'web' }, 'status'),
      '/api/v1/namespaces/shop/services/web/status',
    ],
  ]) {
    test(`${expected}`, () => assert.is(path, expected));
  }

  test('a Service is trimmed to what is read', () => {
    const arrived = {
      metadata: {
        name: 'web',
        namespace: 'shop',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', mine: 'x' },
        finalizers: ['a/b'],
        managedFields: [{ manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:spec': {} } }],
      },
      spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', internalTrafficPolicy: 'Cluster' },
    } as Service;
    assert.equal(resources.services.trim?.(arrived), {
      metadata: { name: 'web', namespace: 'shop', annotations: { mine: 'x' } },
      spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1' },
    });
  });

  test('of a Service it is kept who wrote its addresses, where that was not the operator', () => {
    const time = '2026-06-01T12:00:00Z';
    const entry = (manager: string, fieldsV1: object) => ({ manager, time, subresource: 'status', fieldsV1 });
    const ingress = { 'f:status': { 'f:loadBalancer': { 'f:ingress': {} } } };
    const conditions = { 'f:status': { 'f:conditions': {} } };
    const writersOf = (...managedFields: readonly object[]) =>
      resources.services.trim?.({ metadata: { name: 'web', managedFields }, spec: {} } as Service).foreignWriters;
    assert.is(writersOf(entry('herald-operator', ingress)), undefined);
    assert.is(writersOf(entry('controller', ingress), entry('herald-operator', ingress)), undefined);
    assert.is(writersOf(entry('cilium', conditions)), undefined);
    assert.equal(writersOf(entry('controller', ingress), entry('herald-operator', conditions)), [
      { manager: 'controller', at: time },
    ]);
  });

  test('keys name an object with or without a namespace', () => {
    assert.is(keyOf({ metadata: { name: 'web', namespace: 'shop' } }), 'shop/web');
    assert.is(keyOf({ metadata: { name: 'node-a' } }), 'node-a');
    assert.equal([splitKey('shop/web'), splitKey('node-a')], [{ namespace: 'shop', name: 'web' }, { name: 'node-a' }]);
  });
});
