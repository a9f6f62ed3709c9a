/**
 * Asks nodes whether somebody on their network has an address: one AddressProbe each, deleted with the answer.
 *
 *   Waiting --(a node would own it)--> Asked --(its NodeAnnouncement answers)--> ended
 *      |                                 |
 *      +--(nobody would, for 5 s)        +--(no answer in 8 s: once more, of another node) --> ended, not probed
 */

import type { AddressProbe } from '../../crds/address-probe.ts';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import type { Prospect } from '../advertising/prospect.ts';
import { ConflictError } from '../cluster/api-error.ts';
import { LeadershipLostError } from '../cluster/leader-term.ts';
import type { Logger } from '../observability/log.ts';
import { type ProbeWorld, probeNameOf } from './probe-world.ts';

/** How it ended. `NotProbed`: nobody could be asked, or nobody answered. */
export type ProbeOutcome =
  | { readonly kind: 'Free' }
  | { readonly kind: 'Conflict'; readonly message: string }
  | { readonly kind: 'NotProbed'; readonly message: string };

export interface ProbeLineOptions {
  readonly world: ProbeWorld;
  /** The node that would own the address if the Service ('namespace/name') had it. */
  readonly prospectOf: (address: string, service: string) => Prospect;
  readonly onEnd: (address: string, outcome: ProbeOutcome) => void;
  readonly log: Logger;
}

/** So many addresses are asked for at once, for each node answers them in one object; the others wait for their turn. */
const MAX_ASKED = 256;
/** How long to wait for a node that would own the address: an advertisement, or a speaker, may still come. */
const OWNER_WITHIN_MS = 5_000;
/** Asking takes a node 4.4 s, and its report may have to wait 3 s after another node was lost. */
const ANSWER_WITHIN_MS = 8_000;
const LOOK_AGAIN_MS = 250;
const MAX_TRIES = 2;
const REMOVE_AGAIN_MS = 1_000;

/** One address. */
interface Entry {
  readonly address: string;
  readonly service: string;
  /** When its turn came; undefined while it waits for that. */
  since?: number;
  tries: number;
  /** Who is asked; undefined while nobody is. */
  probe?: AddressProbe;
  cancel: () => void;
  isOver: boolean;
}

export class ProbeLine {
  readonly #options: ProbeLineOptions;
  readonly #entries = new Map<string, Entry>();
  /** By uid: answers may come before the answer to the request that created the AddressProbe. */
  readonly #latest = new Map<string, ProbeResult>();
  /** Requests that create an AddressProbe and are under way. */
  #creating = 0;
  #cleaned: Promise<void> = Promise.resolve();

  constructor(options: ProbeLineOptions) {
    this.#options = options;
  }

  /** Removes what a former leader left; what is asked for meanwhile waits for that. */
  clean(): void {
    this.#cleaned = this.#removeAll();
  }

  ask(address: string, service: string): void {
    if (this.#entries.has(address)) return;
    this.#entries.set(address, { address, service, tries: 0, cancel: () => {}, isOver: false });
    this.#pump();
  }

  /** Nobody waits for the answer any more. */
  drop(address: string): void {
    const entry = this.#entries.get(address);
    if (entry) this.#close(entry);
  }

  /** Takes in what a node answers. */
  probed(results: readonly ProbeResult[]): void {
    // What other nodes said before may be of use only to whoever does not know its uid yet.
    if (this.#creating === 0) this.#latest.clear();
    for (const result of results) this.#latest.set(result.uid, result);
    for (const entry of this.#entries.values()) {
      if (entry.since === undefined) return; // nor has any after it had its turn
      this.#lookForAnswer(entry);
    }
  }

  #pump(): void {
    let asked = 0;
    for (const entry of this.#entries.values()) {
      asked += 1;
      if (asked > MAX_ASKED) return;
      if (entry.since !== undefined) continue;
      entry.since = this.#options.world.clock();
      this.#begin(entry);
    }
  }

  #begin(entry: Entry): void {
    if (entry.isOver) return;
    const prospect = this.#options.prospectOf(entry.address, entry.service);
    if (prospect.node !== undefined) void this.#create(entry, prospect.node);
    else this.#lookAgain(entry, prospect.message);
  }

