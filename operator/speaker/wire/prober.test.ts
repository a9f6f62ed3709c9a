import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { FakeHost, fakeInterface } from '../../host/fake-host.ts';
import type { InterfaceAddress, InterfaceInfo } from '../../host/host-network.ts';
import { formatIp, type IpAddress, parseIp } from '../../net/address.ts';
import { decodeArp, encodeArp } from '../../protocols/arp/arp.ts';
import { decodeEthernet, ETHERTYPE, encodeEthernet } from '../../protocols/ethernet/ethernet.ts';
import { unsolicitedAdvertisement } from '../../protocols/ndp/answer.ts';
import { decodeIcmpv6, encodeIcmpv6 } from '../../protocols/ndp/icmpv6.ts';
import { decodeNeighborSolicitation } from '../../protocols/ndp/ndp.ts';
import type { FromWire, ProbeRequest } from '../messages.ts';
import { ManualClock } from './manual-clock.ts';
import { Prober } from './prober.ts';

const OTHER = '02:00:00:00:00:c1';
const V4 = '192.0.2.10';
const V6 = '2001:db8::10';
const ip = (text: string): IpAddress => parseIp(text) as IpAddress;

/** A prober on eth0 and eth1, unless told otherwise. */
function make(interfaces = [fakeInterface(2, 'eth0'), fakeInterface(3, 'eth1')]) {
  const host = new FakeHost(interfaces);
  const clock = new ManualClock();
  const posted: Extract<FromWire, { kind: 'Probed' }>[] = [];
  let nonce = 0;
  const prober = new Prober({
    host,
    clock,
    random: (count) => new Uint8Array(count).fill(nonce++),
    post: (message) => message.kind === 'Probed' && posted.push(message),
  });
  return {
    host,
    clock,
    prober,
    posted,
    probe: (probes: (Partial<ProbeRequest> & { address: string })[], excludeInterfaces = '') => {
      const requests = probes.map((given) => ({ uid: given.address, interfaces: 'all' as const, ...given }));
      prober.desire({ kind: 'Probe', probes: requests, excludeInterfaces });
    },
    sent: () => host.sent.splice(0).map(({ onInterface, frame }) => `${onInterface} ${describe(frame)}`),
    results: () => posted.at(-1)?.results.map(({ uid: _uid, ...result }) => result) ?? [],
    sockets: () =>
      host
        .print()
        .split('\n')
        .filter((line) => line.includes('socket')).length,
  };
}

function describe(octets: Uint8Array): string {
  const frame = decodeEthernet(octets);
  const arp = frame && decodeArp(frame.payload);
  if (arp) return `${arp.op} ${formatIp(arp.spa)} asks for ${formatIp(arp.tpa)} to ${frame.destination}`;
  const packet = frame && decodeIcmpv6(frame.payload);
  const read = packet && decodeNeighborSolicitation(packet.body);
  return read
    ? `${formatIp(packet.source)} asks for ${formatIp(read.target)} to ${frame.destination}`
    : 'something else';
}

const arpFrom = (spa: string, sha = OTHER): Uint8Array =>
  encodeEthernet({
    destination: '02:00:00:00:00:02',
    source: sha,
    etherType: ETHERTYPE.Arp,
    payload: encodeArp({ op: 'Reply', sha, spa: ip(spa), tha: '02:00:00:00:00:02', tpa: ip('0.0.0.0') }),
  });
const advertisementOf = (address: string, mac = OTHER): Uint8Array => {
  const { packet, destination } = unsolicitedAdvertisement(ip(address), mac);
  return encodeEthernet({ destination, source: mac, etherType: ETHERTYPE.Ipv6, payload: encodeIcmpv6(packet) });
};

