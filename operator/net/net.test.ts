import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { compareIp, formatIp, type IpAddress, ipFromOctets, ipOctets, parseIp } from './address.ts';
import { ByteReader } from './bytes.ts';
import { macFromOctets, macOctets } from './mac.ts';
import { contains, formatRange, overlaps, parseRange, sizeOf } from './range.ts';

const addresses: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ({ family: 6 as const, value })),
  fc.array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 }).map((groups) => ({
    family: 6 as const,
    value: groups.reduce<bigint>((value, group) => (value << 16n) | group, 0n),
  })),
);

spec('addresses', (test) => {
  const canonical: [text: string, canonical: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], // RFC 5952 4.2.3: the first of equal runs
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // RFC 5952 4.2.2
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'], // RFC 5952 5
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ];
  for (const [text, gives] of canonical)
    test(`reads ${text} and writes ${gives}`, () => {
      const address = parseIp(text);
      assert.ok(address);
      assert.is(formatIp(address), gives);
    });

  const refused = ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.-4', ' 1.2.3.4', ':::', '1::2::3'];
  refused.push('fe80::1%eth0', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', '::1.2.3', '1:2:3:4:5:6:7:8::');
  for (const text of refused) test(`refuses "${text}"`, () => assert.is(parseIp(text), undefined));

  test('reads back what it writes', () => {
    fc.assert(fc.property(addresses, (address) => assert.equal(parseIp(formatIp(address)), address)));
  });
  test('survives the way through octets', () => {
    fc.assert(fc.property(addresses, (address) => assert.equal(ipFromOctets(ipOctets(address)), address)));
  });
  test('never throws on any text', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseIp(text)));
  });
  test('orders IPv4 before IPv6, then by value', () => {
    const sorted = ['::1', '10.0.0.2', '9.0.0.0'].map((text) => parseIp(text) as IpAddress).toSorted(compareIp);
    assert.equal(sorted.map(formatIp), ['9.0.0.0', '10.0.0.2', '::1']);
  });
});

spec('ranges', (test) => {
  const cases: [text: string, gives: string, size?: bigint][] = [
    ['192.168.1.5/24', '192.168.1.0/24', 256n],
    ['192.168.1.10-192.168.1.20', '192.168.1.10-192.168.1.20', 11n],
    [' 10.0.0.1 - 10.0.0.1 ', '10.0.0.1/32', 1n],
    ['10.0.0.0-10.0.0.255', '10.0.0.0/24', 256n],
    ['2001:db8::/64', '2001:db8::/64', 2n ** 64n],
    ['0.0.0.0/0', '0.0.0.0/0', 2n ** 32n],
    ['::/0', '::/0', 2n ** 128n],
    ['10.0.0.2-10.0.0.1', 'Descending'],
    ['10.0.0.1-2001:db8::1', 'MixedFamilies'],
    ['10.0.0.0/33', 'BadPrefixLength'],
    ['10.0.0.0/', 'BadPrefixLength'],
    ['10.0.0.1', 'NotAnAddress'],
    ['a-b', 'NotAnAddress'],
    ['10.0.0.0/8/8', 'NotAnAddress'],
  ];
  for (const [text, gives, size] of cases)
    test(`reads "${text}" as ${gives}`, () => {
      const range = parseRange(text);
      assert.is(typeof range === 'string' ? range : formatRange(range), gives);
      if (size !== undefined && typeof range !== 'string') assert.is(sizeOf(range), size);
    });

  const range = (text: string) => {
    const parsed = parseRange(text);
    if (typeof parsed === 'string') throw new Error(parsed);
    return parsed;
  };
  test('reads back what it writes', () => {
    fc.assert(
      fc.property(addresses, fc.bigInt({ min: 0n, max: 2n ** 20n }), (first, length) => {
        const bound = first.family === 4 ? 2n ** 32n - 1n : 2n ** 128n - 1n;
        const value = first.value + length > bound ? bound : first.value + length;
        const whole = { first, last: { family: first.family, value } };
        assert.equal(parseRange(formatRange(whole)), whole);
      }),
    );
  });
  test('contains its ends and not its neighbours', () => {
    const whole = range('10.0.0.4-10.0.0.7');
    const inside = ['10.0.0.3', '10.0.0.4', '10.0.0.7', '10.0.0.8', '::a00:4'].map((text) =>
      contains(whole, parseIp(text) as IpAddress),
    );
    assert.equal(inside, [false, true, true, false, false]);
  });
  test('overlaps when they share an address of one family', () => {
    assert.ok(overlaps(range('10.0.0.0/24'), range('10.0.0.255-10.0.1.3')));
    assert.not.ok(overlaps(range('10.0.0.0/24'), range('10.0.1.0/24')));
    assert.not.ok(overlaps(range('0.0.0.0/0'), range('::/0')));
  });
});

spec('octets', (test) => {
  test('a MAC address survives the way through octets', () => {
    assert.is(macFromOctets(macOctets('02:42:ac:12:00:0a')), '02:42:ac:12:00:0a');
  });
  test('are read in order and never past their end', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), () => {
      throw new RangeError('short');
    });
    assert.equal([reader.u8(), reader.u16(), reader.u32(), reader.remaining], [1, 0x0203, 0x04050607, 1]);
    assert.throws(() => reader.u16(), 'short');
    assert.is(reader.u8(), 8);
  });
});
