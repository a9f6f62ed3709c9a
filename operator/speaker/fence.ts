/**
 * With `--fencing=lease`: of the sides of a cut only the one with the API server goes on answering.
 *
 * A node that has lost peers renews its Lease all the time; where that fails for too long, it stops. With all peers there it needs no
 * API server: who agrees with everybody divides nothing.
 */

import type { FromClock } from './messages.ts';
import type { Threads } from './threads.ts';
import type { Clock } from './wire/clock.ts';

export interface FenceOptions {
  readonly threads: Pick<Threads, 'onClock'>;
  readonly clock: Clock;
  /** Writes to the API server; rejects when it does not answer in time. A mere question may be answered by one without its etcd. */
  readonly renew: () => Promise<void>;
  readonly onChange: (isFenced: boolean) => void;
}

/** How long a node that has lost peers goes on without the API server. */
export const FENCED_AFTER_MS = 2_000;
const RENEW_EVERY_MS = 500;

export class Fence {
  readonly #options: FenceOptions;
  /** Peers that were alive at some time, and neither left nor were forgotten by the cluster. */
  #known = new Set<string>();
  #hasLost = false;
  #isRenewing = false;
  #isFenced = false;
  /** When the API server took a write last, or when the first peer was lost after it had. */
  #sureAt = Number.NEGATIVE_INFINITY;

  constructor(options: FenceOptions) {
    this.#options = options;
    options.threads.onClock((message) => {
      if (message.kind === 'Peers') this.#judge(message.peers);
    });
  }

  #judge(peers: Extract<FromClock, { kind: 'Peers' }>['peers']): void {
    const isAlive = (health: string): boolean => health === 'Alive' || health === 'Suspect';
    const alive = peers.filter(({ health }) => isAlive(health));
    const listed = new Set(peers.filter(({ leaving }) => !leaving).map(({ node }) => node));
    this.#known = new Set([...this.#known, ...alive.map(({ node }) => node)].filter((node) => listed.has(node)));
    const hadLost = this.#hasLost;
    this.#hasLost = alive.filter(({ node }) => this.#known.has(node)).length < this.#known.size;
    if (!this.#hasLost) this.#set(false);
    if (!this.#hasLost || hadLost) return;
    this.#sureAt = this.#options.clock.now();
    if (!this.#isRenewing) void this.#renew();
  }

  async #renew(): Promise<void> {
    const { clock, renew } = this.#options;
    this.#isRenewing = true;
    while (this.#hasLost) {
      // a request that hangs does not put the verdict off
      const cancel = clock.after(Math.max(0, this.#sureAt + FENCED_AFTER_MS - clock.now()), () =>
        this.#set(this.#hasLost),
      );
      const isSure = await renew().then(
        () => true,
        () => false,
      );
      if (isSure) {
        cancel();
        this.#sureAt = clock.now();
        this.#set(false);
      }
      await new Promise<void>((resolve) => void clock.after(RENEW_EVERY_MS, resolve));
      cancel();
      if (!isSure && this.#hasLost && clock.now() - this.#sureAt >= FENCED_AFTER_MS) this.#set(true);
    }
    this.#isRenewing = false;
  }

  #set(isFenced: boolean): void {
    if (isFenced === this.#isFenced) return;
    this.#isFenced = isFenced;
    this.#options.onChange(isFenced);
  }
}
