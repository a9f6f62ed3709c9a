/** Duplicate address detection against a real kernel that has the address, or has not. Needs root; run as its own process. */

import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { ProbeResult } from '../../../crds/node-announcement.ts';
import { spec } from '../../../testing/spec.ts';
import type { FromWire } from '../messages.ts';
import { enterNamespace, ip, type LabNode, neighbour, Segment } from './netns-lab.ts';

const CLIENT = '02:00:00:00:00:c1';
const MAC_A = '02:00:00:00:00:0a';
const MAC_B = '02:00:00:00:00:0b';
type Probed = Extract<FromWire, { kind: 'Probed' }>;

/** Has `node` ask for addresses, and returns what it says of all of them, and when it said the last, ms. */
async function probe(node: LabNode, ...addresses: string[]): Promise<{ said: ProbeResult[]; took: number }> {
  const start = performance.now();
  const probes = addresses.map((address) => ({ uid: `${node.name} ${address}`, address, interfaces: 'all' as const }));
  node.send({ kind: 'Probe', probes, excludeInterfaces: '' });
  await node.until('Probed', ({ results }: Probed) => results.length === addresses.length);
  const last = node.received.findLast((message) => message.kind === 'Probed');
  return { said: [...(last?.results ?? [])], took: performance.now() - start };
}
const inWords = ({ result, mac, interface: where }: ProbeResult): string =>
  [result, mac, where].filter((part) => part !== undefined).join(' ');

if (enterNamespace(import.meta.filename))
  spec(
    'duplicate address detection on a real segment',
    (test) => {
      async function inLab(body: (segment: Segment, a: LabNode, b: LabNode) => Promise<void>): Promise<void> {
        const segment = new Segment();
        try {
          const [a, b] = await Promise.all([segment.addNode('a', MAC_A), segment.addNode('b', MAC_B)]);
          for (const node of [a, b]) {
            node.desire([]);
            await node.until('Ready');
          }
          await body(segment, a, b);
        } finally {
          segment.close();
        }
      }

      test('names the kernel that has the address, of both families, within half a second', () =>
        inLab(async (_segment, a) => {
          const { said, took } = await probe(a, '192.0.2.1', '2001:db8::1');
          assert.equal(said.map(inWords), Array(2).fill(`Conflict ${CLIENT} eth0`));
          assert.ok(took < 500, `took ${took} ms`);
        }));

      test('says within 5 s that nobody has an address, and leaves no trace in the caches of others', () =>
        inLab(async (_segment, a) => {
          const { said, took } = await probe(a, '192.0.2.10', '2001:db8::10');
          assert.equal(said.map(inWords), ['Free', 'Free']);
          assert.ok(took > 3000 && took < 5000, `took ${took} ms`);
          assert.equal([neighbour('192.0.2.10'), neighbour('2001:db8::10')], ['unknown', 'unknown']);
        }));

      test('hears the owner through a switch that snoops on MLD', () =>
        inLab(async (segment, a) => {
          await segment.snoop();
          assert.equal((await probe(a, '2001:db8::1')).said.map(inWords), [`Conflict ${CLIENT} eth0`]);
        }));

      test('two nodes that ask at the same time both hear of it', () =>
        inLab(async (_segment, a, b) => {
          const both = ['192.0.2.10', '2001:db8::10'];
          const [byA, byB] = await Promise.all([probe(a, ...both), probe(b, ...both)]);
          const heard = [...byA.said, ...byB.said].map(inWords);
          assert.ok(heard.filter((word) => word.startsWith('Conflict')).length >= 2, heard.join());
          for (const { result, mac } of byA.said) if (result === 'Conflict') assert.is(mac, MAC_B);
        }));

      test('hears a kernel that begins to use the address at this moment (RFC 4862 5.4.3, with a nonce of its own)', () =>
        inLab(async (segment, a) => {
          for (const scope of ['all', segment.name]) writeFileSync(`/proc/sys/net/ipv6/conf/${scope}/accept_dad`, '1');
          // it asks at once: else our next solicitation may make it give up before it has asked
          writeFileSync(`/proc/sys/net/ipv6/conf/${segment.name}/router_solicitation_delay`, '0');
          const asking = probe(a, '2001:db8::20');
          await new Promise((resolve) => setTimeout(resolve, 500));
          ip(`addr add 2001:db8::20/64 dev ${segment.name}`);
          assert.equal((await asking).said.map(inWords), [`Conflict ${CLIENT} eth0`]);
        }));
    },
    { timeoutMs: 15_000 },
  );
