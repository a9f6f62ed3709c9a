import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { formatIp, type IpAddress, parseIp } from '../../net/address.ts';
import { macFromOctets } from '../../net/mac.ts';
import { answerTo, type NdpDropReason, type Outgoing, unsolicitedAdvertisement } from './answer.ts';
import { decodeIcmpv6, encodeIcmpv6, type Icmpv6Packet } from './icmpv6.ts';
import { multicastMac, solicitedNodeGroup } from './multicast.ts';
import {
  decodeNeighborAdvertisement,
  decodeNeighborSolicitation,
  encodeNeighborAdvertisement,
  encodeNeighborSolicitation,
} from './ndp.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromOctets);
const addresses = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ({ family: 6 as const, value }));
const plain = { noNullPrototype: true } as const;
const octet = fc.integer({ min: 0, max: 255 });
const packets: fc.Arbitrary<Icmpv6Packet> = fc.record(
  {
    source: addresses,
    destination: addresses,
    hopLimit: octet,
    type: octet,
    code: octet,
    body: fc.uint8Array({ maxLength: 65 }),
  },
  plain,
);

// sent by Linux 6.18: 2001:db8::1 looks for 2001:db8::10
const SOLICITATION =
  '6000000000203aff 20010db8000000000000000000000001 ff0200000000000000000001ff000010 ' +
  '87001c0b 00000000 20010db8000000000000000000000010 0101020000000001';
const CLIENT = '02:00:00:00:00:01';
const OURS = '02:00:00:00:00:0a';

spec('icmpv6 codec', (test) => {
  test('decodes what it encodes', () => {
    fc.assert(fc.property(packets, (packet) => assert.equal(decodeIcmpv6(encodeIcmpv6(packet)), packet)));
  });
  test('reads through Ethernet padding', () => {
    assert.equal(decodeIcmpv6(Uint8Array.of(...hex(SOLICITATION), 0, 0, 0)), decodeIcmpv6(hex(SOLICITATION)));
    assert.ok(decodeIcmpv6(hex(SOLICITATION)));
  });
  test('refuses a packet in which any bit of the message is wrong', () => {
    fc.assert(
      fc.property(packets, fc.nat(), fc.integer({ min: 0, max: 7 }), (packet, at, bit) => {
        const octets = encodeIcmpv6({ ...packet });
        const position = 40 + (at % (octets.length - 40));
        octets[position] = (octets[position] ?? 0) ^ (1 << bit);
        assert.is(decodeIcmpv6(octets), undefined);
      }),
    );
  });
  test('refuses what is cut short', () => {
    const octets = hex(SOLICITATION);
    for (let length = 0; length < octets.length; length++)
      assert.is(decodeIcmpv6(octets.subarray(0, length)), undefined, `${length} octets`);
  });
  test('never throws on any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (octets) => void decodeIcmpv6(octets)));
  });
});

spec('ndp codec', (test) => {
  const rows: [name: string, body: string, gives: string | undefined][] = [
    ['no option', '00000000 20010db8000000000000000000000010', '2001:db8::10 undefined'],
    [
      'the source link-layer address',
      '00000000 20010db8000000000000000000000010 0101020000000001',
      `2001:db8::10 ${CLIENT}`,
    ],
    [
      'an option it does not know before',
      '00000000 20010db8000000000000000000000010 0f01000000000000 0101020000000001',
      `2001:db8::10 ${CLIENT}`,
    ],
    [
      'a longer option before',
      `00000000 20010db8000000000000000000000010 0e02${'00'.repeat(14)} 0101020000000001`,
      `2001:db8::10 ${CLIENT}`,
    ],
    ['an option of length 0', '00000000 20010db8000000000000000000000010 0100020000000001', undefined],
    ['an option that ends outside', '00000000 20010db8000000000000000000000010 0102020000000001', undefined],
    ['half an option', '00000000 20010db8000000000000000000000010 01', undefined],
    ['19 octets', '00000000 20010db80000000000000000000000', undefined],
  ];
  for (const [name, body, gives] of rows)
    test(`reads a solicitation with ${name}`, () => {
      const read = decodeNeighborSolicitation(hex(body));
      assert.is(read && `${formatIp(read.target)} ${read.sourceLinkLayerAddress}`, gives);
    });

  const option = fc.option(macs, { nil: undefined });
  test('decodes the solicitations it encodes', () => {
    const nonce = fc.constantFrom(6, 14).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
    const members = { target: addresses, sourceLinkLayerAddress: option, nonce };
    const solicitations = fc.record(members, { ...plain, requiredKeys: ['target', 'sourceLinkLayerAddress'] });
    fc.assert(
      fc.property(solicitations, (given) =>
        assert.equal(decodeNeighborSolicitation(encodeNeighborSolicitation(given)), given),
      ),
    );
  });
  test('decodes the advertisements it encodes', () => {
    const flag = fc.boolean();
    const advertisements = fc.record(
      { router: flag, solicited: flag, override: flag, target: addresses, targetLinkLayerAddress: option },
      plain,
    );
    fc.assert(
      fc.property(advertisements, (given) =>
        assert.equal(decodeNeighborAdvertisement(encodeNeighborAdvertisement(given)), given),
      ),
    );
  });
  test('never throws on any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (octets) => {
        decodeNeighborSolicitation(octets);
        decodeNeighborAdvertisement(octets);
      }),
    );
  });
  test('finds the solicited-node group and its Ethernet address (RFC 4291 2.7.1, RFC 2464 7)', () => {
    const group = solicitedNodeGroup(ip('4037::01:800:200e:8c6c'));
    assert.is(formatIp(group), 'ff02::1:ff0e:8c6c');
    assert.is(multicastMac(group), '33:33:ff:0e:8c:6c');
  });
});

