import { Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import type { L2Announcement } from '../../advertising/announcement.ts';
import { FakeHost, fakeInterface } from '../../host/fake-host.ts';
import { formatIp, type IpAddress, parseIp } from '../../net/address.ts';
import { decodeArp, encodeArp } from '../../protocols/arp/arp.ts';
import { decodeEthernet, ETHERTYPE, encodeEthernet } from '../../protocols/ethernet/ethernet.ts';
import { addressIdOf } from '../../protocols/heartbeat/extension.ts';
import { decodeIcmpv6, encodeIcmpv6 } from '../../protocols/ndp/icmpv6.ts';
import { decodeNeighborAdvertisement, encodeNeighborSolicitation } from '../../protocols/ndp/ndp.ts';
import type { FromWire, OwnedAddress } from '../messages.ts';
import { ManualClock } from './manual-clock.ts';
import { createLayer2Metrics } from './metrics.ts';
import { Wire } from './wire.ts';

const CLIENT = '02:00:00:00:00:c1';
const V4 = '192.0.2.10';
const V6 = '2001:db8::10';
const ip = (text: string): IpAddress => parseIp(text) as IpAddress;
const announce = (address: string, given: Partial<L2Announcement> = {}): L2Announcement => ({
  service: 'shop/web',
  address,
  candidates: ['a', 'b'],
  interfaces: 'all',
  ...given,
});

/** The wire of node b on eth0 and eth1. */
function make(interfaces = [fakeInterface(2, 'eth0'), fakeInterface(3, 'eth1')]) {
  const host = new FakeHost(interfaces);
  const clock = new ManualClock();
  const posted: FromWire[] = [];
  const took: number[] = [];
  const claims: (readonly number[])[] = [];
  const wire = new Wire({
    host,
    clock,
    wallClock: () => 1_000 + clock.now(),
    post: (message) => posted.push(message),
    postToClock: ({ kind, addresses }) => void (kind === 'Took' ? took.push(...addresses) : claims.push(addresses)),
  });
  let view = 0;
  return {
    host,
    clock,
    posted,
    took,
    claims,
    wire,
    desire: (announcements: L2Announcement[], excludeInterfaces = '') =>
      wire.desire({ kind: 'Desired', node: 'b', announcements, excludeInterfaces }),
    available: (...nodes: string[]) => {
      view += 1;
      wire.available({ kind: 'Available', nodes, view, announceAgain: false });
    },
    /** What was sent since the last call, in words. */
    sent: () => host.sent.splice(0).map(({ onInterface, frame }) => `${onInterface} ${describe(frame)}`),
    owned: (): readonly OwnedAddress[] => {
      clock.advance(0);
      return posted.findLast((message) => message.kind === 'Owned')?.services ?? [];
    },
  };
}

function describe(octets: Uint8Array): string {
  const frame = decodeEthernet(octets);
  const arp = frame && decodeArp(frame.payload);
  if (arp) return `${arp.op} ${formatIp(arp.spa)} is ${arp.sha} to ${frame.destination}`;
  const packet = frame && decodeIcmpv6(frame.payload);
  const advertisement = packet && decodeNeighborAdvertisement(packet.body);
  if (!advertisement) return 'something else';
  const { target, targetLinkLayerAddress, solicited } = advertisement;
  return `${solicited ? 'Answer' : 'NA'} ${formatIp(target)} is ${targetLinkLayerAddress} to ${frame?.destination}`;
}

const arpRequest = (tpa: string, destination = 'ff:ff:ff:ff:ff:ff'): Uint8Array =>
  encodeEthernet({
    destination,
    source: CLIENT,
    etherType: ETHERTYPE.Arp,
    payload: encodeArp({ op: 'Request', sha: CLIENT, spa: ip('192.0.2.1'), tha: '00:00:00:00:00:00', tpa: ip(tpa) }),
  });
const solicitation = (target: string): Uint8Array =>
  encodeEthernet({
    destination: '33:33:ff:00:00:10',
    source: CLIENT,
    etherType: ETHERTYPE.Ipv6,
    payload: encodeIcmpv6({
      source: ip('fe80::c1'),
      destination: ip('ff02::1:ff00:10'),
      hopLimit: 255,
      type: 135,
      code: 0,
      body: encodeNeighborSolicitation({ target: ip(target), sourceLinkLayerAddress: CLIENT }),
    }),
  });

spec('the wire', (test) => {
  test('announces on every interface when it becomes the owner, before anything else happens', () => {
    const { desire, available, sent } = make();
    desire([announce(V4), announce(V6)]);
    available('a', 'b');
    assert.equal(sent(), []);
    available('b');
    const everyone = 'ff:ff:ff:ff:ff:ff';
    assert.equal(sent(), [
      `eth0 Request ${V4} is 02:00:00:00:00:02 to ${everyone}`,
      `eth0 Reply ${V4} is 02:00:00:00:00:02 to ${everyone}`,
      `eth1 Request ${V4} is 02:00:00:00:00:03 to ${everyone}`,
      `eth1 Reply ${V4} is 02:00:00:00:00:03 to ${everyone}`,
      `eth0 NA ${V6} is 02:00:00:00:00:02 to 33:33:00:00:00:01`,
      `eth1 NA ${V6} is 02:00:00:00:00:03 to 33:33:00:00:00:01`,
    ]);
  });
  test('joins the solicited-node group after the announcement, and leaves it with the address', () => {
    const { host, clock, desire, available, sent } = make([fakeInterface(2, 'eth0')]);
    desire([announce(V6)]);
    available('b');
    assert.is(sent().length, 1);
    assert.not.match(host.print(), /ff02/);
    clock.advance(0);
    assert.match(host.print(), /Ipv6 socket ff02::1:ff00:10/);
    available('a', 'b');
    clock.advance(0);
    assert.match(host.print(), /ff02::1:ff00:10/, 'until the new owner answers');
    clock.advance(1_000);
    assert.not.match(host.print(), /ff02::1:ff00:10/);
  });
  test('answers for what it owns, and for nothing else', () => {
    const { host, desire, available, sent } = make();
    desire([announce(V4), announce('192.0.2.11', { candidates: ['a'] }), announce(V6)]);
    available('b');
    sent();
    for (const frame of [arpRequest(V4), arpRequest('192.0.2.11'), arpRequest('192.0.2.12')])
      host.deliver('eth0', frame);
    for (const frame of [solicitation(V6), solicitation('2001:db8::11'), solicitation('2001:db9::10')])
      host.deliver('eth1', frame);
    assert.equal(sent(), [
      `eth0 Reply ${V4} is 02:00:00:00:00:02 to ${CLIENT}`,
      `eth1 Answer ${V6} is 02:00:00:00:00:03 to ${CLIENT}`,
    ]);
  });
  test('does not answer a request that was sent to another station', () => {
    const { host, desire, available, sent } = make();
    desire([announce(V4)]);
    available('b');
    sent();
    host.deliver('eth0', arpRequest(V4, '02:00:00:00:00:99'));
    assert.equal(sent(), []);
    host.deliver('eth0', arpRequest(V4, '02:00:00:00:00:02'));
    assert.is(sent().length, 1);
  });
  test('stops announcing when another node owns the address, and answering when that one says that it does', () => {
    const { host, clock, desire, available, sent, wire, owned } = make();
    desire([announce(V4)]);
    available('b');
    available('a', 'b');
    assert.equal(owned(), []);
    sent();
    host.deliver('eth0', arpRequest(V4));
    assert.equal(sent(), [`eth0 Reply ${V4} is 02:00:00:00:00:02 to ${CLIENT}`]);
    wire.taken({ kind: 'Taken', addresses: [addressIdOf(V4)] });
    host.deliver('eth0', arpRequest(V4));
    clock.advance(5000);
    assert.equal(sent(), []);
  });
  test('goes on for a second where no other node says that it answers', () => {
    const { host, clock, desire, available, sent } = make();
    desire([announce(V4)]);
    available('b');
    available('a', 'b');
    clock.advance(900);
    sent();
    host.deliver('eth0', arpRequest(V4));
    assert.is(sent().length, 1);
    clock.advance(100);
    host.deliver('eth0', arpRequest(V4));
    assert.equal(sent(), []);
  });
  test('announces anew what it gets back while it hands it over', () => {
    const { desire, available, sent } = make();
    desire([announce(V4)]);
    available('b');
    available('a', 'b');
    sent();
    available('b');
    assert.ok(sent().some((frame) => frame.includes(`${V4} is 02:00:00:00:00:02`)));
  });
  test('hands over what only other nodes may announce by now, and ends at once what nobody may', () => {
    for (const elsewhere of [[V4], []]) {
      const { host, desire, available, sent, wire } = make();
      desire([announce(V4, { candidates: ['b', 'a'] })]);
      available('a', 'b');
      sent();
      wire.desire({ kind: 'Desired', node: 'b', announcements: [], excludeInterfaces: '', elsewhere });
      host.deliver('eth0', arpRequest(V4));
      assert.is(sent().length, elsewhere.length);
    }
  });
  test('keeps, when sticky and after the cluster had time to start, what it has when a better node returns', () => {
    for (const [uptimeMs, keeps] of [
      [29_000, []],
      [30_000, [V4]],
    ] as const) {
      const { clock, desire, wire, owned, claims, posted } = make();
      let view = 0;
      const available = (...nodes: string[]) => {
        view += 1;
        wire.available({ kind: 'Available', nodes, view, announceAgain: false, isSticky: true });
      };
      desire([announce(V4)]);
      available('b');
      clock.advance(uptimeMs);
      available('a', 'b');
      assert.equal(
        owned().map(({ address }) => address),
        [...keeps],
      );
      assert.equal(claims.at(-1) ?? [], keeps.map(addressIdOf));
      assert.equal(posted.findLast((message) => message.kind === 'Owned')?.keeps, [...keeps]);
    }
  });
  test('tells what it takes from a node that lives, and not what a lost node leaves it', () => {
    const { desire, available, took } = make();
    desire([announce(V4)]);
    available('a', 'b');
    available('b');
    assert.equal(took, []);
    desire([announce(V4), announce(V6)]);
    assert.equal(took, [addressIdOf(V6)]);
  });
  test('answers only on the interfaces that the announcement names', () => {
    const { host, desire, available, sent, owned } = make();
    desire([announce(V4, { interfaces: ['eth1'] })]);
    available('b');
    for (const name of ['eth0', 'eth1']) host.deliver(name, arpRequest(V4));
    assert.ok(sent().every((frame) => frame.startsWith('eth1')));
    assert.equal(owned(), [{ service: 'shop/web', address: V4, interfaces: ['eth1'], since: 1000 }]);
  });
  test('unites the interfaces of Services that share an address', () => {
    const { desire, available, owned } = make();
    const shared = [
      announce(V4, { interfaces: ['eth0'] }),
      announce(V4, { service: 'shop/api', interfaces: ['eth1'] }),
    ];
    desire(shared);
    available('b');
    assert.equal(
      owned().map(({ service, interfaces }) => `${service} ${interfaces}`),
      ['shop/web eth0', 'shop/api eth1'],
    );
  });
  test('announces an address once however many Services share it, and answers until the last of them goes', () => {
    const { host, clock, desire, available, sent } = make([fakeInterface(2, 'eth0')]);
    const isAnswered = (): boolean => {
      sent();
      host.deliver('eth0', arpRequest(V4));
      return sent().length === 1;
    };
    const [tcp, udp] = [announce(V4, { service: 'shop/tcp' }), announce(V4, { service: 'shop/udp' })];
    desire([tcp]);
    available('b');
    const alone = sent();
    clock.advance(10_000);
    sent();
    desire([tcp, udp]);
    clock.advance(10_000);
    assert.equal(sent(), [], 'who joins is no news to the network');
    desire([udp]);
    clock.advance(10_000);
    assert.equal(sent(), [], 'nor is who leaves');
    assert.ok(isAnswered());
    desire([]);
    assert.not(isAnswered());
    desire([tcp, udp]);
    assert.equal(sent(), alone, 'both at once are announced like one');
  });
  test('owns without interfaces when none of the wanted ones exists', () => {
    const { desire, available, owned } = make();
    desire([announce(V4, { interfaces: ['bond7'] })]);
    available('b');
    assert.equal(owned()[0]?.interfaces, []);
  });

  const ineligible: [name: string, given: Parameters<typeof fakeInterface>[2], exclude?: string][] = [
    ['excluded', {}, '^eth.*'],
    ['down', { isUp: false }],
    ['without carrier', { hasCarrier: false }],
    ['a member of a bridge', { master: 9 }],
    ['without ARP', { hasArp: false }],
    ['not Ethernet', { mac: undefined }],
  ];
  for (const [name, given, exclude] of ineligible)
    test(`stays silent on an interface that is ${name}`, () => {
      const { host, desire, available, sent } = make([fakeInterface(2, 'eth0', given)]);
      desire([announce(V4), announce(V6)], exclude);
      available('b');
      host.deliver('eth0', arpRequest(V4));
      assert.equal(sent(), []);
      assert.not.match(host.print(), /socket/);
    });
  test('speaks no NDP without a link-local address, and no ARP without broadcast', () => {
    const { host } = make([
      fakeInterface(2, 'eth0', { addresses: [] }),
      fakeInterface(3, 'eth1', { hasBroadcast: false }),
    ]);
    assert.is(host.print(), 'eth0 UP 02:00:00:00:00:02\n    Arp socket\neth1 UP 02:00:00:00:00:03\n    Ipv6 socket');
  });
  test('announces on an interface whose carrier returns, and only there', () => {
    const { host, desire, available, sent } = make();
    desire([announce(V4)]);
    available('b');
    host.setInterface(fakeInterface(3, 'eth1', { hasCarrier: false }));
    sent();
    host.setInterface(fakeInterface(3, 'eth1'));
    assert.equal([...new Set(sent().map((frame) => frame.split(' ')[0]))], ['eth1']);
  });
  test('uses the new MAC address after a change', () => {
    const { host, desire, available, sent } = make([fakeInterface(2, 'eth0')]);
    desire([announce(V4)]);
    available('b');
    host.setInterface(fakeInterface(2, 'eth0', { mac: '02:00:00:00:00:77' }));
    sent();
    host.deliver('eth0', arpRequest(V4));
    assert.equal(sent(), [`eth0 Reply ${V4} is 02:00:00:00:00:77 to ${CLIENT}`]);
  });

  test('is ready after the first desired set', () => {
    const { desire, posted } = make();
    assert.equal(posted, []);
    desire([]);
    desire([]);
    assert.equal(
      posted.filter(({ kind }) => kind === 'Ready'),
      [{ kind: 'Ready' }],
    );
  });
  test('keeps the time since when it owns an address', () => {
    const { clock, desire, available, owned } = make();
    desire([announce(V4)]);
    available('b');
    owned();
    clock.advance(500);
    desire([announce(V4), announce(V6)]);
    assert.equal(
      owned().map(({ address, since }) => `${address} ${since}`),
      [`${V4} 1000`, `${V6} 1500`],
    );
  });
  test('drops an older view', () => {
    const { wire, desire, owned } = make();
    desire([announce(V4)]);
    wire.available({ kind: 'Available', nodes: ['b'], view: 2, announceAgain: false });
    wire.available({ kind: 'Available', nodes: ['a', 'b'], view: 1, announceAgain: false });
    assert.is(owned().length, 1);
  });
  test('announces all that it owns once more when asked', () => {
    const { wire, desire, available, sent } = make([fakeInterface(2, 'eth0')]);
    desire([announce(V4)]);
    available('b');
    sent();
    wire.available({ kind: 'Available', nodes: ['b', 'c'], view: 9, announceAgain: true });
    assert.is(sent().length, 2);
  });
  test('answers nothing after it has left, and says so once', () => {
    const { host, clock, wire, desire, available, posted, sent } = make();
    desire([announce(V4)]);
    available('b');
    wire.leave();
    wire.leave();
    sent();
    host.deliver('eth0', arpRequest(V4));
    available('b', 'c');
    desire([announce(V4), announce(V6)]);
    clock.advance(10_000);
    assert.equal(sent(), []);
    assert.is(posted.filter(({ kind }) => kind === 'Left').length, 1);
    assert.is(posted.at(-1)?.kind, 'Left');
  });
});

spec('faults of the wire', (test) => {
  test('a bad expression for excluded interfaces is fatal', () => {
    const { desire, posted } = make();
    desire([], '(');
    const fault = posted.find((message) => message.kind === 'Fault');
    assert.equal([fault?.reason, fault?.fatal], ['InvalidExcludeInterfaces', true]);
  });
  test('a socket that cannot be opened is reported once, tried again every second, and then answers', () => {
    const { host, clock, desire, available, posted, sent } = make([fakeInterface(2, 'eth0')]);
    host.setInterface(fakeInterface(2, 'eth0', { isUp: false }));
    host.refusesWith = 'EMFILE';
    host.setInterface(fakeInterface(2, 'eth0'));
    desire([announce(V4)]);
    available('b');
    clock.advance(3000);
    const faults = posted.filter((message) => message.kind === 'Fault');
    assert.equal(
      faults.map(({ reason, fatal }) => `${reason} ${fatal}`),
      ['PacketSocketFailed false'],
    );
    host.refusesWith = undefined;
    clock.advance(1000);
    sent();
    host.deliver('eth0', arpRequest(V4));
    assert.is(sent().length, 1);
  });
  test('a frame that cannot be sent stops nothing', () => {
    const { host, clock, desire, available, sent } = make([fakeInterface(2, 'eth0')]);
    host.sendFailsWith = 'ENOBUFS';
    desire([announce(V4)]);
    available('b');
    host.sendFailsWith = undefined;
    clock.advance(50);
    assert.is(sent().length, 2);
  });
});

spec('layer 2 counters', (test) => {
  const MINE = { candidates: ['b'] };
  function counted() {
    const wire = make([fakeInterface(2, 'eth0')]);
    wire.desire([announce(V4, MINE), announce(V6, MINE)]);
    wire.available('b');
    for (let n = 0; n < 3; n++) wire.host.deliver('eth0', arpRequest(V4));
    wire.clock.advance(1000);
    return wire;
  }
  const counters = (posted: readonly FromWire[]) => posted.filter((message) => message.kind === 'Counters');

  test('are posted every second in which they changed', () => {
    const { clock, posted } = counted();
    assert.equal(counters(posted).at(-1)?.addresses, [
      { address: V4, requestsReceived: 3, responsesSent: 3, gratuitousSent: 4 },
      { address: V6, requestsReceived: 0, responsesSent: 0, gratuitousSent: 2 },
    ]);
    clock.advance(10_000);
    const posts = counters(posted).length;
    clock.advance(10_000);
    assert.is(counters(posted).length, posts);
  });
  test('become metrics under MetalLB names, and leave with their address', async () => {
    const { clock, desire, posted } = counted();
    const registry = new Registry();
    const metrics = createLayer2Metrics(registry);
    const record = (): void => metrics.record(counters(posted).at(-1)?.addresses ?? []);
    record();
    record(); // the same totals again change nothing
    const samples = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith('metallb'));
    assert.equal(await samples(), [
      `metallb_layer2_requests_received{ip="${V4}"} 3`,
      `metallb_layer2_requests_received{ip="${V6}"} 0`,
      `metallb_layer2_responses_sent{ip="${V4}"} 3`,
      `metallb_layer2_responses_sent{ip="${V6}"} 0`,
      `metallb_layer2_gratuitous_sent{ip="${V4}"} 4`,
      `metallb_layer2_gratuitous_sent{ip="${V6}"} 2`,
    ]);
    desire([announce(V6, MINE)]);
    clock.advance(10_000);
    record();
    assert.equal(
      (await samples()).filter((line) => line.includes(V4)),
      [],
    );
  });
});
