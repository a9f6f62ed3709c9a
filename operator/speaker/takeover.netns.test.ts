/** Three whole speakers but for the API server, on a real segment: who answers a client, and how soon after a fault. Needs root. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { rank } from '../election/rank.ts';
import type { TakeoverNodeData } from './takeover-node.ts';
import { enterNamespace, eventually, ip, neighbour, poke } from './wire/netns-lab.ts';

const NODE = fileURLToPath(new URL('./takeover-node.ts', import.meta.url));
const V4 = '192.0.2.100';
const V6 = '2001:db8::100';
const NODES = ['a', 'b', 'c'].map((node, at) => ({ node, address: `192.0.2.1${at}`, mac: `02:00:00:00:00:1${at}` }));
/** First by MetalLB's order, then who follows. */
const [FIRST = '', SECOND = '', THIRD = ''] = rank(
  NODES.map(({ node }) => node),
  V4,
);
const macOf = (name: string): string => NODES.find(({ node }) => node === name)?.mac ?? '';
/** Detection is 300 ms after the last heartbeat; the rest is for a loaded machine. */
const TAKEOVER_MS = 1_000;

/** One speaker in a network namespace, with one interface on the bridge `segment`. */
class SpeakerNode {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #started: Promise<void>;
  readonly #ended: Promise<void>;
  /** Who may answer, as this node sees it. */
  #available: readonly string[] = [];

  constructor({ node, address, mac }: (typeof NODES)[number]) {
    this.name = node;
    const data: TakeoverNodeData = { node, nodes: NODES, addresses: [V4, V6] };
    const command = ['--net', process.execPath, NODE, JSON.stringify(data)];
    this.#process = spawn('unshare', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message) => {
      this.#available = (message as { readonly available?: readonly string[] }).available ?? this.#available;
    });
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#started = new Promise((resolve) => this.#process.once('message', () => resolve()));
    this.#started = this.#started.then(() => this.#plugIn(address, mac));
  }

  start(): Promise<void> {
    return this.#started.then(() => void this.#process.send('start'));
  }

  /** Waits until it knows that these may answer, and nobody else. */
  async sees(names: readonly string[], withinMs: number): Promise<void> {
    await eventually(() => this.#available.join(), names.toSorted().join(), withinMs);
  }

  async leave(): Promise<void> {
    this.#process.send('leave');
    await this.#ended;
  }

  /** What this node learns from the API server: the label of a node keeps it out. */
  exclude(name: string): void {
    this.#process.send({ exclude: name });
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Silence, while the carrier stays. */
  cut(): void {
    ip(`link set dev port-${this.name} nomaster`);
  }

  heal(): void {
    ip(`link set dev port-${this.name} master segment`);
  }

  /** Isolated nodes do not hear each other; everybody else on the segment hears them all. */
  isolate(): void {
    ip(`link set dev port-${this.name} type bridge_slave isolated on`);
  }

  #plugIn(address: string, mac: string): void {
    const { pid = 0 } = this.#process;
    const inside = (command: string) => execFileSync('nsenter', ['-t', `${pid}`, '-n', ...command.split(' ')]);
    for (const scope of ['all', 'default']) inside(`sysctl -q -w net.ipv6.conf.${scope}.accept_dad=0`);
    ip(`link add name port-${this.name} type veth peer name eth0 address ${mac} netns ${pid}`);
    ip(`link set dev port-${this.name} master segment up`);
    inside(`ip addr add ${address}/24 dev eth0`);
    inside('ip link set dev eth0 up');
  }
}

async function inLab(body: (nodes: Map<string, SpeakerNode>) => Promise<void>): Promise<void> {
  ip('link add name segment type bridge');
  ip('addr add 192.0.2.1/24 dev segment');
  ip('addr add 2001:db8::1/64 dev segment nodad');
  ip('link set dev segment up');
  const nodes = new Map(NODES.map((each) => [each.node, new SpeakerNode(each)]));
  try {
    await Promise.all([...nodes.values()].map((node) => node.start()));
    // the first one may answer while the others still start: they would take nothing over yet
    for (const node of nodes.values()) await node.sees([...nodes.keys()], 10_000);
    await answeredBy(FIRST, 2_000);
    await body(nodes);
  } finally {
    for (const node of nodes.values()) node.kill();
    ip('link del dev segment');
  }
}

