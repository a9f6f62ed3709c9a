/**
 * Addresses that rest after a Service let go of them: given again in time, and stored, so that the next leader lets
 * them rest as long.
 */

import type { PoolSet, RestingAddress } from '../../crds/pool-set.ts';
import type { WithheldAddress } from '../allocator/circumstances.ts';
import { type RestedAddress, restOf } from '../allocator/rest.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { isSame } from '../cluster/status-writer.ts';
import { formatIp, type IpAddress, parseIp } from '../net/address.ts';
import type { World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
/** Services let go of addresses in bursts: what rests is stored once for the burst. */
export const GATHER_RESTS_MS = 500;
/** More than so many are not stored, because an object of Kubernetes has a limited size; the others rest all the same. */
const MOST_STORED = 5_000;

interface Rest {
  readonly address: IpAddress;
  readonly service: string;
  /** Milliseconds since 1970: it outlives the process. */
  readonly until: number;
}

export class RestingAddresses implements Reconciler {
  readonly name = 'resting-addresses';
  readonly #world: Pick<World, 'now' | 'storeResting'>;
  readonly #restore: (address: IpAddress) => void;
  readonly #rests = new Map<string, Rest>();
  #stored: readonly RestingAddress[] = [];

  /** @param restore called for each address that may be given again */
  constructor(world: Pick<World, 'now' | 'storeResting'>, restore: (address: IpAddress) => void) {
    this.#world = world;
    this.#restore = restore;
  }

  /** Takes over what a former leader stored; what has rested long enough is left out. */
  resume({ resting = [] }: Pick<PoolSet, 'resting'>): readonly WithheldAddress[] {
    this.#stored = resting;
    const now = this.#world.now().getTime();
    return resting.flatMap(({ address: text, service, until }) => {
      const address = parseIp(text);
      const end = Date.parse(until);
      if (!address || !(end > now)) return [];
      this.#rests.set(text, { address, service, until: end });
      return { address, ...restOf(service) };
    });
  }

  /** Addresses began to rest. */
  rested(addresses: readonly RestedAddress[]): void {
    const now = this.#world.now().getTime();
    for (const { address, service, coolDownMs } of addresses)
      this.#rests.set(formatIp(address), { address, service, until: now + coolDownMs });
  }

  async reconcile(): Promise<Outcome> {
    this.#end();
    await this.#store();
    if (this.#rests.size === 0) return DONE;
    let next = Number.POSITIVE_INFINITY;
    for (const { until } of this.#rests.values()) next = Math.min(next, until);
    const milliseconds = Math.max(1, next - this.#world.now().getTime());
    return { next: 'RetryAfter', milliseconds, because: 'an address rests until then' };
  }

  #end(): void {
    const now = this.#world.now().getTime();
    for (const [text, { address, until }] of this.#rests) {
      if (until > now) continue;
      this.#rests.delete(text);
      this.#restore(address);
    }
  }

  /** Only what is new, and that nothing rests any more, is worth a request: the ends are stored with the beginnings. */
  async #store(): Promise<void> {
    const resting = [...this.#rests.values()]
      .sort((a, b) => b.until - a.until)
      .slice(0, MOST_STORED)
      .map(({ address, service, until }): RestingAddress => {
        return { address: formatIp(address), until: secondsOf(until), service };
      });
    const known = new Set(this.#stored.map((one) => JSON.stringify(one)));
    const isNew = resting.some((one) => !known.has(JSON.stringify(one)));
    if (!isNew && (resting.length > 0 || this.#stored.length === 0)) return;
    if (isSame(resting, this.#stored)) return;
    await this.#world.storeResting(resting);
    this.#stored = resting;
  }
}

/** RFC 3339 in whole seconds, never before the end. */
const secondsOf = (time: number): string => new Date(Math.ceil(time / 1000) * 1000).toISOString().replace('.000', '');
