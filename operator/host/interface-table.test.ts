import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import { InterfaceTable } from './interface-table.ts';
import type { AddressMessage, LinkMessage, RouteMessage } from './rtnetlink-codec.ts';

const UP = 0x11003; // up, broadcast, lower up
const link = (given: Partial<LinkMessage> = {}): LinkMessage => ({
  index: 2,
  name: 'eth0',
  hardwareType: 1,
  mac: '02:00:00:00:00:02',
  flags: UP,
  master: undefined,
  ...given,
});
const address = (text: string, given: Partial<AddressMessage> = {}): AddressMessage => ({
  index: 2,
  address: parseIp(text) as IpAddress,
  prefixLength: 64,
  scope: 0,
  flags: 0x80,
  ...given,
});
const newLink = (given: Partial<LinkMessage> = {}): RouteMessage => ({ kind: 'NewLink', link: link(given) });
const newAddress = (text: string, given: Partial<AddressMessage> = {}): RouteMessage => ({
  kind: 'NewAddress',
  address: address(text, given),
});

function inWords(table: InterfaceTable): string[] {
  return table.list().map(({ name, mac, addresses, ...rest }) => {
    const facts = Object.entries(rest).filter(([, value]) => value === true);
    const list = addresses.map((a) => `${formatIp(a.address)} ${a.scope}${a.tentative ? ' tentative' : ''}`);
    return [name, mac ?? 'no MAC', ...facts.map(([fact]) => fact), ...list].join(', ');
  });
}

spec('interface table', (test) => {
  const rows: [name: string, given: RouteMessage[], gives: string[]][] = [
    ['an Ethernet link that is up', [newLink()], ['eth0, 02:00:00:00:00:02, isUp, hasCarrier, hasBroadcast, hasArp']],
    [
      'no MAC address of a link that is not Ethernet',
      [newLink({ hardwareType: 772, flags: 0x10049 })],
      ['eth0, no MAC, isUp, hasCarrier, isLoopback, hasArp'],
    ],
    ['a link that is down and speaks no ARP', [newLink({ flags: 0x82 })], ['eth0, 02:00:00:00:00:02, hasBroadcast']],
    [
      'addresses with scope',
      [newLink(), newAddress('fe80::2', { scope: 253 }), newAddress('2001:db8::2')],
      ['eth0, 02:00:00:00:00:02, isUp, hasCarrier, hasBroadcast, hasArp, fe80::2 Link, 2001:db8::2 Global'],
    ],
    [
      'a tentative address',
      [newLink({ flags: 0 }), newAddress('fe80::2', { flags: 0xc0 })],
      ['eth0, 02:00:00:00:00:02, hasArp, fe80::2 Global tentative'],
    ],
    [
      'an optimistic address as one that may be used',
      [newLink({ flags: 0 }), newAddress('fe80::2', { flags: 0xc4 })],
      ['eth0, 02:00:00:00:00:02, hasArp, fe80::2 Global'],
    ],
    ['nothing of a deleted link', [newLink(), newAddress('fe80::2'), { kind: 'DeleteLink', link: link() }], []],
    [
      'nothing of a deleted address',
      [newLink({ flags: 0 }), newAddress('fe80::2'), { kind: 'DeleteAddress', address: address('fe80::2') }],
      ['eth0, 02:00:00:00:00:02, hasArp'],
    ],
    [
      'links by index',
      [newLink({ index: 3, name: 'b', flags: 0 }), newLink({ index: 2, name: 'a', flags: 0 })],
      ['a, 02:00:00:00:00:02, hasArp', 'b, 02:00:00:00:00:02, hasArp'],
    ],
  ];
  for (const [name, given, gives] of rows)
    test(`shows ${name}`, () => {
      const table = new InterfaceTable();
      for (const message of given) table.apply(message);
      assert.equal(inWords(table), gives);
    });

  test('keeps addresses when the link changes, and says what is no change', () => {
    const table = new InterfaceTable();
    const changes = [newLink(), newLink(), newAddress('fe80::2'), newAddress('fe80::2'), newLink({ master: 7 })];
    assert.equal(
      changes.map((message) => table.apply(message)),
      [true, false, true, false, true],
    );
    const [info] = table.list();
    assert.equal([info?.master, info?.addresses.length], [7, 1]);
  });
});
