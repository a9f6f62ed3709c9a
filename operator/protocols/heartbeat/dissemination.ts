/**
 * More than 64 nodes: each one watches a few neighbours, and tells all others whom of them it has lost.
 *
 * Everybody computes the same neighbours from the list of nodes. A node is alive for all who reach it over pairs of neighbours of which
 * neither has lost the other: the rule of docs/adr/0016, without anybody hearing everybody. What a node says of itself is a register; a
 * newer one is handed on at once, and a few others go along with every heartbeat, so that nobody stays without.
 */

import { nodeIdOf } from './node-id.ts';

/** What one node says to all others. */
export interface Register {
  readonly node: string;
  readonly incarnation: number;
  /** Ascends within an incarnation. */
  readonly version: number;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly algorithmVersion: number;
  /** `nodeIdOf` the neighbours that it does not count as alive. */
  readonly lost: readonly number[];
}

/** As heartbeats carry it: with the number of the node. */
export type RegisterEntry = Omit<Register, 'node'> & { readonly nodeId: number };

/** Up to here everybody hears everybody. */
export const FULL_MESH_NODES = 64;
/** Each node chooses so many neighbours; about as many others choose it. */
const CHOSEN = 10;
/** A new register goes along with so many heartbeats. */
const SAY_NEW = 2;
/** Others that go along, in turn: a node that starts knows all of them within seconds. */
const SAY_OTHERS = 8;
/** So many fit into a heartbeat beside the receipts. */
const MAX_REGISTERS = 24;

/** Immutable; undefined in a full mesh. Nodes are numbers here: their places in the sorted list. */
export interface Mesh {
  readonly self: number;
  readonly nodes: readonly string[];
  /** `nodeIdOf`, by place. */
  readonly ids: readonly number[];
  readonly places: ReadonlyMap<number, number>;
  readonly neighbours: readonly (readonly number[])[];
  /** By place; undefined of whom nothing is known. */
  readonly registers: readonly (Register | undefined)[];
  /** What is to be said, by place: how often yet. */
  readonly news: ReadonlyMap<number, number>;
  /** Whose turn it is among the others. */
  readonly turn: number;
}

