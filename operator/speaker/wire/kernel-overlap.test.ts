import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { fakeInterface } from '../../host/fake-host.ts';
import type { InterfaceInfo } from '../../host/host-network.ts';
import { ipOf } from './contract/frames.ts';
import { describeOverlap, overlapsOf } from './kernel-overlap.ts';

const V4 = '192.0.2.10';
const V6 = '2001:db8::10';
const announcements = [V4, V6, V4].map((address) => ({
  service: 'shop/web',
  address,
  candidates: ['b'],
  interfaces: 'all' as const,
}));
const holding = (index: number, name: string, ...addresses: readonly string[]): InterfaceInfo =>
  fakeInterface(index, name, {
    addresses: addresses.map((text) => ({ address: ipOf(text), prefixLength: 32, scope: 'Global', tentative: false })),
  });
const overlaps = (interfaces: readonly InterfaceInfo[], arpIgnore = 0): readonly string[] =>
  overlapsOf(announcements, interfaces, ['eth0', 'eth1'], () => arpIgnore).map(
    ({ address, holder, onInterfaces }) => `${address} of ${holder} on ${onInterfaces.join()}`,
  );

spec('addresses that the kernel answers for by itself', (test) => {
  test('are those of any interface in IPv4, each once', () => {
    assert.equal(overlaps([holding(1, 'eth0'), holding(9, 'kube-ipvs0', V4, '192.0.2.77')]), [
      `${V4} of kube-ipvs0 on eth0,eth1`,
    ]);
  });

  test('are in IPv6 those of the interface that is asked', () => {
    assert.equal(overlaps([holding(1, 'eth0', V6), holding(9, 'kube-ipvs0')]), [`${V6} of eth0 on eth0`]);
    assert.equal(overlaps([holding(1, 'eth0'), holding(9, 'kube-ipvs0', V6)]), []);
  });

  test('are none of another interface where arp_ignore says so, as strictARP does', () => {
    assert.equal(overlaps([holding(9, 'kube-ipvs0', V4)], 1), []);
    assert.equal(overlaps([holding(1, 'eth1', V4)], 1), [`${V4} of eth1 on eth1`]);
  });

  test('are described with the remedy', () => {
    const [overlap] = overlapsOf(announcements, [holding(9, 'kube-ipvs0', V4)], ['eth0'], () => 0);
    assert.ok(overlap);
    assert.match(describeOverlap(overlap, false), /kube-ipvs0.* on eth0 .*strictARP: true/);
    assert.match(describeOverlap(overlap, true), /drops such requests/);
  });
});
