import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { callOf } from './calls.ts';

spec('a request', (test) => {
  const cases: [method: Parameters<typeof callOf>[0]['method'], path: string, call: string | undefined][] = [
    ['GET', '/api/v1/services', 'list services'],
    ['GET', '/api/v1/namespaces/shop/services', 'list services'],
    ['GET', '/api/v1/namespaces/shop/services/web', 'get services'],
    ['PATCH', '/api/v1/namespaces/shop/services/web/status', 'patch services/status'],
    ['GET', '/api/v1/namespaces', 'list namespaces'],
    ['GET', '/api/v1/nodes/node-a', 'get nodes'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/h/leases/l', 'update leases.coordination.k8s.io'],
    ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', 'create tokenreviews.authentication.k8s.io'],
    [
      'PATCH',
      '/apis/metallb.io/v1beta1/namespaces/h/ipaddresspools/a/status',
      'patch ipaddresspools.metallb.io/status',
    ],
    ['DELETE', '/apis/metallb.io/v1beta1/namespaces/h/servicel2statuses/a', 'delete servicel2statuses.metallb.io'],
    ['DELETE', '/apis/metallb.io/v1beta1/namespaces/h/bgppeers', 'deletecollection bgppeers.metallb.io'],
    ['GET', '/readyz', undefined],
  ];
  for (const [method, path, expected] of cases)
    test(`${method} ${path} is to ${expected ?? 'no resource'}`, () => {
      const call = callOf({ method, path });
      assert.is(call && `${call.verb} ${call.resource}`, expected);
    });
  test('that watches is a call of its own', () =>
    assert.is(callOf({ method: 'GET', path: '/api/v1/services' }, true)?.verb, 'watch'));
});
