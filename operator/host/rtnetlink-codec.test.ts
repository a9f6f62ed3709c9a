import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { formatIp } from '../net/address.ts';
import { decodeRouteMessages, encodeDumpRequest, type RouteMessage } from './rtnetlink-codec.ts';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

// dumped from Linux 6.18 on x86-64: 192.0.2.1/24 and a link-local address on links 3 and 2, and the end of the dump
const IPV4 =
  '4c00000014000200070000003fe681da 02188000 03000000 08000100c0000201 08000200c0000201 0700030068300000 0800080080000000 14000600ffffffffffffffffe9060400e9060400';
const LINK_LOCAL =
  '5000000014000200070000003fe681da 0a4080fd 02000000 14000100fe80000000000000000000fffe000002 14000600ffffffffffffffffe9060400e9060400 0800080080000000 05000b0003000000';
const DONE = '1400000003000200070000003fe681da00000000';

/** ifinfomsg of link 2 (Ethernet, up, lower up), then MAC address, name and master, as the kernel orders them. */
const link = (type: string, family: string): string =>
  `40000000${type}00000000000000000000 ${family}000100020000000110010000000000 0a0001000200000000020000 090003006574683000000000 08000a0007000000`;

const inWords = (message: RouteMessage): string => {
  switch (message.kind) {
    case 'NewLink':
    case 'DeleteLink':
      return `${message.kind} ${message.link.index} ${message.link.name} ${message.link.mac} master ${message.link.master} flags ${message.link.flags.toString(16)} type ${message.link.hardwareType}`;
    case 'NewAddress':
    case 'DeleteAddress':
      return `${message.kind} ${message.address.index} ${formatIp(message.address.address)}/${message.address.prefixLength} scope ${message.address.scope} flags ${message.address.flags.toString(16)}`;
    case 'Done':
      return `Done${message.interrupted ? ' interrupted' : ''}`;
    case 'Error':
      return `Error ${message.errno}`;
  }
};

spec('rtnetlink codec', (test) => {
  const rows: [name: string, octets: string, gives: string[]][] = [
    [
      'a dump of addresses',
      IPV4 + LINK_LOCAL,
      ['NewAddress 3 192.0.2.1/24 scope 0 flags 80', 'NewAddress 2 fe80::ff:fe00:2/64 scope 253 flags 80'],
    ],
    ['a deleted address', IPV4.replace('14000200', '15000200'), ['DeleteAddress 3 192.0.2.1/24 scope 0 flags 80']],
    ['the end', DONE, ['Done']],
    ['the end of an interrupted dump', DONE.replace('03000200', '03001200'), ['Done interrupted']],
    ['a new link', link('1000', '00'), ['NewLink 2 eth0 02:00:00:00:00:02 master 7 flags 11001 type 1']],
    ['a deleted link', link('1100', '00'), ['DeleteLink 2 eth0 02:00:00:00:00:02 master 7 flags 11001 type 1']],
    ['no bridge port that leaves its bridge (AF_BRIDGE)', link('1100', '07'), []],
    ['a refusal', '14000000020000000100000000000000 ffffffff', ['Error 1']],
    ['no route', IPV4.replace('14000200', '18000200'), []],
    ['what comes before a cut', IPV4 + LINK_LOCAL.slice(0, -2), ['NewAddress 3 192.0.2.1/24 scope 0 flags 80']],
    ['no address after an attribute of length 0', IPV4.replace('08000100', '00000100'), []],
    ['no address after an attribute that ends outside', IPV4.replace('08000100', 'ff000100'), []],
    ['nothing from a length below the header', '0f000000140002000700000000000000', []],
  ];
  for (const [name, octets, gives] of rows)
    test(`reads ${name}`, () => assert.equal(decodeRouteMessages(hex(octets)).map(inWords), gives));

  test('never throws and always ends, on any octets', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void decodeRouteMessages(octets)));
  });
  test('never throws on a message with one octet changed', () => {
    const whole = hex(IPV4 + link('1000', '00') + LINK_LOCAL);
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, octet) => {
        void decodeRouteMessages(whole.with(at, octet));
      }),
    );
  });
  test('asks for dumps', () => {
    assert.is(
      Buffer.from(encodeDumpRequest('Links', 7)).toString('hex'),
      `20000000120001030700000000000000${'00'.repeat(16)}`,
    );
    assert.is(
      Buffer.from(encodeDumpRequest('Addresses', 8)).toString('hex'),
      `18000000160001030800000000000000${'00'.repeat(8)}`,
    );
  });
});
