import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { formatIp, type IpAddress, parseIp } from '../../net/address.ts';
import { macFromOctets } from '../../net/mac.ts';
import { type ArpDropReason, answerTo, gratuitousArp } from './answer.ts';
import { type ArpPacket, decodeArp, encodeArp } from './arp.ts';

const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromOctets);
const addresses = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value }));
const packets: fc.Arbitrary<ArpPacket> = fc.record(
  { op: fc.constantFrom('Request', 'Reply'), sha: macs, spa: addresses, tha: macs, tpa: addresses },
  { noNullPrototype: true },
);
const CLIENT = '02:00:00:00:00:01';
const OURS = '02:00:00:00:00:0a';
// the payload that Linux 6.18 sent when 192.0.2.1 looked for 192.0.2.10
const REQUEST = '0001 0800 06 04 0001 020000000001 c0000201 000000000000 c000020a';
const inWords = ({ op, sha, spa, tha, tpa }: ArpPacket): string =>
  `${op} ${sha} ${formatIp(spa)} to ${tha} ${formatIp(tpa)}`;

spec('arp codec', (test) => {
  const rows: [name: string, octets: string, gives: string | undefined][] = [
    ['a request', REQUEST, 'Request 02:00:00:00:00:01 192.0.2.1 to 00:00:00:00:00:00 192.0.2.10'],
    [
      'a request with padding',
      `${REQUEST}${'00'.repeat(18)}`,
      'Request 02:00:00:00:00:01 192.0.2.1 to 00:00:00:00:00:00 192.0.2.10',
    ],
    [
      'a reply',
      REQUEST.replace('0001 0200', '0002 0200'),
      'Reply 02:00:00:00:00:01 192.0.2.1 to 00:00:00:00:00:00 192.0.2.10',
    ],
    ['no reverse request (op 3)', REQUEST.replace('0001 0200', '0003 0200'), undefined],
    ['nothing for token ring (hrd 6)', REQUEST.replace('0001 0800', '0006 0800'), undefined],
    ['nothing for another protocol', REQUEST.replace('0800', '86dd'), undefined],
    ['nothing with hardware addresses of 8 octets', REQUEST.replace('06 04', '08 04'), undefined],
    ['nothing from 27 octets', REQUEST.slice(0, -2), undefined],
  ];
  for (const [name, octets, gives] of rows)
    test(`reads ${name}`, () => {
      const packet = decodeArp(hex(octets));
      assert.is(packet && inWords(packet), gives);
    });

  test('decodes what it encodes', () => {
    fc.assert(fc.property(packets, (packet) => assert.equal(decodeArp(encodeArp(packet)), packet)));
  });
  test('writes what it has read', () => assert.equal(encodeArp(decodeArp(hex(REQUEST)) as ArpPacket), hex(REQUEST)));
  test('never throws on any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => void decodeArp(octets)));
    const prefix = hex('0001 0800 06 04');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (rest) => void decodeArp(Uint8Array.of(...prefix, ...rest))),
    );
  });
});

spec('arp answers', (test) => {
  const request: ArpPacket = decodeArp(hex(REQUEST)) as ArpPacket;
  const station = { mac: OURS, owns: ({ value }: IpAddress) => value === ip('192.0.2.10').value };
  const rows: [name: string, given: Partial<ArpPacket>, gives: string][] = [
    ['a request', {}, 'Reply 02:00:00:00:00:0a 192.0.2.10 to 02:00:00:00:00:01 192.0.2.1'],
    ['an ARP Probe', { spa: ip('0.0.0.0') }, 'Reply 02:00:00:00:00:0a 192.0.2.10 to 02:00:00:00:00:01 0.0.0.0'],
    ['a unicast request', { tha: OURS }, 'Reply 02:00:00:00:00:0a 192.0.2.10 to 02:00:00:00:00:01 192.0.2.1'],
    ['a reply', { op: 'Reply' }, 'NotARequest' satisfies ArpDropReason],
    ['a request for another address', { tpa: ip('192.0.2.11') }, 'NotOwned' satisfies ArpDropReason],
    ['an announcement of our address', { spa: ip('192.0.2.10') }, 'SenderIsTarget' satisfies ArpDropReason],
    ['our own frame', { sha: OURS }, 'OwnFrame' satisfies ArpDropReason],
  ];
  for (const [name, given, gives] of rows)
    test(`to ${name}: ${gives.split(' ')[0]}`, () => {
      const answer = answerTo({ ...request, ...given }, station);
      assert.is(typeof answer === 'string' ? answer : inWords(answer), gives);
    });

  test('gratuitous ARP is a request and a reply about itself', () =>
    assert.equal(gratuitousArp(ip('192.0.2.10'), OURS).map(inWords), [
      'Request 02:00:00:00:00:0a 192.0.2.10 to 00:00:00:00:00:00 192.0.2.10',
      'Reply 02:00:00:00:00:0a 192.0.2.10 to ff:ff:ff:ff:ff:ff 192.0.2.10',
    ]));
  test('gratuitous ARP is answered by nobody', () => {
    for (const packet of gratuitousArp(ip('192.0.2.10'), CLIENT)) assert.type(answerTo(packet, station), 'string');
  });
});
