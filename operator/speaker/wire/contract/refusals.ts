/** The contract: what is not answered. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { ResponderChoice } from '../choose-responder.ts';
import { announcement } from '../netns-lab.ts';
import { arpRequest, flipped, ipOf, malformed, solicitation, tagged } from './frames.ts';
import { eventuallyIs, NODE_MAC, onStage, type Stage, type Test, V4, V6 } from './stage.ts';

const FUZZED = Number(process.env['FUZZ_FRAMES'] ?? 20_000);
/** So many at once fit into the queues between two namespaces. */
const FUZZ_BATCH = 500;
/** What a heap may grow by until it is collected. */
const MAY_GROW_KIB = 16 * 1024;

export function refusals(test: Test, choice: ResponderChoice): void {
  test('nothing is said to requests that RFC 826 and RFC 4861 7.1.1 do not allow, or that are for others', () =>
    onStage(choice, async (stage) => {
      const [arp, ndp] = [arpRequest(V4), solicitation(V6)];
      const refused: Readonly<Record<string, Uint8Array>> = {
        'an address of nobody': arpRequest('192.0.2.11'),
        'an address of nobody, IPv6': solicitation('2001:db8::11'),
        'the last 32 bits alone are ours': solicitation('2001:db8:1::10'),
        'a reply': arpRequest(V4, { op: 'Reply' }),
        'for another station': arpRequest(V4, { destination: '02:00:00:00:00:77' }),
        'for another station, IPv6': solicitation(V6, { etherDestination: '02:00:00:00:00:77' }),
        'asks for its own address': arpRequest(V4, { spa: ipOf(V4) }),
        'our own frame': arpRequest(V4, { sha: NODE_MAC, source: NODE_MAC }),
        'no Ethernet': flipped(arp, 15, 7),
        'hardware addresses of 8 octets': flipped(arp, 18, 14),
        'a tag of a VLAN': tagged(arp, 5),
        'a tag of a VLAN, IPv6': tagged(ndp, 5),
        'was forwarded by a router': solicitation(V6, { hopLimit: 254 }),
        'a code': solicitation(V6, { code: 1 }),
        'a wrong checksum': flipped(ndp, 56),
        'another type of ICMPv6': solicitation(V6, { type: 136 }),
        'a group as its target': solicitation('ff02::1:ff00:10'),
        'a group as its source': solicitation(V6, { source: ipOf('ff02::2') }),
        'from nowhere, to the address itself': solicitation(V6, {
          source: ipOf('::'),
          destination: ipOf(V6),
          linkLayerAddress: undefined,
        }),
        'from nowhere, with an address': solicitation(V6, { source: ipOf('::') }),
        'an option of length 0': solicitation(V6, { furtherOptions: [14, 0, 0, 0, 0, 0, 0, 0] }),
        'ends early': arp.slice(0, 40),
        'ends early, IPv6': ndp.slice(0, 85),
      };
      for (const [what, frame] of Object.entries(refused)) assert.is((await stage.answersTo(frame)).length, 0, what);
      assert.equal(await stage.answered(), ['ARP', 'NDP']);
    }));

  test('an address is answered on its interfaces only', () =>
    onStage(choice, async (stage) => {
      stage.segment.plug(stage.node, 'eth1', '02:00:00:00:01:0a');
      const only = (...interfaces: readonly string[]) =>
        [V4, V6].map((ip) => ({ ...announcement(ip, 'a'), interfaces }));
      await stage.own(...only('eth1'));
      const sources = async (): Promise<string> => (await sourcesOf(stage)).join();
      await eventuallyIs(sources, '02:00:00:00:01:0a');
      await stage.own(...only('eth0'));
      await eventuallyIs(sources, NODE_MAC);
      await stage.own(...only('eth7'));
      await eventuallyIs(sources, '');
    }));

  test(`${FUZZED} malformed frames: no answer, no growth, and the next request is answered`, () =>
    onStage(choice, async (stage) => {
      assert.is((await stage.answersTo()).length, 0);
      const before = memoryOf(stage.node.processId);
      let sent = 0;
      for (const frame of malformed(FUZZED, { v4: V4, v6: V6 })) {
        stage.send(frame);
        sent += 1;
        if (sent % FUZZ_BATCH === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(
        stage.heard().map((frame) => Buffer.from(frame).toString('hex')),
        [],
      );
      assert.equal(await stage.answered(), ['ARP', 'NDP']);
      assert.is(stage.node.received.filter(({ kind }) => kind === 'Fault').length, 0);
      const grown = memoryOf(stage.node.processId) - before;
      assert.ok(grown < MAY_GROW_KIB, `${grown} KiB more`);
    }));

  test('the kernel of a host that has the address too is told on', () =>
    onStage(choice, async (stage) => {
      const { node } = stage;
      node.desire([announcement(V4, 'b', 'a'), announcement(V6, 'b', 'a')]);
      node.available('a', 'b');
      await eventuallyIs(async () => (await stage.answered()).length, 0);
      node.run('ip link add other0 type bridge');
      node.run(`ip addr add ${V4}/32 dev other0`);
      await node.until(
        'Fault',
        ({ reason, message }: { reason: string; message: string }) =>
          reason === 'KernelAnswersToo' && message.includes('other0') && message.includes('strictARP'),
      );
      // the program in the kernel comes before the host's own answer; packet sockets come beside it
      const answers = choice === 'packet' ? 1 : 0;
      await eventuallyIs(async () => (await stage.answersTo(arpRequest(V4))).length, answers);
      node.run('sysctl -q -w net.ipv4.conf.all.arp_ignore=1');
      assert.is((await stage.answersTo(arpRequest(V4))).length, 0);
    }));
}

/** Resident memory in KiB. */
const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

const sourcesOf = async (stage: Stage): Promise<readonly string[]> => {
  const frames = await stage.answersTo(arpRequest(V4), solicitation(V6));
  const sources = frames.map((frame) =>
    Buffer.from(frame.subarray(6, 12))
      .toString('hex')
      .replaceAll(/(..)(?!$)/g, '$1:'),
  );
  return [...new Set(sources)].toSorted();
};
