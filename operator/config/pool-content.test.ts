import * as assert from 'uvu/assert';
import type { IpAddressPool, IpAddressPoolSpec } from '../../crds/ip-address-pool.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { disruptionHash } from './pool-content.ts';

/** The hash of a spec as a file in Git may have it: fields left out, in any order, written as null. */
const hashOfFile = (written: object): string => disruptionHash({ spec: written as IpAddressPoolSpec });
const stored = (more: Partial<IpAddressPool['spec']> = {}): string =>
  disruptionHash(poolObject('a', ['10.0.0.0/28'], more));

spec('the hash that allows a disruption', (test) => {
  test('is 12 hex digits of sha256 over the canonical form', () => {
    // printf '{"addresses":["10.0.0.0/28"]}' | sha256sum
    assert.is(stored(), '43aa7bf6109e');
  });
  test('does not look at defaults, whether the API server filled them in or somebody wrote them', () => {
    assert.is(hashOfFile({ addresses: ['10.0.0.0/28'] }), stored());
    assert.is(hashOfFile({ addresses: ['10.0.0.0/28'], autoAssign: true, avoidBuggyIPs: false }), stored());
    assert.is(hashOfFile({ addresses: ['10.0.0.0/28'], autoAssign: null, serviceAllocation: null }), stored());
  });
  test('does not look at fields that the API server prunes', () => {
    assert.is(hashOfFile({ addresses: ['10.0.0.0/28'], protocol: 'layer2' }), stored());
    const allocation = { namespaces: ['shop'] };
    assert.is(
      hashOfFile({ addresses: ['10.0.0.0/28'], serviceAllocation: { ...allocation, owner: 'me' } }),
      stored({ serviceAllocation: allocation }),
    );
  });
  test('does not look at the order of keys', () => {
    const serviceSelectors = [{ matchLabels: { a: '1', b: '2' } }];
    const turned = [{ matchLabels: { b: '2', a: '1' } }];
    assert.is(
      stored({ serviceAllocation: { priority: 5, serviceSelectors: turned } }),
      stored({ serviceAllocation: { serviceSelectors, priority: 5 } }),
    );
  });
  test('looks at everything that may take an address away', () => {
    const all = [
      stored(),
      stored({ autoAssign: false }),
      stored({ avoidBuggyIPs: true }),
      stored({ serviceAllocation: {} }),
      stored({ serviceAllocation: { namespaces: ['shop'] } }),
      stored({ serviceAllocation: { namespaceSelectors: [{ matchLabels: { a: 'b' } }] } }),
      hashOfFile({ addresses: ['10.0.0.0/27'] }),
      hashOfFile({ addresses: ['10.0.0.0/28', '10.0.1.0/28'] }),
    ];
    assert.is(new Set(all).size, all.length);
  });
  test('can be told of a spec that makes no sense', () => {
    assert.match(hashOfFile({ addresses: 'all of them' }), /^[0-9a-f]{12}$/);
    assert.match(hashOfFile({}), /^[0-9a-f]{12}$/);
  });
});
