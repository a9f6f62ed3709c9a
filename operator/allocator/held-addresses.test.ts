import * as assert from 'uvu/assert';
import { ip, pool, request } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import { formatIp } from '../net/address.ts';
import { heldByDecision, heldByStatus } from './held-addresses.ts';
import { IncrementalAllocator } from './incremental-allocator.ts';
import type { ServiceObject } from './service-request.ts';

const service = (ips: readonly string[], annotations: Record<string, string>): ServiceObject => ({
  metadata: { namespace: 'shop', name: 'web', annotations },
  spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.1', 'fd00::1'], ipFamilyPolicy: 'PreferDualStack' },
  status: { loadBalancer: { ingress: ips.map((text) => ({ ip: text })) } },
});
const poolsOf = (ips: readonly string[], annotation: string): readonly string[] =>
  heldByStatus(service(ips, { 'metallb.io/ip-allocated-from-pool': annotation })).map(
    ({ address, pool }) => `${formatIp(address)} ${pool ?? '?'}`,
  );

spec('what Services hold', (test) => {
  test('is told to the pools by their order, where several have given equally many', () => {
    assert.equal(poolsOf(['192.0.2.1', '2001:db8::1'], 'a'), ['192.0.2.1 a', '2001:db8::1 a']);
    assert.equal(poolsOf(['192.0.2.1', '192.0.3.1'], 'a,b'), ['192.0.2.1 a', '192.0.3.1 b']);
    assert.equal(poolsOf(['192.0.2.1', '2001:db8::1', '192.0.3.1', '2001:db8::2'], 'a,b'), [
      '192.0.2.1 a',
      '2001:db8::1 a',
      '192.0.3.1 b',
      '2001:db8::2 b',
    ]);
    assert.equal(poolsOf(['192.0.2.1', '2001:db8::1', '192.0.3.1'], 'a,b'), [
      '192.0.2.1 ?',
      '2001:db8::1 ?',
      '192.0.3.1 ?',
    ]);
  });
  test('of several pools is asked of the very pool that it is of', () => {
    const allocator = new IncrementalAllocator();
    allocator.load([pool('a'), pool('b')], [request('x', { requestedPools: ['b', 'a'] })]);
    assert.equal(
      heldByDecision(allocator).map(({ address, pool, requestedPool }) => [formatIp(address), pool, requestedPool]),
      [
        ['192.0.3.0', 'b', 'b'],
        ['192.0.2.0', 'a', 'a'],
      ],
    );
    assert.is(allocator.holderOf(ip('192.0.2.0')), 'default/x');
  });
});
