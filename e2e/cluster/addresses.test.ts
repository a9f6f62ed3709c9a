import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { freeRange, hostAddress } from './addresses.ts';

spec('addresses', (test) => {
  test('takes the upper half of an IPv4 network, less what the hosts use', () => {
    assert.equal(freeRange('172.18.0.0/16', ['172.18.0.2']), { first: '172.18.128.0', last: '172.18.255.191' });
  });
  test('takes an offset that nobody reaches in an IPv6 network', () => {
    assert.equal(freeRange('fc00:f853:ccd:e793::/64', []), {
      first: 'fc00:f853:ccd:e793::8000',
      last: 'fc00:f853:ccd:e793::ffbf',
    });
  });
  test('ignores host bits of the network', () => {
    assert.equal(freeRange('172.18.3.4/16', []).first, '172.18.128.0');
  });
  test('puts hosts above the range, inside the network and below its broadcast address', () => {
    assert.is(hostAddress('172.18.0.0/16', 0), '172.18.255.192');
    assert.is(hostAddress('172.18.0.0/16', 31), '172.18.255.223');
    assert.is(hostAddress('fc00:f853:ccd:e793::/64', 1), 'fc00:f853:ccd:e793::ffc1');
    assert.throws(() => hostAddress('172.18.0.0/16', 32), /no place for host 32/);
  });
  test('refuses to offer a range in which somebody lives', () => {
    assert.throws(() => freeRange('172.18.0.0/16', ['172.18.128.0']), /172\.18\.128\.0 is taken/);
    assert.throws(() => freeRange('172.18.0.0/16', ['172.18.255.191']), /is taken/);
    assert.is(freeRange('172.18.0.0/16', ['172.18.255.192', 'fc00::1']).last, '172.18.255.191');
  });
  test('refuses what is too small or no network', () => {
    assert.throws(() => freeRange('10.0.0.0/26', []), /too small/);
    for (const text of ['172.18.0.0', '172.18.0.0/33', 'kind', '172.18.0.0/x']) {
      assert.throws(() => freeRange(text, []), /is no network/);
    }
  });
});