  /** @param why there is nobody to ask now */
  #lookAgain(entry: Entry, why: string): void {
    const { world } = this.#options;
    if (world.clock() - (entry.since ?? 0) >= OWNER_WITHIN_MS) this.#end(entry, { kind: 'NotProbed', message: why });
    else entry.cancel = world.after(LOOK_AGAIN_MS, () => this.#begin(entry));
  }

  async #create(entry: Entry, node: string): Promise<void> {
    const { world, log } = this.#options;
    const { address, service } = entry;
    await this.#cleaned;
    if (entry.isOver) return;
    try {
      this.#creating += 1;
      const probe = await world.createProbe({ address, node, service }).finally(() => {
        this.#creating -= 1;
      });
      if (entry.isOver) void this.#remove(probe);
      else this.#asked(entry, probe);
    } catch (error) {
      if (error instanceof LeadershipLostError) return;
      log.warn('an AddressProbe could not be created', { address, node, error });
      if (error instanceof ConflictError) await this.#remove({ metadata: { name: probeNameOf(address) } });
      if (!entry.isOver) this.#lookAgain(entry, `node ${node} could not be asked`);
    }
  }

  #asked(entry: Entry, probe: AddressProbe): void {
    entry.probe = probe;
    entry.tries += 1;
    entry.cancel = this.#options.world.after(ANSWER_WITHIN_MS, () => this.#onNoAnswer(entry, probe));
    this.#lookForAnswer(entry);
  }

  /** The node may have been lost: then another would own the address, and is asked once. */
  #onNoAnswer(entry: Entry, probe: AddressProbe): void {
    const { node } = this.#options.prospectOf(entry.address, entry.service);
    if (node === undefined || node === probe.node || entry.tries >= MAX_TRIES) {
      const message = `node ${probe.node} has not answered within ${ANSWER_WITHIN_MS / 1_000} s`;
      this.#end(entry, { kind: 'NotProbed', message });
      return;
    }
    delete entry.probe;
    void this.#remove(probe).then(() => this.#begin(entry));
  }

  #lookForAnswer(entry: Entry): void {
    const { probe } = entry;
    const answer = probe && this.#latest.get(probe.metadata.uid ?? '');
    if (answer) this.#end(entry, outcomeOf(answer, probe.node));
  }

  #end(entry: Entry, outcome: ProbeOutcome): void {
    this.#options.log.info('probed', {
      address: entry.address,
      service: entry.service,
      node: entry.probe?.node,
      outcome,
    });
    this.#close(entry);
    this.#options.onEnd(entry.address, outcome);
  }

  #close(entry: Entry): void {
    entry.isOver = true;
    entry.cancel();
    this.#entries.delete(entry.address);
    if (entry.probe) void this.#remove(entry.probe);
    this.#pump();
  }

  /** Never rejects: what cannot be removed now is removed later, or by the next leader. */
  async #remove(probe: Pick<AddressProbe, 'metadata'>): Promise<void> {
    const { world, log } = this.#options;
    try {
      await world.removeProbe(probe);
    } catch (error) {
      if (error instanceof LeadershipLostError || error instanceof ConflictError) return;
      log.warn('an AddressProbe could not be removed', { name: probe.metadata.name, error });
      world.after(REMOVE_AGAIN_MS, () => void this.#remove(probe));
    }
  }

  /** @param asked the names that are in use by now: what else has one of them stands in the way, and is removed then */
  async #removeAll(asked: ReadonlySet<string> = new Set()): Promise<void> {
    const { world, log } = this.#options;
    try {
      const left = (await world.listProbes()).filter(({ metadata: { name } }) => !asked.has(name));
      await Promise.all(left.map((probe) => this.#remove(probe)));
    } catch (error) {
      if (error instanceof LeadershipLostError) return;
      log.warn('AddressProbes could not be listed', { error });
      world.after(REMOVE_AGAIN_MS, () => {
        void this.#removeAll(new Set([...this.#entries.keys()].map(probeNameOf)));
      });
    }
  }
}

function outcomeOf({ result, mac, interface: where, message }: ProbeResult, node: string): ProbeOutcome {
  if (result === 'Free') return { kind: 'Free' };
  if (result === 'Failed') return { kind: 'NotProbed', message: `node ${node} could not ask: ${message ?? ''}` };
  const found = `${mac ?? 'somebody'} has it, as node ${node} heard on ${where ?? 'its network'}`;
  return { kind: 'Conflict', message: message === undefined ? found : `${found}: ${message}` };
}
