import * as assert from 'uvu/assert';
import { pool, request } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import { type AdoptableService, adoptionProblem, foreignRequest, isOurWriting } from './adoption.ts';

const rules = { pools: [pool('a', { sizeV6: 4 }), pool('b', { deleted: true })], startedAt: '2026-06-01T12:00:00Z' };

function service(ips: readonly string[], more: Partial<AdoptableService> = {}): AdoptableService {
  return {
    metadata: { namespace: 'shop', name: 'web' },
    spec: { type: 'LoadBalancer' },
    ...more,
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) }, ...more.status },
  };
}
const writtenAt = (at: string) => ({ foreignWriters: [{ manager: 'controller', at }] });
const assigned = (status: 'True' | 'False') => ({ conditions: [{ type: 'heraldlb.io/AddressAssigned', status }] });

spec('what a status shows', (test) => {
  const cases: { name: string; given: AdoptableService; says?: string }[] = [
    { name: 'nothing, and is ours', given: service([]) },
    { name: 'an address of a pool, and is adopted', given: service(['192.0.2.1']) },
    { name: 'addresses of two pools, one of them deleted, and is adopted', given: service(['192.0.3.1', '192.0.2.1']) },
    {
      name: 'an address of no pool',
      given: service(['192.0.2.1', '203.0.113.9']),
      says: '203.0.113.9, which lies in no',
    },
    {
      name: 'a host name',
      given: service([], { status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }] } } }),
      says: 'The status shows lb.example.com, which no pool can hold.',
    },
    {
      name: 'what another wrote before we began, and is adopted',
      given: service(['192.0.2.1'], writtenAt('2026-06-01T12:00:00Z')),
    },
    {
      name: 'what another wrote since we began',
      given: service(['192.0.2.1'], writtenAt('2026-06-01T12:00:01Z')),
      says: '"controller" wrote the status at 2026-06-01T12:00:01Z',
    },
    {
      name: 'what we wrote, wherever it lies now',
      given: service(['203.0.113.9'], {
        status: { loadBalancer: { ingress: [{ ip: '203.0.113.9' }] }, ...assigned('True') },
      }),
    },
    {
      name: 'our condition beside what another has written over it since',
      given: service([], {
        ...writtenAt('2026-06-01T12:00:01Z'),
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] }, ...assigned('True') },
      }),
      says: '"controller" wrote the status',
    },
  ];
  for (const { name, given, says } of cases)
    test(`is ${name}`, () => {
      const problem = adoptionProblem(given, rules);
      if (says === undefined) assert.is(problem, undefined);
      else assert.equal([problem?.reason, problem?.message.includes(says)], ['NotOurs', true], problem?.message);
    });

  test('is our writing only where our condition is true and nobody wrote over it', () => {
    const withCondition = (status: 'True' | 'False') => service(['192.0.2.1'], { status: assigned(status) });
    assert.equal([isOurWriting(withCondition('True')), isOurWriting(withCondition('False'))], [true, false]);
    assert.not(isOurWriting({ ...withCondition('True'), ...writtenAt('2026-06-01T12:00:00Z') }));
  });
  test('is kept from others together with what was held before', () => {
    const problem = { reason: 'ContestedStatus', message: 'Somebody writes over it.' } as const;
    const foreign = foreignRequest(
      request('s', { held: ['192.0.2.1'] }),
      problem,
      request('s', { held: ['192.0.2.2'] }).held,
    );
    assert.equal(
      foreign.held.map(({ value }) => value & 0xffn),
      [2n, 1n],
    );
    assert.equal([foreign.isForeign, foreign.problem], [true, problem]);
  });
});
