/** What this node still answers for though another has become the owner: until that one says that it answers, or a second is over. */

import { addressIdOf } from '../../protocols/heartbeat/extension.ts';
import type { Clock } from './clock.ts';
import type { OwnedOn } from './responder.ts';

/** The successor may lag behind with what the API server says, or be of a version that does not tell. */
export const HAND_OVER_MS = 1_000;
/** A successor may be faster than we are: what it said so long ago still counts. */
const TOLD_FOR_MS = 1_500;

interface Handover {
  readonly owned: OwnedOn;
  readonly id: number;
  readonly until: number;
}

export class Handovers {
  readonly #clock: Clock;
  readonly #onRelease: () => void;
  readonly #pending = new Map<string, Handover>();
  /** When a peer said that it answers for an address, by its id. */
  readonly #told = new Map<number, number>();
  #cancel: () => void = () => {};

  /** `onRelease` is called when `held` has become less. */
  constructor(clock: Clock, onRelease: () => void) {
    this.#clock = clock;
    this.#onRelease = onRelease;
  }

  /** What is answered for besides what is owned; none of it is announced. */
  held(): readonly OwnedOn[] {
    return [...this.#pending.values()].map(({ owned }) => ({ ...owned, isHandedOver: true }));
  }

  /**
   * Takes a change of ownership in.
   *
   * @param hasSuccessor whether another node is to answer for an address that this one no longer owns
   */
  moved(before: readonly OwnedOn[], after: readonly OwnedOn[], hasSuccessor: (address: string) => boolean): void {
    const kept = new Set(after.map(({ address }) => address));
    const now = this.#clock.now();
    for (const address of this.#pending.keys())
      if (kept.has(address) || !hasSuccessor(address)) this.#pending.delete(address);
    for (const owned of before) {
      if (kept.has(owned.address) || !hasSuccessor(owned.address)) continue;
      const id = addressIdOf(owned.address);
      if (now - (this.#told.get(id) ?? Number.NEGATIVE_INFINITY) > TOLD_FOR_MS)
        this.#pending.set(owned.address, { owned, id, until: now + HAND_OVER_MS });
    }
    this.#plan();
  }

  /** A peer says that it answers for these addresses (`addressIdOf`). */
  taken(ids: readonly number[]): void {
    const now = this.#clock.now();
    for (const [id, at] of this.#told) if (now - at > TOLD_FOR_MS) this.#told.delete(id);
    for (const id of ids) this.#told.set(id, now);
    this.#release(({ id }) => ids.includes(id));
  }

  /** Nothing is held any more. */
  close(): void {
    this.#pending.clear();
    this.#cancel();
  }

  #release(isOver: (handover: Handover) => boolean): void {
    const over = [...this.#pending].filter(([, handover]) => isOver(handover));
    for (const [address] of over) this.#pending.delete(address);
    this.#plan();
    if (over.length > 0) this.#onRelease();
  }

  #plan(): void {
    this.#cancel();
    if (this.#pending.size === 0) return;
    const until = Math.min(...[...this.#pending.values()].map((handover) => handover.until));
    this.#cancel = this.#clock.after(Math.max(0, until - this.#clock.now()), () =>
      this.#release((handover) => handover.until <= this.#clock.now()),
    );
  }
}
