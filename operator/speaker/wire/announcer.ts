/** Bursts of gratuitous ARP and unsolicited advertisements for addresses whose owner this node has become, paced. */

import type { Clock } from './clock.ts';

/**
 * When the shots of a burst are fired, milliseconds after its start: MetalLB's (at once, then every 1.1 s for 5 s;
 * internal/layer2), and one after 50 ms, because a lost first shot would otherwise cost a second of outage.
 */
export const SHOTS_MS: readonly number[] = [0, 50, 1100, 2200, 3300, 4400];

/** Shots fired in one turn of the event loop: requests are answered in between. */
const BATCH = 64;
/** Pause between two batches of repeated shots; the first shots do not pause, the network waits for them. */
const PAUSE_MS = 5;

interface Burst {
  readonly address: string;
  /** Undefined means on all interfaces. */
  readonly onInterface: string | undefined;
  readonly startedAt: number;
}

/** Fires the bursts; what a shot is, is the business of `shoot`. */
export class Announcer {
  readonly #clock: Clock;
  readonly #shoot: (address: string, onInterface: string | undefined) => void;
  /** One queue per shot: all have the same delay, so each queue is in order of time. */
  readonly #queues: Burst[][] = SHOTS_MS.map(() => []);
  /** The latest burst of each address and interface: an older one is void. */
  readonly #latest = new Map<string, Burst>();
  #cancelTimer: (() => void) | undefined;
  #isTurnPlanned = false;

  constructor(clock: Clock, shoot: (address: string, onInterface: string | undefined) => void) {
    this.#clock = clock;
    this.#shoot = shoot;
  }

  /** Whether first shots wait for their turn. */
  get isUrgent(): boolean {
    return (this.#queues[0]?.length ?? 0) > 0;
  }

  /** Starts a burst for each address; the first batch of shots is fired before this returns, unless earlier ones still wait. */
  announce(addresses: Iterable<string>, onInterface?: string): void {
    const startedAt = this.#clock.now();
    for (const address of addresses) {
      const burst: Burst = { address, onInterface, startedAt };
      this.#latest.set(keyOf(burst), burst);
      this.#queues[0]?.push(burst);
    }
    if (!this.#isTurnPlanned) this.#turn();
  }

  /** Ends all bursts. */
  close(): void {
    this.#latest.clear();
    for (const queue of this.#queues) queue.length = 0;
    this.#cancelTimer?.();
  }

  #turn(): void {
    this.#isTurnPlanned = false;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const fired = this.#fireBatch();
    if (this.isUrgent) this.#planSoon();
    else this.#planNext(fired === BATCH ? PAUSE_MS : 0);
  }

  #fireBatch(): number {
    const now = this.#clock.now();
    let fired = 0;
    for (const [shot, queue] of this.#queues.entries()) {
      while (fired < BATCH && queue[0] && queue[0].startedAt + (SHOTS_MS[shot] ?? 0) <= now) {
        if (this.#fire(queue.shift() as Burst, shot)) fired += 1;
      }
    }
    return fired;
  }

  #fire(burst: Burst, shot: number): boolean {
    if (this.#latest.get(keyOf(burst)) !== burst) return false;
    this.#shoot(burst.address, burst.onInterface);
    const next = this.#queues[shot + 1];
    if (next) next.push(burst);
    else this.#latest.delete(keyOf(burst));
    return true;
  }

  #planSoon(): void {
    this.#isTurnPlanned = true;
    this.#clock.soon(() => this.#turn());
  }

  #planNext(atLeastMs: number): void {
    const due = this.#queues.flatMap((queue, shot) => (queue[0] ? [queue[0].startedAt + (SHOTS_MS[shot] ?? 0)] : []));
    if (due.length === 0) return;
    const delay = Math.max(Math.min(...due) - this.#clock.now(), atLeastMs);
    this.#cancelTimer = this.#clock.after(delay, () => this.#turn());
  }
}

const keyOf = ({ address, onInterface }: Burst): string => `${address}%${onInterface ?? ''}`;
