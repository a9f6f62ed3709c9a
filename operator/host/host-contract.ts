/** What every HostNetwork must do, as one suite: the fake and the kernel's driver both pass it. */

import * as assert from 'uvu/assert';
import { solicitedNodeGroup } from '../protocols/ndp/multicast.ts';
import type { HostNetwork, InterfaceInfo, PacketSocket, PacketSocketOptions } from './host-network.ts';
import { accept, drop, load, loadInterfaceIndex, require as requireValue } from './socket-filter.ts';

/** A host with an Ethernet interface `left`, and a way to act on its link from outside. */
export interface HostUnderTest {
  readonly host: HostNetwork;
  /** Lets a frame arrive on `left`. */
  deliver(frame: Uint8Array): void;
  /** What has come out of `left` since the start, frames from here included. */
  emitted(): readonly Uint8Array[];
  /** Takes `left` down, or up with its carrier. */
  setLink(state: 'up' | 'down'): void;
  /** Removes `left`. */
  remove(): void;
  close(): void;
}

/** A host and the sockets that a test has opened on it. */
type OpenedHost = HostUnderTest & { readonly opened: PacketSocket[] };

/** An ARP request for 192.0.2.`last` from 02:00:00:00:00:01. */
export const arpFor = (last: number): Uint8Array =>
  Buffer.from(
    `ffffffffffff0200000000010806000108000604000102000000000` +
      `1c0000201000000000000c00002${last.toString(16).padStart(2, '0')}${'00'.repeat(18)}`,
    'hex',
  );

/** Declares the suite for hosts made by `make`. */
export function hostContract(
  test: (name: string, body: () => unknown) => void,
  make: () => Promise<HostUnderTest> | HostUnderTest,
): void {
  const given = (name: string, body: (host: OpenedHost) => unknown): void =>
    test(name, async () => {
      const under = { ...(await make()), opened: [] };
      try {
        await body(under);
      } finally {
        closeAll(under);
      }
    });

  given('lists an Ethernet interface with its link-local address', async ({ host }) => {
    await until(() => left(host)?.hasCarrier === true);
    const info = left(host);
    assert.match(info?.mac ?? '', /^02(:[0-9a-f]{2}){5}$/);
    assert.equal([info?.isUp, info?.isLoopback, info?.hasBroadcast, info?.hasArp], [true, false, true, true]);
    await until(() => left(host)?.addresses.some(({ scope }) => scope === 'Link') === true);
  });

  given('tells of a link that goes down and comes up', async ({ host, setLink }) => {
    let changes = 0;
    host.onChange(() => {
      changes += 1;
    });
    setLink('down');
    await until(() => left(host)?.isUp === false);
    assert.ok(changes > 0);
    setLink('up');
    await until(() => left(host)?.isUp === true && left(host)?.hasCarrier === true);
  });

  given('tells of an interface that goes away', async ({ host, remove }) => {
    remove();
    await until(() => left(host) === undefined);
  });

  given('hands on the frames that the filter lets through, and no others', async (under) => {
    const { frames } = open(under, { filter: [load(4, 38), ...requireValue(0xc000020a), accept()] });
    for (const last of [9, 10, 11]) under.deliver(arpFor(last));
    await until(() => frames.length > 0);
    await settled();
    assert.equal(
      frames.map((frame) => Buffer.from(frame).toString('hex')),
      [hexOf(arpFor(10))],
    );
  });

  given('knows the interface in a filter', async (under) => {
    const index = left(under.host)?.index ?? 0;
    const { frames } = open(under, { filter: [loadInterfaceIndex(), ...requireValue(index), accept()] });
    under.deliver(arpFor(10));
    await until(() => frames.length === 1);
  });

  given('hands on only frames of its protocol', async (under) => {
    const { frames } = open(under, { protocol: 'Ipv6' });
    under.deliver(arpFor(10));
    await settled();
    assert.is(frames.filter((frame) => hexOf(frame) === hexOf(arpFor(10))).length, 0);
  });

  given('replaces the filter', async (under) => {
    const { frames, socket } = open(under, { filter: [drop()] });
    under.deliver(arpFor(10));
    await settled();
    assert.is(frames.length, 0);
    socket.setFilter([accept()]);
    under.deliver(arpFor(11));
    await until(() => frames.length === 1);
  });

  given('sends whole frames', async (under) => {
    const { socket } = open(under, {});
    socket.send(arpFor(10));
    await until(() => under.emitted().some((frame) => hexOf(frame) === hexOf(arpFor(10))));
  });

  given('hands on nothing after it was closed, and may be closed twice', async (under) => {
    const { frames, socket } = open(under, {});
    socket.close();
    socket.close();
    under.deliver(arpFor(10));
    await settled();
    assert.is(frames.length, 0);
  });

  given('takes groups as a whole set, again and again', (under) => {
    const { socket } = open(under, { protocol: 'Ipv6' });
    const first300 = Array.from({ length: 300 }, (_, n) => solicitedNodeGroup({ family: 6, value: BigInt(n) }));
    for (const groups of [first300, first300.slice(100), [], first300]) socket.setGroups(groups);
  });

  given('refuses a socket on an interface that does not exist', (under) => {
    assert.throws(() => open(under, { interfaceIndex: 4711 }), /ENODEV/);
  });

  given('hands on frames again after the link was down and up', async (under) => {
    const { frames } = open(under, {});
    for (const state of ['down', 'up', 'down', 'up'] as const) {
      under.setLink(state);
      await until(() => left(under.host)?.isUp === (state === 'up'));
    }
    await until(() => left(under.host)?.hasCarrier === true);
    under.deliver(arpFor(10));
    await until(() => frames.some((frame) => hexOf(frame) === hexOf(arpFor(10))));
  });
}

const left = (host: HostNetwork): InterfaceInfo | undefined => host.interfaces().find(({ name }) => name === 'left');
const hexOf = (frame: Uint8Array): string => Buffer.from(frame).toString('hex');

function open(
  { host, opened }: OpenedHost,
  options: Partial<PacketSocketOptions>,
): { socket: PacketSocket; frames: Uint8Array[] } {
  const frames: Uint8Array[] = [];
  const defaults: PacketSocketOptions = {
    interfaceIndex: left(host)?.index ?? 0,
    protocol: 'Arp',
    filter: [accept()],
    onFrame: (frame) => frames.push(frame.slice()),
    onError: () => undefined,
  };
  const socket = host.openPacketSocket({ ...defaults, ...options });
  opened.push(socket);
  return { socket, frames };
}

function closeAll({ opened, close }: OpenedHost): void {
  for (const socket of opened) socket.close();
  close();
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 3000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after 3 s: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Time enough for a frame that should not arrive. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
