/** The contract: what is answered, how, and how it is counted. */

import * as assert from 'uvu/assert';
import { formatIp } from '../../../net/address.ts';
import { decodeArp } from '../../../protocols/arp/arp.ts';
import { decodeEthernet } from '../../../protocols/ethernet/ethernet.ts';
import { decodeIcmpv6 } from '../../../protocols/ndp/icmpv6.ts';
import { decodeNeighborAdvertisement, NEIGHBOR_ADVERTISEMENT } from '../../../protocols/ndp/ndp.ts';
import type { ResponderChoice } from '../choose-responder.ts';
import { announcement, eventually, forgetNeighbours, neighbour, poke } from '../netns-lab.ts';
import { arpRequest, CLIENT_MAC, ipOf, solicitation } from './frames.ts';
import { eventuallyAnswered, eventuallyIs, NODE_MAC, onStage, type Test, V4, V6 } from './stage.ts';

/** A nonce (RFC 3971 5.3.2), as kernels add it to their probes: an option that is skipped. */
const NONCE = [14, 1, 1, 2, 3, 4, 5, 6];

export function answers(test: Test, choice: ResponderChoice): void {
  test("a client's kernel resolves both families", () =>
    onStage(choice, async ({ segment }) => {
      forgetNeighbours(segment);
      for (const address of [V4, V6]) {
        poke(address);
        await eventually(() => neighbour(address), NODE_MAC);
      }
    }));

  test('a request is replied to the asker alone (RFC 826)', () =>
    onStage(choice, async (stage) => {
      const frames = await stage.answersTo(arpRequest(V4), arpRequest(V4, { destination: NODE_MAC }));
      assert.is(frames.length, 2);
      for (const octets of frames) {
        const frame = decodeEthernet(octets);
        const reply = frame && decodeArp(frame.payload);
        assert.equal([frame?.source, frame?.destination], [NODE_MAC, CLIENT_MAC]);
        assert.equal([reply?.op, reply?.sha, reply?.tha], ['Reply', NODE_MAC, CLIENT_MAC]);
        assert.equal([reply && formatIp(reply.spa), reply && formatIp(reply.tpa)], [V4, '192.0.2.1']);
      }
    }));

  test('a solicitation is answered in every form of RFC 4861 7.2.3', () =>
    onStage(choice, async (stage) => {
      const unicast = { destination: ipOf(V6), etherDestination: NODE_MAC };
      const forms = [
        solicitation(V6),
        solicitation(V6, unicast),
        solicitation(V6, { ...unicast, linkLayerAddress: undefined }),
        solicitation(V6, { furtherOptions: NONCE }),
      ];
      for (const form of forms) {
        const [octets, ...more] = await stage.answersTo(form);
        assert.is(more.length, 0);
        const frame = octets && decodeEthernet(octets);
        const packet = frame && decodeIcmpv6(frame.payload);
        assert.equal([frame?.source, frame?.destination], [NODE_MAC, CLIENT_MAC]);
        assert.equal([packet?.type, packet?.code, packet?.hopLimit], [NEIGHBOR_ADVERTISEMENT, 0, 255]);
        assert.equal([packet && formatIp(packet.source), packet && formatIp(packet.destination)], [V6, '2001:db8::1']);
        const { target, ...advertisement } = decodeNeighborAdvertisement(packet?.body ?? new Uint8Array()) ?? {};
        assert.is(target && formatIp(target), V6);
        assert.equal(advertisement, {
          router: false,
          solicited: true,
          override: true,
          targetLinkLayerAddress: NODE_MAC,
        });
      }
    }));

  test('an ARP Probe is answered: the address is defended (RFC 5227)', () =>
    onStage(choice, async (stage) => {
      const [octets] = await stage.answersTo(arpRequest(V4, { spa: ipOf('0.0.0.0') }));
      const reply = decodeArp(octets?.subarray(14) ?? new Uint8Array());
      assert.equal([reply?.op, reply && formatIp(reply.tpa)], ['Reply', '0.0.0.0']);
    }));

  test('requests and answers are counted by address, whoever answers', () =>
    onStage(choice, async (stage) => {
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const countsOf = (address: string): readonly number[] => {
        const { requestsReceived = 0, responsesSent = 0 } =
          stage.node.received
            .findLast((message) => message.kind === 'Counters')
            ?.addresses.find((counted) => counted.address === address) ?? {};
        return [requestsReceived, responsesSent];
      };
      const before = [countsOf(V4), countsOf(V6)].flat();
      const common = [arpRequest(V4), arpRequest(V4), arpRequest(V4), solicitation(V6), solicitation(V6)];
      const probes = [
        arpRequest(V4, { spa: ipOf('0.0.0.0') }),
        solicitation(V6, { linkLayerAddress: CLIENT_MAC, furtherOptions: NONCE }),
      ];
      stage.send(...common, ...probes);
      const gained = (): string =>
        [countsOf(V4), countsOf(V6)]
          .flat()
          .map((count, n) => count - (before[n] ?? 0))
          .join();
      await eventually(gained, '4,4,3,3', 2500);
    }));

  test('every interface answers with its own address, also after that has changed', () =>
    onStage(choice, async (stage) => {
      const { segment, node } = stage;
      segment.plug(node, 'eth1', '02:00:00:00:01:0a');
      const macs = async (): Promise<string> =>
        [...new Set((await stage.answersTo(arpRequest(V4))).map((frame) => decodeEthernet(frame)?.source))]
          .toSorted()
          .join();
      await eventuallyIs(macs, `${NODE_MAC},02:00:00:00:01:0a`);
      node.run('ip link set dev eth1 address 02:00:00:00:02:0a');
      await eventuallyIs(macs, `${NODE_MAC},02:00:00:00:02:0a`);
      node.run('ip link del dev eth1');
      await eventuallyIs(macs, NODE_MAC);
    }));

  test('10,000 addresses: each is answered, and one that goes is silent', () =>
    onStage(choice, async (stage) => {
      const addresses = Array.from({ length: 10_000 }, (_, n) =>
        n % 2 === 0 ? `198.${51 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}` : `2001:db8:1::${n.toString(16)}`,
      );
      const owned = addresses.map((address) => announcement(address, 'a'));
      await stage.own(...owned);
      await new Promise((resolve) => setTimeout(resolve, 1500)); // first shots and groups
      const asked = [0, 1, 4999, 5000, 9998, 9999].map((n) => addresses[n] ?? '');
      const request = (address: string): Uint8Array =>
        address.includes(':') ? solicitation(address) : arpRequest(address);
      const answeredFor = async (): Promise<number> => (await stage.answersTo(...asked.map(request))).length;
      await eventuallyIs(answeredFor, asked.length);
      await stage.own(...owned.slice(0, -1));
      await eventuallyIs(answeredFor, asked.length - 1);
      await stage.own(V4, V6);
      await eventuallyIs(answeredFor, 0);
      await eventuallyAnswered(stage);
    }));
}
