/** The stage of the responders' contract: one node that owns addresses, and a client that sends it frames and hears all it says. */

import * as assert from 'uvu/assert';
import type { L2Announcement } from '../../../advertising/announcement.ts';
import { decodeEthernet } from '../../../protocols/ethernet/ethernet.ts';
import type { FromWire } from '../../messages.ts';
import type { ResponderChoice } from '../choose-responder.ts';
import { announcement, type Ear, type LabNode, Segment, SPEAKER_CAPABILITIES } from '../netns-lab.ts';
import { arpRequest, solicitation } from './frames.ts';

export const V4 = '192.0.2.10';
export const V6 = '2001:db8::10';
export const NODE_MAC = '02:00:00:00:00:0a';
/** Long enough for every answer that could still come; more than the 100 ms of the nodes' lease. */
const QUIET_MS = 150;
const EVENTUALLY_MS = 3000;

export type Test = (name: string, body: () => unknown) => void;
type Of<Kind extends FromWire['kind']> = Extract<FromWire, { kind: Kind }>;

export class Stage {
  readonly segment: Segment;
  readonly node: LabNode;
  readonly #ears: readonly Ear[];

  constructor(segment: Segment, node: LabNode) {
    this.segment = segment;
    this.node = node;
    this.#ears = [segment.listen('Arp'), segment.listen('Ipv6')];
  }

  /** Makes the node own these addresses, and waits until its burst of announcements is over its first shots. */
  async own(...announcements: readonly (L2Announcement | string)[]): Promise<void> {
    this.node.received.length = 0;
    this.node.desire(announcements.map((one) => (typeof one === 'string' ? announcement(one, 'a') : one)));
    this.node.available('a');
    await this.node.until('Owned', ({ services }: Of<'Owned'>) => services.length === announcements.length);
  }

  /** Sends frames from the client, in order. */
  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.#ears[0]?.send(frame);
  }

  /** What the node says to the client alone, or in answer to a probe, from now until it has been quiet for a while. */
  async answersTo(...frames: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    for (const { heard } of this.#ears) heard.length = 0;
    this.send(...frames);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    return this.heard();
  }

  /** What was heard from the node so far that is no announcement of its own. */
  heard(): readonly Uint8Array[] {
    return this.#ears.flatMap(({ heard }) => heard).filter((frame) => isFromNode(frame) && !isGratuitous(frame));
  }

  /** Asks for both addresses and says which of them were answered. */
  async answered(): Promise<readonly string[]> {
    const frames = await this.answersTo(arpRequest(V4), solicitation(V6));
    return frames.map((frame) => (decodeEthernet(frame)?.etherType === 0x0806 ? 'ARP' : 'NDP')).toSorted();
  }

  /** Whether the node falls silent within `withinMs`, asked again and again. */
  async fallsSilent(withinMs: number): Promise<void> {
    const start = performance.now();
    while ((await this.answered()).length > 0)
      if (performance.now() - start > withinMs) throw new Error(`it still answers after ${withinMs} ms`);
  }

  /** The last message of a kind. */
  last<Kind extends FromWire['kind']>(kind: Kind): Of<Kind> {
    const found = this.node.received.findLast((message) => message.kind === kind);
    assert.ok(found, `the node has said nothing of kind ${kind}`);
    return found as Of<Kind>;
  }
}

/** Runs `body` with a node that owns one address of each family, and checks which responder it chose. */
export async function onStage(choice: ResponderChoice, body: (stage: Stage) => Promise<void>): Promise<void> {
  const segment = new Segment();
  try {
    const node = await segment.addNode('a', NODE_MAC, SPEAKER_CAPABILITIES, choice);
    await node.until('Responder', ({ responder }: Of<'Responder'>) => {
      assert.is(responder.kind, choice === 'packet' ? 'Packet' : 'Kernel', responder.message);
      return true;
    });
    const stage = new Stage(segment, node);
    await stage.own(V4, V6);
    await eventuallyAnswered(stage);
    await body(stage);
  } finally {
    segment.close();
  }
}

/** An interface that has just come up needs a moment for its link-local address. */
export const eventuallyAnswered = (stage: Stage): Promise<void> =>
  eventuallyIs(async () => (await stage.answered()).join(), 'ARP,NDP');

/** Waits until `read()` gives `wanted`; after 3 s it fails with what it read last. */
export async function eventuallyIs<T>(read: () => Promise<T>, wanted: T): Promise<void> {
  const start = performance.now();
  for (;;) {
    const last = await read();
    if (last === wanted) return;
    if (performance.now() - start > EVENTUALLY_MS) assert.is(last, wanted);
  }
}

const isFromNode = (frame: Uint8Array): boolean =>
  decodeEthernet(frame)?.source.startsWith('02:00:00:00:0') === true && !isFromClient(frame);
const isFromClient = (frame: Uint8Array): boolean => frame[11] === 0xc1;

/** An ARP Announcement, or an advertisement to all nodes that nobody asked for: bursts of new owners. */
function isGratuitous(frame: Uint8Array): boolean {
  const isBroadcast = frame[0] === 0xff || (frame[0] === 0x33 && frame[5] === 0x01);
  const isMld = frame[12] === 0x86 && (frame[20] !== 58 || frame[54] !== 136);
  return isBroadcast || isMld;
}
