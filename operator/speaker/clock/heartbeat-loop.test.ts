import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { type DatagramSocket, openDatagramSocket } from '../../host/datagram-socket.ts';
import { addressIdOf } from '../../protocols/heartbeat/extension.ts';
import { decodeHeartbeat, encodeHeartbeat, MAX_HEARTBEAT_LENGTH } from '../../protocols/heartbeat/heartbeat.ts';
import type { AvailableMessage, FromClock, PeerAddress } from '../messages.ts';
import { systemClock } from '../wire/clock.ts';
import { HeartbeatLoop } from './heartbeat-loop.ts';

const KEY = new Uint8Array(32).fill(1);
const ADDRESSES: Record<string, string> = { a: '127.0.0.1', b: '127.0.0.2', c: '127.0.0.3' };
const INTERVAL_MS = 20;
/** A loaded machine may be late by this much without a wrong verdict. */
const MISSED = 10;
let incarnation = 1;

interface Speaker {
  readonly loop: HeartbeatLoop;
  readonly socket: DatagramSocket;
  readonly toWire: AvailableMessage[];
  readonly toMain: FromClock[];
  /** What peers said that they answer for. */
  readonly taken: number[];
  stop(): void;
}

/** A clock thread's work on a real socket of the loopback. */
async function speaker(
  node: string,
  port: number,
  names: readonly string[] = Object.keys(ADDRESSES),
  isListening = true,
  generation: 'Present' | 'Former' = 'Present',
): Promise<Speaker> {
  const toWire: AvailableMessage[] = [];
  const toMain: FromClock[] = [];
  const taken: number[] = [];
  const socket = await openDatagramSocket({
    family: 4,
    address: ADDRESSES[node] ?? '',
    port,
    onDatagram: (datagram) => {
      if (generation === 'Present' || isReadByFormer(datagram)) loop.receive(datagram);
    },
    onError: () => loop.countSendError(),
  });
  incarnation += 1;
  const waits = { startMarginMs: 100, isolationHoldMs: 1_000, leaveTimeoutMs: 500 };
  const loop = new HeartbeatLoop({
    config: { node, incarnation, algorithmVersion: 1, intervalMs: INTERVAL_MS, missed: MISSED, ...waits },
    clock: systemClock,
    send: (datagram, address) =>
      socket.send(generation === 'Present' ? datagram : asFormer(datagram), address, socket.port),
    post: (message) => void toMain.push(message),
    postToWire: (message) => {
      if (message.kind === 'Available') toWire.push(message);
      else taken.push(...message.addresses);
    },
  });
  const peers = names
    .filter((name) => name !== node)
    .map((name): PeerAddress => ({ node: name, address: ADDRESSES[name] ?? '' }));
  loop.take({ kind: 'Peers', peers });
  loop.take({ kind: 'Ready', ready: true });
  if (isListening) loop.listening();
  return {
    loop,
    socket,
    toWire,
    toMain,
    taken,
    stop: () => {
      loop.take({ kind: 'Stop' });
      socket.close();
    },
  };
}

async function mesh(names: readonly string[], keys: readonly Uint8Array[] = [KEY]): Promise<Speaker[]> {
  const first = await speaker(names[0] ?? '', 0, names);
  const rest = await Promise.all(names.slice(1).map((name) => speaker(name, first.socket.port, names)));
  const all = [first, ...rest];
  for (const each of all) each.loop.take({ kind: 'Keys', keys });
  return all;
}

/** Version 1 alone, and nothing between the receipts and the seal. */
function isReadByFormer(datagram: Uint8Array): boolean {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  return view.getUint8(4) === 1 && datagram.length === 28 + view.getUint8(7) + view.getUint16(26) * 11 + 32;
}

/** What the version before extensions would have sent: no flag that it did not know. */
function asFormer(datagram: Uint8Array): Uint8Array {
  const heartbeat = decodeHeartbeat(datagram, [KEY]);
  if (typeof heartbeat === 'string') throw new Error(heartbeat);
  const heard = heartbeat.heard.map((each) => ({ ...each, alive: false, ready: false, algorithmVersion: 0 }));
  const former = { ...heartbeat, slow: false, readsExtensions: false, heard };
  return encodeHeartbeat(former, KEY, new Uint8Array(MAX_HEARTBEAT_LENGTH), 'Base');
}

