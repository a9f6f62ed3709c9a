/** Faults of a node's link and of its processes, put in force within milliseconds, and their cure. */
import { findContainer, labEngine } from './container.ts';
import { engineEnv, inEngineNetwork } from './engine.ts';
import { exec } from './exec.ts';
import { NETWORK } from './places.ts';
import { run } from './process.ts';

/** When a fault came into force: it did so between the two, in milliseconds since 1970 with fractions. */
export interface FaultMoment {
  readonly node: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** The host end of a node's link, and the bridge it belongs to. */
export interface Link {
  readonly interface: string;
  readonly bridge: string;
}

const links = new Map<string, { readonly networkNamespace: string; readonly link: Link }>();

/** The host end of a node's link; remembered until the node gets another network namespace. */
export async function linkOf(node: string): Promise<Link> {
  const engine = labEngine();
  const { networkNamespace } = await findContainer(engine, node);
  const known = links.get(node);
  if (known?.networkNamespace === networkNamespace) return known.link;
  const peer = (await exec(node, ['cat', '/sys/class/net/eth0/iflink'])).stdout.trim();
  const { stdout } = await inEngineNetwork(engine, ['ip', '-o', 'link', 'show', 'type', 'veth']);
  const name = new RegExp(`^${peer}: ([^@:]+)`, 'm').exec(stdout)?.[1];
  if (name === undefined) throw new Error(`the host end (interface ${peer}) of ${node}'s link is not there`);
  const link: Link = { interface: name, bridge: await bridgeName() };
  links.set(node, { networkNamespace, link });
  return link;
}

/** Takes the host end of a node's link off the bridge: silence, while both ends keep their carrier. */
export async function cut(node: string): Promise<FaultMoment> {
  const link = await linkOf(node);
  return timed(node, ['ip', 'link', 'set', link.interface, 'nomaster']);
}

/** Sets the host end of a node's link down: the node loses its carrier. */
export async function unplug(node: string): Promise<FaultMoment> {
  const link = await linkOf(node);
  return timed(node, ['ip', 'link', 'set', link.interface, 'down']);
}

/** Drops every frame to (`in`) or from (`out`) a node; the other direction goes on. */
export function oneway(node: string, direction: 'in' | 'out'): Promise<FaultMoment> {
  return dropping(node, { [direction]: 'drop' });
}

/** Drops so many of 100 frames in each direction, at random; 0 ends it. */
export function loss(node: string, percent: number): Promise<FaultMoment> {
  const rule = `numgen random mod 100 < ${percent} drop`;
  return dropping(node, percent === 0 ? {} : { in: rule, out: rule });
}

/** Freezes a node's processes; its kernel goes on forwarding and answering what a kernel program answers. */
export function pause(node: string): Promise<FaultMoment> {
  return timedDocker(node, ['pause', node]);
}

/** Thaws a node's processes. */
export function resume(node: string): Promise<FaultMoment> {
  return timedDocker(node, ['unpause', node]);
}

/** Kills a node: every process of it is gone at once, its links with them. */
export function kill(node: string): Promise<FaultMoment> {
  return timedDocker(node, ['kill', node]);
}

/** Undoes whatever was done to a node's link; harmless where nothing was. */
export async function mendLink(node: string): Promise<FaultMoment> {
  const link = await linkOf(node);
  const table = `table netdev ${tableOf(node)}`;
  const script = `ip link set ${link.interface} up master ${link.bridge} && nft '${table}; delete ${table}'`;
  return timed(node, ['sh', '-c', script]);
}

/** A rule per direction on the host end: what enters it comes from the node, what leaves it goes to the node. */
async function dropping(node: string, rules: { readonly in?: string; readonly out?: string }): Promise<FaultMoment> {
  const link = await linkOf(node);
  const table = tableOf(node);
  const chain = (hook: 'ingress' | 'egress', rule: string | undefined) =>
    rule ? `chain ${hook} { type filter hook ${hook} device "${link.interface}" priority 0; ${rule}; }` : '';
  const ruleset = [
    `table netdev ${table}`,
    `delete table netdev ${table}`,
    `table netdev ${table} {`,
    chain('ingress', rules.out),
    chain('egress', rules.in),
    '}',
  ];
  return timed(node, ['nft', ruleset.join('\n')]);
}

function tableOf(node: string): string {
  return `lab-${node}`;
}

async function bridgeName(): Promise<string> {
  const argv = ['docker', 'network', 'inspect', '--format', '{{.Id}}', NETWORK];
  const { stdout } = await run(argv, { env: engineEnv(labEngine()) });
  return `br-${stdout.trim().slice(0, 12)}`;
}

async function timed(node: string, argv: readonly string[]): Promise<FaultMoment> {
  const engine = labEngine();
  const startedAt = now();
  await inEngineNetwork(engine, argv);
  return { node, startedAt, endedAt: now() };
}

async function timedDocker(node: string, args: readonly string[]): Promise<FaultMoment> {
  await findContainer(labEngine(), node);
  const startedAt = now();
  await run(['docker', ...args], { env: engineEnv(labEngine()) });
  return { node, startedAt, endedAt: now() };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