/** Mixes two numbers into one, the same in either order (the finalizer of MurmurHash3). */
function mix(a: number, b: number): number {
  let hash = Math.imul(Math.min(a, b), 0x9e3779b1) ^ Math.max(a, b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Each node's neighbours: those that it chooses by a hash of the pair, and those that choose it. A node more or less changes few pairs. */
export function neighboursAmong(ids: readonly number[]): readonly (readonly number[])[] {
  const pairs = ids.map(() => new Set<number>());
  for (const at of ids.keys())
    for (const other of chosenBy(at, ids)) {
      pairs[at]?.add(other);
      pairs[other]?.add(at);
    }
  return pairs.map((others) => [...others]);
}

/** The places of the nodes with the lowest hashes beside that at `own`. */
function chosenBy(own: number, ids: readonly number[]): readonly number[] {
  const best: { readonly at: number; readonly hash: number }[] = [];
  for (const [at, id] of ids.entries()) {
    const hash = mix(ids[own] as number, id);
    if (at === own || (best.length === CHOSEN && hash >= (best.at(-1)?.hash ?? 0))) continue;
    best.push({ at, hash });
    best.sort((a, b) => a.hash - b.hash);
    if (best.length > CHOSEN) best.pop();
  }
  return best.map(({ at }) => at);
}

/** The mesh of these nodes, `self` among them; what is known of those that stay is kept. */
export function meshOf(self: string, others: readonly string[], before: Mesh | undefined): Mesh | undefined {
  const nodes = [...new Set([self, ...others])].toSorted();
  if (nodes.length <= FULL_MESH_NODES) return undefined;
  if (before && nodes.length === before.nodes.length && nodes.every((node, at) => node === before.nodes[at]))
    return before;
  const ids = nodes.map(nodeIdOf);
  const places = new Map(ids.map((id, place) => [id, place]));
  const known = new Map(before?.registers.map((register) => [register?.node, register]));
  const registers = nodes.map((node) => known.get(node));
  const neighbours = neighboursAmong(ids);
  // neighbours that start together do not all say the same
  const at = nodes.indexOf(self);
  return { self: at, nodes, ids, places, neighbours, registers, news: new Map(), turn: at * SAY_OTHERS };
}

/** The names of the nodes that this one watches and that watch it. */
export const neighboursOf = ({ self, nodes, neighbours }: Mesh): readonly string[] =>
  (neighbours[self] ?? []).map((at) => nodes[at] as string);

/** Whether a node of this name is in the list. */
export const isListed = ({ nodes, places }: Mesh, node: string): boolean =>
  nodes[places.get(nodeIdOf(node)) ?? -1] === node;

/** Whether every node has said something. */
export const knowsAll = ({ registers, self }: Mesh): boolean =>
  registers.every((register, at) => register !== undefined || at === self);

/** Says what this node says of itself, if that is something else than before. */
export function withOwn(mesh: Mesh, own: Omit<Register, 'node' | 'version'>): Mesh {
  const before = mesh.registers[mesh.self];
  const isSame =
    before?.incarnation === own.incarnation &&
    before.ready === own.ready &&
    before.leaving === own.leaving &&
    String(before.lost) === String(own.lost);
  if (isSame) return mesh;
  const version = (before?.version ?? 0) + 1;
  return withRegister(mesh, mesh.self, { node: mesh.nodes[mesh.self] as string, ...own, version });
}

const withRegister = (mesh: Mesh, at: number, register: Register): Mesh => ({
  ...mesh,
  registers: mesh.registers.with(at, register),
  news: new Map(mesh.news).set(at, SAY_NEW),
});

/** Takes in what a neighbour hands on; what this node said is known better here. */
export function withEntries(mesh: Mesh, entries: readonly RegisterEntry[]): Mesh {
  let next = mesh;
  for (const { nodeId, ...entry } of entries) {
    const at = mesh.places.get(nodeId);
    const known = at === undefined ? undefined : next.registers[at];
    if (at === undefined || at === mesh.self || (known && !isNewer(entry, known))) continue;
    next = withRegister(next, at, { node: mesh.nodes[at] as string, ...entry });
  }
  return next;
}

type Age = Pick<Register, 'incarnation' | 'version'>;
const isNewer = (a: Age, b: Age): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.version > b.version);

/** Whether something is to be said that nobody was told yet. */
export const hasNewRegisters = ({ news }: Mesh): boolean => {
  for (const times of news.values()) if (times === SAY_NEW) return true;
  return false;
};

/** What the next heartbeat carries: what is new, and of the others those whose turn it is. */
export function entriesOf(mesh: Mesh): readonly [Mesh, readonly RegisterEntry[]] {
  const fresh = [...mesh.news].toSorted(([, a], [, b]) => b - a).slice(0, MAX_REGISTERS - SAY_OTHERS);
  const news = new Map(mesh.news);
  for (const [at, times] of fresh)
    if (times > 1) news.set(at, times - 1);
    else news.delete(at);
  const places = new Set(fresh.map(([at]) => at));
  for (let more = 0; more < SAY_OTHERS; more++) places.add((mesh.turn + more) % mesh.nodes.length);
  const entries = [...places].flatMap((at) => {
    const register = mesh.registers[at];
    if (!register) return [];
    const { node: _node, ...entry } = register;
    return [{ nodeId: mesh.ids[at] as number, ...entry }];
  });
  return [{ ...mesh, news, turn: mesh.turn + SAY_OTHERS }, entries];
}

/** What those say of themselves who are connected with this node over pairs of which neither has lost the other. */
export function connected(mesh: Mesh): readonly Register[] {
  const { self, neighbours, registers } = mesh;
  const reached = new Set([self]);
  for (const at of reached)
    for (const next of neighbours[at] ?? []) if (!reached.has(next) && isPair(mesh, at, next)) reached.add(next);
  reached.delete(self);
  return [...reached].flatMap((at) => registers[at] ?? []);
}

/** One of which nothing is known is no pair with anybody. */
function isPair({ registers, ids }: Mesh, one: number, other: number): boolean {
  const [a, b] = [registers[one]?.lost, registers[other]?.lost];
  if (!a || !b) return false;
  return !(a.length > 0 && a.includes(ids[other] as number)) && !(b.length > 0 && b.includes(ids[one] as number));
}