const availableOf = ({ toWire }: Speaker): string => toWire.at(-1)?.nodes.join('') ?? '';

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 4_000; !holds(); ) {
    if (performance.now() > end) throw new Error(`not within 4 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs `body` and stops everybody, so that a failure leaves no timer behind. */
async function withMesh(speakers: Speaker[], body: (speakers: Speaker[]) => Promise<void>): Promise<void> {
  try {
    await body(speakers);
  } finally {
    for (const each of speakers) each.stop();
  }
}

spec('heartbeats over UDP', (test) => {
  test('three speakers find each other, and two find the third gone', async () => {
    await withMesh(await mesh(['a', 'b', 'c']), async (all) => {
      await until(() => all.every((each) => availableOf(each) === 'abc'), 'all see abc');
      all[2]?.stop();
      await until(() => all.slice(0, 2).every((each) => availableOf(each) === 'ab'), 'two see ab');
      const views = all[0]?.toWire.map(({ view }) => view) ?? [];
      assert.equal(
        views,
        views.toSorted((x, y) => x - y),
        'views ascend',
      );
      assert.ok(
        all[0]?.toMain.some(
          (message) => message.kind === 'Peers' && message.peers.some(({ health }) => health === 'Dead'),
        ),
      );
    });
  });
  test('a speaker of the version before extensions and newer ones are one mesh, through its update', async () => {
    const a = await speaker('a', 0);
    const { port } = a.socket;
    const b = await speaker('b', port);
    const former = await speaker('c', port, undefined, true, 'Former');
    await withMesh([a, b, former], async (all) => {
      for (const each of all) each.loop.take({ kind: 'Keys', keys: [KEY] });
      await until(() => all.every((each) => availableOf(each) === 'abc'), 'all see abc');
      a.loop.take({ kind: 'Took', addresses: [addressIdOf('192.0.2.1')] });
      await until(() => b.taken.length > 0, 'the newer ones use what only they read');
      former.loop.take({ kind: 'Leave' });
      await until(() => [a, b].every((each) => availableOf(each) === 'ab'), 'it hands over');
      former.stop();
      const updated = await speaker('c', port);
      await withMesh([updated], async () => {
        updated.loop.take({ kind: 'Keys', keys: [KEY] });
        await until(() => [a, b, updated].every((each) => availableOf(each) === 'abc'), 'it is back');
      });
    });
  });
  test('a leaving speaker is acknowledged by all', async () => {
    await withMesh(await mesh(['a', 'b', 'c']), async (all) => {
      await until(() => all.every((each) => availableOf(each) === 'abc'), 'all see abc');
      all[0]?.loop.take({ kind: 'Leave' });
      await until(() => all.slice(1).every((each) => availableOf(each) === 'bc'), 'the others took over');
      const acknowledged = () => all[0]?.toMain.find(({ kind }) => kind === 'LeaveAcknowledged');
      await until(() => acknowledged() !== undefined, 'acknowledged');
      assert.equal(acknowledged(), { kind: 'LeaveAcknowledged', missing: [] });
    });
  });
  test('another key is another cluster, and is counted', async () => {
    await withMesh(await mesh(['a', 'b']), async ([a, b]) => {
      await until(() => availableOf(a as Speaker) === 'ab', 'a sees ab');
      b?.loop.take({ kind: 'Keys', keys: [new Uint8Array(32).fill(2)] });
      await until(() => availableOf(a as Speaker) === 'a', 'a is alone');
      const counted = () =>
        a?.toMain.some((message) => message.kind === 'HeartbeatCounters' && (message.dropped['BadSeal'] ?? 0) > 0);
      await until(() => counted() === true, 'counted');
    });
  });
  test('a rotation with both keys accepted loses nobody', async () => {
    const next = new Uint8Array(32).fill(2);
    await withMesh(await mesh(['a', 'b']), async (all) => {
      await until(() => all.every((each) => availableOf(each) === 'ab'), 'both see ab');
      const before = all.map(({ toWire }) => toWire.length);
      for (const keys of [[KEY, next], [next, KEY], [next]])
        for (const each of all) {
          each.loop.take({ kind: 'Keys', keys });
          await new Promise((resolve) => setTimeout(resolve, 2 * INTERVAL_MS));
        }
      assert.equal(
        all.map(({ toWire }) => toWire.length),
        before,
      );
    });
  });
  test('without a key it owns nothing while there are peers, and at once when it is alone', async () => {
    await withMesh([await speaker('a', 0, ['a', 'b']), await speaker('c', 0, ['c'])], async ([crowd, alone]) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.equal([availableOf(crowd as Speaker), availableOf(alone as Speaker)], ['', 'c']);
    });
  });
  test('while its port is taken it owns nothing, because its peers may be alive unheard', async () => {
    await withMesh([await speaker('a', 0, ['a', 'b'], false)], async ([deaf]) => {
      deaf?.loop.take({ kind: 'Keys', keys: [KEY] });
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.equal(deaf?.toWire, []);
      deaf?.loop.listening();
      await until(() => availableOf(deaf as Speaker) === 'a', 'it goes without the peer that is not there');
    });
  });
});

spec('datagram socket', (test) => {
  test('names the port that is taken', async () => {
    const options = { family: 4 as const, address: '127.0.0.1', onDatagram: () => {}, onError: () => {} };
    const first = await openDatagramSocket({ ...options, port: 0 });
    const error = await openDatagramSocket({ ...options, port: first.port }).catch((reason: unknown) => reason);
    first.close();
    assert.is((error as { code?: string }).code, 'EADDRINUSE');
    first.close();
  });
});
