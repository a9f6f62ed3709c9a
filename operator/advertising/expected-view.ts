/** Who owns which address, computed as every node does that sees the same nodes alive. */

import type { ReportInputs } from '../../crds/node-announcement.ts';
import { ownerOf } from '../election/rank.ts';
import type { Refusal } from './announcement.ts';
import { type Claim, interfacesOf } from './announcements.ts';

/** What is decided about one address, alike on every node. */
export interface AddressClaim {
  readonly address: string;
  readonly claim: Claim | Refusal;
}

/** One address and the node that owns it in this view. */
export interface ExpectedOwner {
  readonly service: string;
  readonly address: string;
  readonly node: string;
  readonly interfaces: readonly string[] | 'all';
}

/** Whether a node says that it goes on answering for an address although another is first by the order. */
export type Keeps = (node: string, address: string) => boolean;

/** Nodes with equal keys compute equal owners. */
export const viewKeyOf = ({ algorithmVersion, alive, ignoresExcludeLabel }: ReportInputs): string =>
  JSON.stringify([algorithmVersion, ignoresExcludeLabel, alive.toSorted()]);

export class ExpectedView {
  readonly key: string;
  readonly ignoresExcludeLabel: boolean;
  readonly alive: ReadonlySet<string>;
  readonly #keeps: Keeps;
  readonly #owners = new Map<string, readonly ExpectedOwner[]>();
  /** Services by node that owns an address of them. */
  readonly #byNode = new Map<string, Set<string>>();

  constructor(inputs: ReportInputs, keeps: Keeps = () => false) {
    this.#keeps = keeps;
    this.key = viewKeyOf(inputs);
    this.ignoresExcludeLabel = inputs.ignoresExcludeLabel;
    this.alive = new Set(inputs.alive);
  }

  /** The owners of the addresses of a Service; an address without one is missing. */
  ownersOf(service: string): readonly ExpectedOwner[] {
    return this.#owners.get(service) ?? [];
  }

  /** All that `node` owns. */
  *ownedBy(node: string): Generator<ExpectedOwner> {
    for (const service of this.#byNode.get(node) ?? [])
      for (const owner of this.ownersOf(service)) if (owner.node === node) yield owner;
  }

  /** Takes in what is decided about one Service. @returns what was owned before, and what is now */
  set(service: string, claims: readonly AddressClaim[]): readonly [readonly ExpectedOwner[], readonly ExpectedOwner[]] {
    const before = this.ownersOf(service);
    const after = claims.flatMap((claim) => this.#elect(service, claim));
    for (const { node } of before) this.#byNode.get(node)?.delete(service);
    for (const { node } of after) this.#indexed(node).add(service);
    if (after.length === 0) this.#owners.delete(service);
    else this.#owners.set(service, after);
    return [before, after];
  }

  #elect(service: string, { address, claim }: AddressClaim): readonly ExpectedOwner[] {
    if ('reason' in claim) return [];
    const isAlive = (name: string): boolean => this.alive.has(name);
    const node =
      ownerOf(claim.candidates, (name) => isAlive(name) && this.#keeps(name, address)) ??
      ownerOf(claim.candidates, isAlive);
    return node === undefined ? [] : [{ service, address, node, interfaces: interfacesOf(claim, node) }];
  }

  #indexed(node: string): Set<string> {
    const services = this.#byNode.get(node) ?? new Set();
    this.#byNode.set(node, services);
    return services;
  }
}
