import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { accepts, encodeFilter } from '../../host/socket-filter.ts';
import { type IpAddress, parseIp } from '../../net/address.ts';
import { encodeArp } from '../../protocols/arp/arp.ts';
import { ETHERTYPE, encodeEthernet } from '../../protocols/ethernet/ethernet.ts';
import { encodeIcmpv6 } from '../../protocols/ndp/icmpv6.ts';
import { encodeNeighborSolicitation } from '../../protocols/ndp/ndp.ts';
import { arpRequestFilter, coveringRanges, solicitationFilter } from './request-filter.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const CLIENT = '02:00:00:00:00:01';
const EVERYONE = 'ff:ff:ff:ff:ff:ff';
const arp = (op: 'Request' | 'Reply', tpa: string): Uint8Array =>
  encodeEthernet({
    destination: EVERYONE,
    source: CLIENT,
    etherType: ETHERTYPE.Arp,
    payload: encodeArp({ op, sha: CLIENT, spa: ip('192.0.2.1'), tha: EVERYONE, tpa: ip(tpa) }),
  });
const icmpv6 = (type: number, target: string): Uint8Array =>
  encodeEthernet({
    destination: EVERYONE,
    source: CLIENT,
    etherType: ETHERTYPE.Ipv6,
    payload: encodeIcmpv6({
      source: ip('fe80::1'),
      destination: ip('ff02::1'),
      hopLimit: 255,
      type,
      code: 0,
      body: encodeNeighborSolicitation({ target: ip(target), sourceLinkLayerAddress: CLIENT }),
    }),
  });

spec('request filters', (test) => {
  const owned4 = ['192.0.2.10', '192.0.2.11', '198.51.100.7'].map(ip);
  const owned6 = ['2001:db8::10', '2001:db8::7:20'].map(ip);
  const rows: [name: string, frame: Uint8Array, isAccepted: boolean][] = [
    ['a request for an owned address', arp('Request', '192.0.2.10'), true],
    ['a request for the last owned address', arp('Request', '198.51.100.7'), true],
    ['a request for the address before', arp('Request', '192.0.2.9'), false],
    ['a request for the address after', arp('Request', '192.0.2.12'), false],
    ['a reply about an owned address', arp('Reply', '192.0.2.10'), false],
    ['a short frame', arp('Request', '192.0.2.10').subarray(0, 40), false],
  ];
  for (const [name, frame, isAccepted] of rows)
    test(`ARP: ${isAccepted ? 'lets through' : 'drops'} ${name}`, () =>
      assert.is(accepts(arpRequestFilter(7, owned4), frame, 7), isAccepted));
  const rows6: [name: string, frame: Uint8Array, isAccepted: boolean][] = [
    ['a solicitation for an owned address', icmpv6(135, '2001:db8::10'), true],
    ['a solicitation for another address', icmpv6(135, '2001:db8::11'), false],
    ['an advertisement', icmpv6(136, '2001:db8::10'), false],
  ];
  for (const [name, frame, isAccepted] of rows6)
    test(`NDP: ${isAccepted ? 'lets through' : 'drops'} ${name}`, () =>
      assert.is(accepts(solicitationFilter(7, owned6), frame, 7), isAccepted));
  test('drops what belongs to a VLAN device above the interface', () =>
    assert.is(accepts(arpRequestFilter(7, owned4), arp('Request', '192.0.2.10'), 8), false));
  test('drops everything while nothing is owned', () =>
    assert.is(accepts(arpRequestFilter(7, []), arp('Request', '0.0.0.0'), 7), false));
  test('fits the kernel with 10,000 scattered addresses, and still lets all of them through', () => {
    const owned = Array.from({ length: 10_000 }, (_, n) => ({ family: 4 as const, value: BigInt(n * n + 7 * n) }));
    const filter = arpRequestFilter(7, owned);
    assert.ok(encodeFilter(filter).length / 8 <= 4096); // BPF_MAXINSNS
    for (const { value } of owned.slice(0, 500)) {
      const address = [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
      assert.ok(accepts(filter, arp('Request', address), 7), address);
    }
  });
});

spec('covering ranges', (test) => {
  const rows: [numbers: number[], limit: number, gives: [number, number][]][] = [
    [[], 4, []],
    [[5], 4, [[5, 5]]],
    [[3, 1, 2, 2], 4, [[1, 3]]],
    [
      [1, 2, 5, 9],
      4,
      [
        [1, 2],
        [5, 5],
        [9, 9],
      ],
    ],
    [
      [1, 2, 5, 9],
      2,
      [
        [1, 5],
        [9, 9],
      ],
    ],
    [[1, 2, 5, 9], 1, [[1, 9]]],
  ];
  for (const [numbers, limit, gives] of rows)
    test(`${JSON.stringify(numbers)} in ${limit}: ${JSON.stringify(gives)}`, () =>
      assert.equal(coveringRanges(numbers, limit), gives));

  test('hold every number, in order, apart from each other, at most as many as allowed', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 200 }));
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 20 }), (given, limit) => {
        const ranges = coveringRanges(given, limit);
        assert.ok(ranges.length <= limit);
        for (const number of given) assert.ok(ranges.some(([first, last]) => first <= number && number <= last));
        for (const [at, [first, last]] of ranges.entries()) {
          assert.ok(first <= last && given.includes(first) && given.includes(last));
          assert.ok(at === 0 || (ranges[at - 1]?.[1] ?? 0) + 1 < first);
        }
      }),
    );
  });
});