/** Waits until the client's kernel sends to `name` for both addresses, asking anew for what it does not know. @returns milliseconds */
async function answeredBy(name: string, withinMs: number): Promise<number> {
  const read = (): string => {
    for (const address of [V4, V6]) if (!neighbour(address).includes(':')) poke(address);
    return `${neighbour(V4)} ${neighbour(V6)}`;
  };
  return eventually(read, `${macOf(name)} ${macOf(name)}`, withinMs);
}
/** Whether the first node answers while it is told, and nobody else, that it may not; again where the machine is too busy to tell. */
async function goesOn(nodes: ReadonlyMap<string, SpeakerNode>): Promise<boolean> {
  for (let attempt = 0; attempt < 5; attempt++) {
    nodes.get(FIRST)?.exclude(FIRST);
    await pause(400);
    forget(V4);
    const isAnswered = await eventually(() => asked(V4), macOf(FIRST), 300).then(
      () => true,
      () => false,
    );
    nodes.get(FIRST)?.exclude('');
    await pause(500);
    if (isAnswered) return true;
  }
  return false;
}

/** Who answers a client that does not know. */
function asked(address: string): string {
  if (!neighbour(address).includes(':')) poke(address);
  return neighbour(address);
}
/** The client asks anew. */
const forget = (address: string): string => ip(`neigh flush to ${address} dev segment`);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

if (enterNamespace(import.meta.filename))
  spec(
    'takeover',
    (test) => {
      test('one node answers for both families, and a cut one is replaced', () =>
        inLab(async (nodes) => {
          nodes.get(FIRST)?.cut();
          const took = await answeredBy(SECOND, TAKEOVER_MS);
          assert.ok(took < TAKEOVER_MS, `${took} ms`);
          await pause(1_500);
          assert.is(neighbour(V4), macOf(SECOND), 'and stays replaced');
          nodes.get(FIRST)?.heal();
          await answeredBy(FIRST, 2_000);
        }));
      test('a killed speaker is replaced, and then the next', () =>
        inLab(async (nodes) => {
          nodes.get(FIRST)?.kill();
          await answeredBy(SECOND, TAKEOVER_MS);
          // who loses both at once takes itself for the one that is cut off
          await nodes.get(THIRD)?.sees([SECOND, THIRD], TAKEOVER_MS);
          nodes.get(SECOND)?.kill();
          await answeredBy(THIRD, TAKEOVER_MS);
        }));
      test('two nodes that do not hear each other do not both answer while a third hears both', () =>
        inLab(async (nodes) => {
          for (const name of [FIRST, SECOND]) nodes.get(name)?.isolate();
          const answers = new Set<string>();
          for (const end = performance.now() + 3_000; performance.now() < end; await pause(50)) {
            forget(V4);
            poke(V4);
            await pause(20);
            answers.add(neighbour(V4));
          }
          // besides: the state of an entry that a busy machine has not answered yet
          const macs = [...answers].filter((answer) => answer.includes(':'));
          assert.equal(macs, [macOf(FIRST)]);
          nodes.get(FIRST)?.kill();
          await answeredBy(SECOND, TAKEOVER_MS);
        }));
      test('a node that may no longer announce answers until the next one does', () =>
        inLab(async (nodes) => {
          assert.ok(await goesOn(nodes), 'half a second after it has learnt of it');
          nodes.get(FIRST)?.exclude(FIRST);
          for (const name of [SECOND, THIRD]) nodes.get(name)?.exclude(FIRST);
          await answeredBy(SECOND, 5_000);
          await pause(200);
          forget(V4);
          await eventually(() => asked(V4), macOf(SECOND), 500);
        }));
      test('a node that knows first that it is the next one answers at once', () =>
        inLab(async (nodes) => {
          for (const name of [SECOND, THIRD]) nodes.get(name)?.exclude(FIRST);
          await answeredBy(SECOND, 5_000);
          nodes.get(FIRST)?.exclude(FIRST);
          await pause(300);
          forget(V4);
          await eventually(() => asked(V4), macOf(SECOND), 500);
        }));
      test('a speaker that leaves is replaced before it ends', () =>
        inLab(async (nodes) => {
          await nodes.get(FIRST)?.leave();
          // detection would begin only now
          await answeredBy(SECOND, 150);
        }));
    },
    { timeoutMs: 30_000 },
  );
