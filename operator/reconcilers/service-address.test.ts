import * as assert from 'uvu/assert';
import { ip } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import type { Decision } from '../allocator/decision.ts';
import type { Condition, Service } from '../cluster/objects.ts';
import { eventsOf, statusOf } from './service-address.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const assigned = (...addresses: readonly string[]): Decision => ({
  outcome: 'Assigned',
  reason: 'Assigned',
  message: 'It has one.',
  pools: ['a'],
  addresses: addresses.map(ip),
});
const full: Decision = { outcome: 'Unassigned', reason: 'PoolExhausted', message: 'It is full.', rejections: [] };

function service(ips: readonly string[] = [], conditions: readonly Condition[] = []): Service {
  return {
    metadata: { namespace: 'shop', name: 'web' },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) }, conditions },
  };
}
const condition = (type: string, status: 'True' | 'False', reason: string): Condition => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const OURS = 'heraldlb.io/AddressAssigned';
const nobody = (): undefined => undefined;

spec('the status of a Service', (test) => {
  test('says the addresses in their order, with ipMode, condition and pool', () => {
    assert.equal(statusOf(service(), assigned('2001:db8::1', '192.0.2.1'), NOW), {
      status: {
        loadBalancer: {
          ingress: [
            { ip: '2001:db8::1', ipMode: 'VIP' },
            { ip: '192.0.2.1', ipMode: 'VIP' },
          ],
        },
        conditions: [
          {
            type: OURS,
            status: 'True',
            reason: 'Assigned',
            message: 'It has one.',
            lastTransitionTime: '2026-06-01T00:00:00Z',
          },
        ],
      },
      annotations: { 'metallb.io/ip-allocated-from-pool': 'a' },
    });
  });
  test('keeps the time of a condition that was true before, and other conditions of ours but not those of others', () => {
    const before = [
      condition(OURS, 'True', 'Assigned'),
      condition('heraldlb.io/Announced', 'True', 'Yes'),
      condition('x.io/Y', 'True', 'Z'),
    ];
    const { status } = statusOf(service(['192.0.2.1'], before), assigned('192.0.2.1'), NOW);
    assert.equal(
      status.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
      [
        [OURS, '2026-01-01T00:00:00Z'],
        ['heraldlb.io/Announced', '2026-01-01T00:00:00Z'],
      ],
    );
  });
  test('is empty where there is no address', () => {
    const { status, annotations } = statusOf(service(['192.0.2.1']), full, NOW);
    assert.equal([status.loadBalancer, annotations], [{ ingress: [] }, {}]);
    assert.equal(
      status.conditions?.map(({ status, reason }) => `${status} ${reason}`),
      ['False PoolExhausted'],
    );
  });
});

spec('the events of a Service', (test) => {
  const words = (before: Service, decision: Decision, holderOf: (address: unknown) => string | undefined = nobody) =>
    eventsOf(before, decision, holderOf).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);

  test('tell addresses as MetalLB does', () => {
    assert.equal(words(service(), assigned('192.0.2.1', '2001:db8::1')), [
      'Normal IPAllocated: Assigned IP ["192.0.2.1" "2001:db8::1"]',
    ]);
  });
  test('tell nothing where only other words changed', () => {
    assert.equal(words(service(['192.0.2.1']), assigned('192.0.2.1')), []);
    assert.equal(words(service([], [condition(OURS, 'False', 'PoolExhausted')]), full), []);
  });
  test('tell a failure when it begins', () => {
    assert.equal(words(service(), full), [
      'Warning AllocationFailed: Failed to allocate IP for "shop/web": It is full.',
    ]);
  });
  test('tell that a request cannot be read', () => {
    const invalid: Decision = { ...full, reason: 'InvalidRequest', message: '"x" is not an IP address.' };
    assert.match(words(service(), invalid)[0] ?? '', 'Warning LoadBalancerFailed: invalid requested loadbalancer IPs');
  });
  test('tell who holds an address that was taken away, or else that it is not allowed', () => {
    const taken = words(service(['192.0.2.1']), assigned('192.0.2.2'), () => 'shop/older');
    assert.equal(
      taken.map((word) => word.split(':')[0]),
      ['Warning AddressInUse', 'Normal IPAllocated'],
    );
    const cleared = words(service(['192.0.2.1']), assigned('192.0.2.2'));
    assert.equal(
      cleared.map((word) => word.split(':')[0]),
      ['Normal ClearAssignment', 'Normal IPAllocated'],
    );
  });
  test('warn of an annotation by its older name, when the address is told', () => {
    const old = service();
    const metadata = { ...old.metadata, annotations: { 'metallb.universe.tf/address-pool': 'a' } };
    assert.equal(
      words({ ...old, metadata }, assigned('192.0.2.1')).at(-1),
      'Warning deprecatedAnnotation: Service uses deprecated annotation metallb.universe.tf/address-pool',
    );
  });
});