spec('ndp answers', (test) => {
  const station = { mac: OURS, owns: ({ value }: IpAddress) => value === ip('2001:db8::10').value };
  const group = solicitedNodeGroup(ip('2001:db8::10'));
  const rows: [name: string, given: Icmpv6Packet, gives: string][] = [
    ['a solicitation', solicitation(), `to ${CLIENT} 2001:db8::1: 2001:db8::10 is ${OURS} solicited override`],
    [
      'a unicast probe without source link-layer address',
      solicitation({ destination: ip('2001:db8::10'), body: target('2001:db8::10', null) }),
      `to 02:00:00:00:00:ee 2001:db8::1: 2001:db8::10 is ${OURS} solicited override`,
    ],
    [
      'duplicate address detection',
      solicitation({ source: ip('::'), body: target('2001:db8::10', null) }),
      `to 33:33:00:00:00:01 ff02::1: 2001:db8::10 is ${OURS} override`,
    ],
    [
      'a solicitation for another address',
      solicitation({ body: target('2001:db8::11') }),
      'NotOwned' satisfies NdpDropReason,
    ],
    ['a forwarded solicitation', solicitation({ hopLimit: 254 }), 'NotOnLink' satisfies NdpDropReason],
    ['code 1', solicitation({ code: 1 }), 'Malformed' satisfies NdpDropReason],
    ['a multicast target', solicitation({ body: target('ff02::1') }), 'Malformed' satisfies NdpDropReason],
    ['a multicast source', solicitation({ source: ip('ff02::1') }), 'Malformed' satisfies NdpDropReason],
    ['detection that names its MAC address', solicitation({ source: ip('::') }), 'Malformed' satisfies NdpDropReason],
    [
      'detection to a unicast address',
      solicitation({ source: ip('::'), destination: ip('2001:db8::10'), body: target('2001:db8::10', null) }),
      'Malformed' satisfies NdpDropReason,
    ],
    ['an advertisement', solicitation({ type: 136 }), 'NotASolicitation' satisfies NdpDropReason],
    ['too short a body', solicitation({ body: new Uint8Array(19) }), 'Malformed' satisfies NdpDropReason],
  ];
  for (const [name, given, gives] of rows)
    test(`to ${name}: ${gives}`, () => {
      const answer = answerTo(given, '02:00:00:00:00:ee', station);
      assert.is(typeof answer === 'string' ? answer : inWords(answer), gives);
      if (typeof answer !== 'string') assert.is(answer.packet.hopLimit, 255);
    });
  test('to our own frame: nothing', () => assert.is(answerTo(solicitation(), OURS, station), 'OwnFrame'));
  test('announces a new owner to all nodes', () =>
    assert.is(
      inWords(unsolicitedAdvertisement(ip('2001:db8::10'), OURS)),
      `to 33:33:00:00:00:01 ff02::1: 2001:db8::10 is ${OURS} override`,
    ));
  test('reads what Linux asks, and writes the same octets', () => {
    const packet = decodeIcmpv6(hex(SOLICITATION));
    assert.equal(packet, solicitation());
    assert.equal(encodeIcmpv6(solicitation()), hex(SOLICITATION));
  });

  function solicitation(given: Partial<Icmpv6Packet> = {}): Icmpv6Packet {
    const fields = { source: ip('2001:db8::1'), destination: group, hopLimit: 255 };
    return { ...fields, type: 135, code: 0, body: target('2001:db8::10'), ...given };
  }
});

function target(address: string, mac: string | null = CLIENT): Uint8Array {
  return encodeNeighborSolicitation({ target: ip(address), sourceLinkLayerAddress: mac ?? undefined });
}
function inWords({ packet, destination }: Outgoing): string {
  const read = decodeNeighborAdvertisement(packet.body);
  const flags = [read?.router && 'router', read?.solicited && 'solicited', read?.override && 'override'];
  const subject = `${read && formatIp(read.target)} is ${read?.targetLinkLayerAddress}`;
  return [`to ${destination} ${formatIp(packet.destination)}: ${subject}`, ...flags.filter(Boolean)].join(' ');
}
