/** Packet counters per address, since the thread started. */

import type { AddressCounters } from '../messages.ts';

/** The counters of one address, to be incremented in place. */
export interface AddressTally {
  requestsReceived: number;
  responsesSent: number;
  gratuitousSent: number;
}

/** The counters of all addresses of the desired set. */
export class Tally {
  readonly #addresses = new Map<string, AddressTally>();
  #lastRead = '';

  /** The counters of `address`, from 0 when it is new. */
  of(address: string): AddressTally {
    const known = this.#addresses.get(address);
    if (known) return known;
    const fresh: AddressTally = { requestsReceived: 0, responsesSent: 0, gratuitousSent: 0 };
    this.#addresses.set(address, fresh);
    return fresh;
  }

  /** Forgets every address that is not in `addresses`, so that deleted Services leave nothing behind. */
  retain(addresses: ReadonlySet<string>): void {
    for (const address of this.#addresses.keys()) if (!addresses.has(address)) this.#addresses.delete(address);
  }

  /** All counters, when any has changed since the last call; else undefined. */
  takeChanged(): readonly AddressCounters[] | undefined {
    const counters = [...this.#addresses].map(([address, tally]) => ({ address, ...tally }));
    const read = counters
      .map((c) => `${c.address} ${c.requestsReceived} ${c.responsesSent} ${c.gratuitousSent}`)
      .join();
    if (read === this.#lastRead) return undefined;
    this.#lastRead = read;
    return counters;
  }
}