spec('the prober', (test) => {
  test('asks three times on each interface, and says that the address is free within 5 s', () => {
    const { clock, probe, sent, results, posted } = make();
    probe([{ address: V4 }]);
    clock.advance(2500);
    const asked = `Request 0.0.0.0 asks for ${V4} to ff:ff:ff:ff:ff:ff`;
    assert.equal(sent().toSorted(), [...Array(3).fill(`eth0 ${asked}`), ...Array(3).fill(`eth1 ${asked}`)]);
    assert.equal(results(), []);
    clock.advance(2500);
    assert.equal([results(), sent(), posted.length], [[{ address: V4, result: 'Free' }], [], 1]);
  });
  test('asks by NDP in the group of the address, which it listens to', () => {
    const { host, clock, probe, sent, results } = make([fakeInterface(2, 'eth0')]);
    probe([{ address: V6 }]);
    assert.match(host.print(), 'Ipv6 socket ff02::1:ff00:10');
    clock.advance(5000);
    assert.equal(sent(), Array(3).fill(`eth0 :: asks for ${V6} to 33:33:ff:00:00:10`));
    assert.equal(results(), [{ address: V6, result: 'Free' }]);
  });
  test('says at once who has the address, and asks no more', () => {
    const { host, clock, probe, sent, results, sockets } = make();
    probe([{ address: V4 }, { address: V6 }]);
    clock.advance(300);
    host.deliver('eth1', arpFrom(V4));
    host.deliver('eth0', advertisementOf(V6));
    assert.equal(results(), [
      { address: V4, result: 'Conflict', mac: OTHER, interface: 'eth1' },
      { address: V6, result: 'Conflict', mac: OTHER, interface: 'eth0' },
    ]);
    sent();
    clock.advance(5000);
    assert.equal([sent(), sockets()], [[], 0]);
  });
  test('hears its own interfaces, and others about other addresses, without a word', () => {
    const { host, clock, probe, results } = make();
    probe([{ address: V4 }]);
    clock.advance(300);
    host.deliver('eth0', arpFrom('192.0.2.11'));
    host.deliver('eth0', arpFrom(V4, '02:00:00:00:00:03'));
    clock.advance(5000);
    assert.equal(results(), [{ address: V4, result: 'Free' }]);
  });
  test('says when the address is one of this host itself; not when kube-proxy keeps it there', () => {
    const own: InterfaceAddress = { address: ip(V4), prefixLength: 24, scope: 'Global', tentative: false };
    const result = (given: Partial<InterfaceInfo>) => {
      const lab = make([fakeInterface(2, 'eth0'), fakeInterface(3, 'eth1', { addresses: [own], ...given })]);
      lab.probe([{ address: V4 }]);
      return lab.results();
    };
    const message = 'it is an address of this node itself';
    const mac = '02:00:00:00:00:03';
    assert.equal(result({}), [{ address: V4, result: 'Conflict', mac, interface: 'eth1', message }]);
    assert.equal(result({ hasArp: false }), []);
  });
  test('asks only on the interfaces that are meant and may announce', () => {
    const onlyFirst = make();
    onlyFirst.probe([{ address: V4, interfaces: ['eth0'] }]);
    onlyFirst.clock.advance(300);
    assert.ok(onlyFirst.sent().every((line) => line.startsWith('eth0')));
    const excluded = make();
    excluded.probe([{ address: V4 }], '^eth1$');
    assert.is(excluded.sockets(), 1);
  });
  test('says that it cannot ask where no interface will do', () => {
    const result = (interfaces: InterfaceInfo[], given: Partial<ProbeRequest> & { address: string }) => {
      const lab = make(interfaces);
      lab.probe([given]);
      return lab.results().map((each) => `${each.result}: ${each.message}`);
    };
    const mute = fakeInterface(2, 'eth0', { addresses: [] });
    assert.equal(result([mute], { address: V6 }), ['Failed: none of eth0 speaks NDP']);
    const nowhere = 'Failed: no interface is there on which it would be announced';
    assert.equal(result([mute], { address: V4, interfaces: ['eth7'] }), [nowhere]);
    assert.equal(result([mute], { address: 'x' }), ['Failed: it is not an IP address']);
  });
  test('says what failed on the way, and that the address is free where another interface has asked', () => {
    const { host, clock, probe, results } = make();
    probe([{ address: V4 }]);
    clock.advance(600);
    host.setInterface(fakeInterface(3, 'eth1', { isUp: false }));
    clock.advance(5000);
    assert.equal(results(), [
      { address: V4, result: 'Free', message: 'eth1: send: ENETDOWN, the network interface is down' },
    ]);
    const closed = make();
    closed.host.refusesWith = 'EPERM';
    closed.probe([{ address: V4 }]);
    assert.is(closed.results()[0]?.result, 'Failed');
  });
  test('goes on after a frame that found the queue full', () => {
    const { host, clock, probe, results } = make();
    probe([{ address: V4 }]);
    host.sendFailsWith = 'ENOBUFS';
    clock.advance(600);
    host.sendFailsWith = undefined;
    clock.advance(5000);
    assert.equal(results(), [{ address: V4, result: 'Free' }]);
  });
  test('begins what is new, drops what is no longer wanted, and keeps what was said', () => {
    const { clock, probe, prober, results, sockets } = make([fakeInterface(2, 'eth0')]);
    probe([{ address: V4 }]);
    clock.advance(5000);
    probe([{ address: V4 }, { address: V6 }]);
    assert.is(sockets(), 1);
    clock.advance(5000);
    assert.equal(
      results().map(({ address }) => address),
      [V4, V6],
    );
    probe([{ address: '192.0.2.11' }]);
    assert.is(sockets(), 1);
    prober.close();
    assert.is(sockets(), 0);
    clock.advance(5000);
    assert.equal(
      results().map(({ address }) => address),
      [V4, V6],
    );
  });
});
