/** The wire thread against a real kernel: a client's neighbour table is what counts. Needs root; run as its own process. */

import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { type IpAddress, parseIp } from '../../net/address.ts';
import { BROADCAST_MAC } from '../../net/mac.ts';
import { decodeArp, encodeArp } from '../../protocols/arp/arp.ts';
import { decodeEthernet, ETHERTYPE, encodeEthernet } from '../../protocols/ethernet/ethernet.ts';
import { decodeIcmpv6, encodeIcmpv6 } from '../../protocols/ndp/icmpv6.ts';
import {
  decodeNeighborAdvertisement,
  encodeNeighborSolicitation,
  NEIGHBOR_ADVERTISEMENT,
  NEIGHBOR_SOLICITATION,
} from '../../protocols/ndp/ndp.ts';
import {
  announcement,
  type Ear,
  enterNamespace,
  eventually,
  forgetNeighbours,
  ip,
  type LabNode,
  neighbour,
  poke,
  Segment,
} from './netns-lab.ts';

const V4 = '192.0.2.10';
const V6 = '2001:db8::10';
const MAC_A = '02:00:00:00:00:0a';
const MAC_B = '02:00:00:00:00:0b';

if (enterNamespace(import.meta.filename))
  spec('the wire thread on a real segment', (test) => {
    /** A segment with nodes a and b, both told to announce both addresses, a first; nobody is available yet. */
    async function inLab(body: (lab: { segment: Segment; a: LabNode; b: LabNode }) => Promise<void>): Promise<void> {
      const segment = new Segment();
      try {
        const [a, b] = await Promise.all([segment.addNode('a', MAC_A), segment.addNode('b', MAC_B)]);
        for (const node of [a, b]) {
          node.desire([announcement(V4, 'a', 'b'), announcement(V6, 'a', 'b')]);
          await node.until('Ready');
        }
        await body({ segment, a, b });
      } finally {
        segment.close();
      }
    }
    const resolved = async (address: string, mac: string): Promise<void> => {
      poke(address);
      await eventually(() => neighbour(address), mac);
    };

    test('answers ARP for an owned address with its MAC address, and for no other', () =>
      inLab(async ({ a, b }) => {
        for (const node of [a, b]) node.available('a', 'b');
        await resolved(V4, MAC_A);
        poke('192.0.2.11');
        await eventually(() => neighbour('192.0.2.11'), 'FAILED');
      }));

    test('answers neighbour solicitations for an owned address, and for no other', () =>
      inLab(async ({ a, b }) => {
        for (const node of [a, b]) node.available('a', 'b');
        await resolved(V6, MAC_A);
        poke('2001:db8::11');
        await eventually(() => neighbour('2001:db8::11'), 'FAILED');
      }));

    test('is heard at once through a switch that snoops on MLD', () =>
      inLab(async ({ segment, a }) => {
        await segment.snoop();
        a.available('a');
        await a.until('Owned', ({ services }: { services: unknown[] }) => services.length > 0);
        // not by the neighbour table: that learns from the burst as well
        await ask(segment.listen('Ipv6'), (mac) => solicitation(mac, '33:33:ff:00:00:10', 'ff02::1:ff00:10'));
      }));

    test('answers nothing before anybody is available', () =>
      inLab(async () => {
        poke(V4);
        poke(V6);
        await eventually(() => neighbour(V4), 'FAILED');
        await eventually(() => neighbour(V6), 'FAILED');
      }));

    test('tells the client of a takeover within 50 ms', () =>
      inLab(async ({ segment, a, b }) => {
        for (const node of [a, b]) node.available('a', 'b');
        await resolved(V4, MAC_A);
        await resolved(V6, MAC_A);
        const changes = await segment.monitorNeighbours();
        ip(`link set dev ${segment.port(a)} nomaster`); // silence: its carrier stays
        const start = performance.now();
        b.available('b');
        for (const address of [V4, V6]) {
          await eventually(() => `${changes.has(`${address} ${MAC_B}`)}`, 'true');
          const took = (changes.get(`${address} ${MAC_B}`) ?? 0) - start;
          process.stdout.write(`takeover of ${address} seen by the client after ${took.toFixed(1)} ms\n`);
          assert.ok(took < 50, `${took} ms`);
          assert.is(neighbour(address), MAC_B);
        }
      }));

    test('answers again after the link was down and up', () =>
      inLab(async ({ segment, a }) => {
        a.available('a', 'b');
        await resolved(V4, MAC_A);
        for (const change of ['down', 'up', 'down', 'up']) {
          ip(`link set dev ${segment.port(a)} ${change}`);
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        forgetNeighbours(segment);
        await resolved(V4, MAC_A);
        await resolved(V6, MAC_A);
      }));

    test('answers on an interface that comes later, and announces there', () =>
      inLab(async ({ segment, a }) => {
        a.available('a');
        await resolved(V4, MAC_A);
        const changes = await segment.monitorNeighbours();
        segment.plug(a, 'eth1', '02:00:00:00:01:0a');
        await eventually(() => `${changes.has(`${V4} 02:00:00:00:01:0a`)}`, 'true');
      }));

    test('answers on no excluded interface', () =>
      inLab(async ({ a }) => {
        a.available('a');
        await resolved(V4, MAC_A);
        ip('neigh flush all');
        a.desire([announcement(V4, 'a')], '^eth.*');
        await a.until('Owned', ({ services }: { services: { interfaces: string[] }[] }) =>
          services.some(({ interfaces }) => interfaces.length === 0),
        );
        poke(V4);
        await eventually(() => neighbour(V4), 'FAILED');
      }));

    test('answers nothing after it has left', () =>
      inLab(async ({ segment, a }) => {
        a.available('a');
        await resolved(V4, MAC_A);
        await resolved(V6, MAC_A);
        a.send({ kind: 'Leave' });
        await a.until('Left');
        forgetNeighbours(segment);
        poke(V4);
        poke(V6);
        await eventually(() => neighbour(V4), 'FAILED');
        await eventually(() => neighbour(V6), 'FAILED');
      }));

    test('defends an address against duplicate address detection', () =>
      inLab(async ({ segment, a }) => {
        a.available('a');
        await resolved(V6, MAC_A);
        for (const scope of ['all', segment.name]) writeFileSync(`/proc/sys/net/ipv6/conf/${scope}/accept_dad`, '1');
        ip(`addr add ${V6}/64 dev ${segment.name}`);
        await eventually(() => `${/dadfailed/.test(ip(`-6 addr show dev ${segment.name}`))}`, 'true', 3000);
      }));

    test('answers a unicast solicitation without source link-layer address', () =>
      inLab(async ({ segment, a }) => {
        a.available('a');
        await resolved(V6, MAC_A);
        const answer = await ask(segment.listen('Ipv6'), (mac) => solicitation(mac, MAC_A, V6));
        const packet = decodeIcmpv6(answer);
        assert.is(packet?.type, NEIGHBOR_ADVERTISEMENT);
        const advertisement = decodeNeighborAdvertisement(packet?.body ?? new Uint8Array());
        assert.equal([advertisement?.solicited, advertisement?.targetLinkLayerAddress], [true, MAC_A]);
      }));

    test('says which capability it lacks', async () => {
      const segment = new Segment();
      try {
        const node = await segment.addNode('a', MAC_A, 'net_admin,bpf');
        await node.until(
          'Fault',
          ({ reason, message, fatal }: { reason: string; message: string; fatal: boolean }) =>
            reason === 'MissingCapability' && fatal && message.includes('NET_RAW'),
        );
      } finally {
        segment.close();
      }
    });

    test('announces 1,000 addresses of a lost node within a second', () =>
      inLab(async ({ segment, b }) => {
        const addresses = Array.from({ length: 1000 }, (_, n) => `198.51.${100 + (n >> 8)}.${n & 255}`);
        b.desire(addresses.map((address) => announcement(address, 'a', 'b')));
        b.available('a', 'b');
        const ear = segment.listen('Arp');
        await new Promise((resolve) => setTimeout(resolve, 200));
        const start = performance.now();
        b.available('b');
        const announced = new Set<bigint>();
        await eventually(() => `${takeAnnounced(ear.heard, announced)}`, '1000', 3000);
        const took = performance.now() - start;
        process.stdout.write(`1,000 addresses announced after ${took.toFixed(0)} ms\n`);
        assert.ok(took < 1000, `${took} ms`);
      }));

    test('answers ARP quickly', () =>
      inLab(async ({ segment, a }) => {
        a.available('a');
        await resolved(V4, MAC_A);
        const samples: number[] = [];
        const ear = segment.listen('Arp');
        for (let n = 0; n < 200; n++) {
          const start = performance.now();
          const before = ear.heard.length;
          ear.send(arpRequest(ear.mac, V4));
          while (ear.heard.length === before) await new Promise((resolve) => setImmediate(resolve));
          samples.push((performance.now() - start) * 1000);
        }
        samples.sort((x, y) => x - y);
        const at = (share: number): string => (samples[Math.floor(samples.length * share)] ?? 0).toFixed(0);
        process.stdout.write(`ARP answered in ${at(0.5)} us (median), ${at(0.99)} us (p99)\n`);
      }));
  });

const arpRequest = (mac: string, target: string): Uint8Array =>
  encodeEthernet({
    destination: BROADCAST_MAC,
    source: mac,
    etherType: ETHERTYPE.Arp,
    payload: encodeArp({
      op: 'Request',
      sha: mac,
      spa: parseIp('192.0.2.1') as IpAddress,
      tha: '00:00:00:00:00:00',
      tpa: parseIp(target) as IpAddress,
    }),
  });

/** A solicitation for the IPv6 address, without source link-layer address. */
const solicitation = (source: string, destination: string, group: string): Parameters<typeof encodeEthernet>[0] => ({
  source,
  destination,
  etherType: ETHERTYPE.Ipv6,
  payload: encodeIcmpv6({
    source: parseIp('2001:db8::1') as IpAddress,
    destination: parseIp(group) as IpAddress,
    hopLimit: 255,
    type: NEIGHBOR_SOLICITATION,
    code: 0,
    body: encodeNeighborSolicitation({ target: parseIp(V6) as IpAddress, sourceLinkLayerAddress: undefined }),
  }),
});

/** Moves the addresses of gratuitous ARP requests from `frames` to `announced`; how many that are by now. */
function takeAnnounced(frames: Uint8Array[], announced: Set<bigint>): number {
  for (const frame of frames.splice(0)) {
    const arp = decodeArp(frame.subarray(14));
    if (arp?.op === 'Request' && arp.spa.value === arp.tpa.value) announced.add(arp.spa.value);
  }
  return announced.size;
}

/** Sends one frame from the client and returns the payload of the first that node a sends to it alone. */
async function ask(ear: Ear, frame: (mac: string) => Parameters<typeof encodeEthernet>[0]): Promise<Uint8Array> {
  ear.send(encodeEthernet(frame(ear.mac)));
  const fromNode = (): Uint8Array | undefined =>
    ear.heard
      .map((octets) => decodeEthernet(octets))
      .find((decoded) => decoded?.source === MAC_A && decoded.destination === ear.mac)?.payload;
  await eventually(() => `${fromNode() !== undefined}`, 'true');
  return fromNode() ?? new Uint8Array();
}
