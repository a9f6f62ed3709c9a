/** The allocator of one term, fed by what happens to Services: decides at once and says whom it concerns. */

import type { Decision } from '../allocator/decision.ts';
import { heldByDecision, heldByStatus } from '../allocator/held-addresses.ts';
import { type AllocationChange, IncrementalAllocator, type PoolUse } from '../allocator/incremental-allocator.ts';
import { isOurs, requestOf } from '../allocator/service-request.ts';
import type { Service } from '../cluster/objects.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import type { Pool } from '../config/pool.ts';
import type { HeldAddress } from '../config/stored-state.ts';
import type { IpAddress } from '../net/address.ts';

/** Told after each change: Services whose status may have to change, pools whose use did. */
export interface AddressBookListener {
  servicesConcerned(keys: Iterable<string>): void;
  poolsUsed(keys: Iterable<string>): void;
}

export class AddressBook {
  readonly #services: ReadonlyStore<Service>;
  readonly #lbClass: string;
  readonly #listener: AddressBookListener;
  readonly #allocator = new IncrementalAllocator();
  /** Services that left us with an address of ours, whose status may still show it. */
  readonly #released = new Set<string>();
  /** Closed: what happens is only noted, because the pools in force are about to change. */
  #noted: Set<string> | undefined = new Set();

  constructor(services: ReadonlyStore<Service>, lbClass: string, listener: AddressBookListener) {
    this.#services = services;
    this.#lbClass = lbClass;
    this.#listener = listener;
  }

  decisionOf(key: string): Decision | undefined {
    return this.#allocator.decisionOf(key);
  }
  holderOf(address: IpAddress): string | undefined {
    return this.#allocator.holderOf(address);
  }
  useOf(pool: string): PoolUse {
    return this.#allocator.useOf(pool);
  }

  /** What Services hold: by their status until the book was opened, by decision since. */
  held(isLoaded: boolean): readonly HeldAddress[] {
    return isLoaded ? heldByDecision(this.#allocator) : this.#ours().flatMap(heldByStatus);
  }

  /** Starts from what the status of every Service says. */
  load(pools: readonly Pool[]): void {
    this.#tell(this.#allocator.load(pools, this.#ours().map(requestOf)));
    this.#listener.servicesConcerned(this.#ours().map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
    this.#open();
  }

  setPools(pools: readonly Pool[]): void {
    this.#tell(this.#allocator.setPools(pools));
    this.#open();
  }

  /** From here on nothing is decided until the pools are set, or `reopen`. */
  close(): void {
    this.#noted ??= new Set();
  }

  /** Goes on with the pools as they were. */
  reopen(): void {
    this.#open();
  }

  serviceChanged(key: string): void {
    if (this.#noted) {
      this.#noted.add(key);
      return;
    }
    const service = this.#services.get(key);
    if (service && isOurs(service, this.#lbClass)) {
      this.#released.delete(key);
      this.#tell(this.#allocator.upsert(requestOf(service)));
      // Even if nothing new was decided: somebody may have changed the status.
      this.#listener.servicesConcerned([key]);
      return;
    }
    if (this.#allocator.decisionOf(key)?.outcome === 'Assigned') this.#released.add(key);
    this.#tell(this.#allocator.remove(key));
  }

  /** Whether the Service left us and its status may still show what we gave it. */
  isReleased(key: string): boolean {
    return this.#released.has(key);
  }

  /** Notes a Service that left us while nobody led. */
  noteReleased(key: string): void {
    this.#released.add(key);
    this.#listener.servicesConcerned([key]);
  }

  /** The status of a Service that left us is in order. */
  forgetReleased(key: string): void {
    this.#released.delete(key);
  }

  #ours(): readonly Service[] {
    return this.#services.list().filter((service) => isOurs(service, this.#lbClass));
  }

  #open(): void {
    const noted = this.#noted ?? [];
    this.#noted = undefined;
    for (const key of noted) this.serviceChanged(key);
  }

  #tell({ services, pools }: AllocationChange): void {
    if (services.size > 0) this.#listener.servicesConcerned(services);
    if (pools.size > 0) this.#listener.poolsUsed(pools);
  }
}
