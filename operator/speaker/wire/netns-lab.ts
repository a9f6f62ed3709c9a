/** A segment in network namespaces that vanish with their processes: a client on a bridge, and nodes on its ports. Needs root. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { L2Announcement } from '../../advertising/announcement.ts';
import type { PacketProtocol } from '../../host/host-network.ts';
import { KernelHost } from '../../host/kernel-host.ts';
import { accept } from '../../host/socket-filter.ts';
import type { MacAddress } from '../../net/mac.ts';
import type { FromWire } from '../messages.ts';
import type { LabNodeData, ToLabNode } from './netns-node.ts';

const NODE = fileURLToPath(new URL('./netns-node.ts', import.meta.url));
const INSIDE = 'HERALD_TEST_NAMESPACE';
/** A bpffs of the test's own is mounted here; every node has a folder in it. */
const PIN_ROOT = '/sys/fs/bpf';

/** Runs this test file again in a network and a mount namespace of its own, unless it already is; everything made in it ends with the process. */
export function enterNamespace(file: string): boolean {
  if (process.env[INSIDE]) {
    prepareNamespace();
    return true;
  }
  if (process.getuid?.() !== 0) throw new Error(`${file} needs root: it makes network namespaces`);
  // whoever ends this process ends the one in the namespace too
  const command = ['--net', '--mount', 'setpriv', '--pdeathsig', 'KILL', process.execPath, file];
  const { status } = spawnSync('unshare', command, {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  process.exitCode = status ?? 1;
  return false;
}

function prepareNamespace(): void {
  for (const scope of ['all', 'default']) writeFileSync(`/proc/sys/net/ipv6/conf/${scope}/accept_dad`, '0');
  ip('link set lo up');
  execFileSync('mount', ['-t', 'bpf', 'bpf', PIN_ROOT]);
}

/** Runs `ip` and returns what it prints. */
export const ip = (args: string): string => execFileSync('ip', args.split(' '), { encoding: 'utf8' });

/** The capabilities of the speaker's container, as its manifest gives them. */
export const SPEAKER_CAPABILITIES = 'net_raw,net_admin,bpf';

/** The client's segment: a bridge with 192.0.2.1/24 and 2001:db8::1/64. */
export class Segment {
  static #count = 0;
  readonly name: string;
  readonly #closers: (() => void)[] = [];

  constructor() {
    Segment.#count += 1;
    const name = `segment${Segment.#count}`;
    this.name = name;
    // an address of its own: without one it takes that of a port, and a change of it flushes the neighbours
    ip(`link add name ${name} address 02:00:00:00:00:c1 type bridge`);
    ip(`addr add 192.0.2.1/24 dev ${name}`);
    ip(`addr add 2001:db8::1/64 dev ${name} nodad`);
    ip(`link set dev ${name} up`);
    // three probes go unanswered before an address is FAILED: 100 ms apart instead of a second
    for (const family of ['ipv4', 'ipv6'])
      writeFileSync(`/proc/sys/net/${family}/neigh/${name}/retrans_time_ms`, '100');
  }

  /** Makes the bridge a switch that snoops on MLD: multicast reaches only those who reported its group. */
  async snoop(): Promise<void> {
    // a new querier floods for one response interval (centiseconds), which it reads when it begins: two commands
    ip(`link set dev ${this.name} type bridge mcast_query_response_interval 10`);
    ip(`link set dev ${this.name} type bridge mcast_snooping 1 mcast_querier 1`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }

  /** The bridge's end of the link to a node's interface. */
  port(node: LabNode, name = 'eth0'): string {
    return `${this.name.replace('segment', 's')}-${node.name}-${name}`;
  }

  /** Starts a node with one interface `eth0` on this segment, under the speaker's capabilities. */
  async addNode(
    name: string,
    mac: MacAddress,
    capabilities = SPEAKER_CAPABILITIES,
    responder: LabNodeData['responder'] = 'packet',
  ): Promise<LabNode> {
    const data = { responder, pinFolder: `${PIN_ROOT}/${this.name}-${name}` };
    const node = new LabNode({ name, mac, capabilities, data });
    this.#closers.push(() => node.close());
    await node.start();
    for (const scope of ['all', 'default']) node.run(`sysctl -q -w net.ipv6.conf.${scope}.accept_dad=0`);
    this.plug(node, 'eth0', mac);
    return node;
  }

  /** Gives `node` an interface on this segment. */
  plug(node: LabNode, name: string, mac: MacAddress): void {
    const port = this.port(node, name);
    ip(`link add name ${port} type veth peer name ${name} address ${mac} netns ${node.pid}`);
    ip(`link set dev ${port} master ${this.name} up`);
    node.run(`ip link set dev ${name} up`);
  }

  /** Hears everything of one protocol that arrives at the client, until the segment is closed. */
  listen(protocol: PacketProtocol): Ear {
    const host = new KernelHost();
    this.#closers.push(() => host.close());
    const info = host.interfaces().find((candidate) => candidate.name === this.name);
    const heard: Uint8Array[] = [];
    const socket = host.openPacketSocket({
      interfaceIndex: info?.index ?? 0,
      protocol,
      filter: [accept()],
      onFrame: (frame) => heard.push(frame.slice()),
      onError: () => undefined,
    });
    this.#closers.push(() => socket.close());
    return { heard, mac: info?.mac ?? '', send: (frame) => socket.send(frame) };
  }

  /** Watches the client's neighbour table until the segment is closed; what it says before this resolves is over. */
  async monitorNeighbours(): Promise<ReadonlyMap<string, number>> {
    const changes = new Map<string, number>();
    const monitor = spawn('ip', ['monitor', 'neigh'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closers.push(() => monitor.kill('SIGKILL'));
    monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const [, address, mac] of text.matchAll(/^(\S+) dev \S+ lladdr (\S+)/gm))
        if (!changes.has(`${address} ${mac}`)) changes.set(`${address} ${mac}`, performance.now());
    });
    // it listens when it reports a change made for it
    const probe = '192.0.2.250 02:00:00:00:00:fa';
    for (let n = 0; !changes.has(probe); n++) {
      ip(`neigh replace 192.0.2.250 lladdr 02:00:00:00:00:fa dev ${this.name} nud ${n % 2 ? 'stale' : 'permanent'}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    changes.clear();
    return changes;
  }

  /** Ends all that was started and removes the bridge. */
  close(): void {
    for (const close of this.#closers) close();
    ip(`link del dev ${this.name}`);
  }
}

/** The client's end of the segment. */
export interface Ear {
  /** Frames in order; the test may take them out. */
  readonly heard: Uint8Array[];
  readonly mac: MacAddress;
  send(frame: Uint8Array): void;
}

interface LabNodeOptions {
  readonly name: string;
  readonly mac: MacAddress;
  readonly capabilities: string;
  readonly data: LabNodeData;
}

/** One node: a namespace that stays, and in it a process with the real wire thread, which can be restarted. */
export class LabNode {
  readonly name: string;
  readonly mac: MacAddress;
  readonly received: FromWire[] = [];
  readonly #options: LabNodeOptions;
  readonly #home: ChildProcess;
  #process: ChildProcess | undefined;
  readonly #waiting = new Set<() => void>();
  #view = 0;

  constructor(options: LabNodeOptions) {
    this.name = options.name;
    this.mac = options.mac;
    this.#options = options;
    const idle = ['--net', 'setpriv', '--pdeathsig', 'KILL', 'sleep', 'infinity'];
    this.#home = spawn('unshare', idle, { stdio: 'ignore' });
  }

  /** Of a process that stays in the node's namespace. */
  get pid(): number {
    return this.#home.pid ?? 0;
  }

  /** Of the process with the wire thread. */
  get processId(): number {
    return this.#process?.pid ?? 0;
  }

  get pinFolder(): string {
    return this.#options.data.pinFolder ?? '';
  }

  /** Starts the process, after the one before it has ended, and waits until it listens. */
  async start(): Promise<void> {
    const namespaceOf = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/net`);
    await eventually(() => `${namespaceOf(this.pid) === namespaceOf('self')}`, 'false');
    const { capabilities, data } = this.#options;
    const bounding = `--bounding-set=-all,${capabilities
      .split(',')
      .map((capability) => `+${capability}`)
      .join()}`;
    const confined = ['setpriv', '--pdeathsig', 'KILL', bounding, '--no-new-privs'];
    const command = ['-t', `${this.pid}`, '-n', ...confined, process.execPath, NODE, JSON.stringify(data)];
    this.received.length = 0;
    this.#view = 0;
    this.#process = spawn('nsenter', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message) => {
      this.received.push(message as FromWire);
      for (const check of this.#waiting) check();
    });
    await this.until('Started');
  }

  /** Ends the process by a signal, and waits until it has. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = this.#process && once(this.#process, 'exit');
    this.#process?.kill(signal);
    await ended;
  }

  /** Sends a signal that does not end the process. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
  }

  /** Runs a command in the node's namespace. */
  run(command: string): string {
    return execFileSync('nsenter', ['-t', `${this.pid}`, '-n', ...command.split(' ')], { encoding: 'utf8' });
  }

  send(message: ToLabNode): void {
    this.#process?.send(message);
  }

  /** Posts the desired set; every announcement goes by `eth0`-like interfaces unless it says otherwise. */
  desire(announcements: readonly L2Announcement[], excludeInterfaces = ''): void {
    this.send({ kind: 'Desired', node: this.name, announcements, excludeInterfaces });
  }

  /** Posts a newer view of who is available. */
  available(...nodes: readonly string[]): void {
    this.#view += 1;
    this.send({ kind: 'Available', nodes, view: this.#view, announceAgain: false });
  }

  /** Waits until the node has said something of this kind that `holds`. */
  async until(kind: FromWire['kind'] | 'Started', holds: (message: never) => boolean = () => true): Promise<void> {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!this.received.some((message) => message.kind === kind && holds(message as never))) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  close(): void {
    this.#process?.kill('SIGKILL');
    this.#home.kill('SIGKILL');
  }
}

/** One announcement of `address` with candidates in the order given. */
export const announcement = (address: string, ...candidates: readonly string[]): L2Announcement => ({
  service: `default/${address}`,
  address,
  candidates,
  interfaces: 'all',
});

/** Sends a UDP datagram from the client, so that its kernel resolves the address. */
export const poke = (address: string): void => {
  spawnSync('bash', ['-c', `echo > /dev/udp/${address}/9`]);
};

/** The client kernel's neighbour entry: its MAC address, or its state when it has none. */
export function neighbour(address: string): string {
  const [entry] = JSON.parse(ip(`-json neigh show to ${address}`) || '[]') as { lladdr?: string; state?: string[] }[];
  return entry?.lladdr ?? entry?.state?.join() ?? 'unknown';
}

/** Forgets all neighbours of a segment. */
export const forgetNeighbours = (segment: Segment): void => {
  ip(`neigh flush dev ${segment.name}`);
};

/** Waits until `read()` gives `wanted`, and returns the milliseconds that took; after `withinMs` it fails with what it read last. */
export async function eventually(read: () => string, wanted: string, withinMs = 2000): Promise<number> {
  const start = performance.now();
  for (;;) {
    const last = read();
    const elapsed = performance.now() - start;
    if (last === wanted) return elapsed;
    if (elapsed > withinMs) throw new Error(`expected ${wanted}, still ${last} after ${Math.round(elapsed)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
