/** When a node may write its report: calmly, but at once when another node is lost. All times in milliseconds, monotonic. */

/** What changes together is reported together: who is alive, and what is owned because of it. */
const GATHER_MS = 50;
/** Two writes per second and node. */
const PACE_MS = 500;
/** After a lost node everybody has something to report, and the API server is needed for other things. */
const AFTER_LOSS_MS = 3_000;

export class ReportPace {
  #lastAt = Number.NEGATIVE_INFINITY;
  /** Until then there was a write because of a loss. */
  #calmUntil = Number.NEGATIVE_INFINITY;
  #isLoss = false;

  /** When what changed now may be written; `isLoss` when a node was lost. */
  dueAt(now: number, isLoss: boolean): number {
    const soon = now + GATHER_MS;
    if (now < this.#calmUntil) return Math.max(soon, this.#calmUntil);
    this.#isLoss ||= isLoss;
    return this.#isLoss ? soon : Math.max(soon, this.#lastAt + PACE_MS);
  }

  /** A report was sent. */
  wrote(now: number): void {
    this.#lastAt = now;
    if (this.#isLoss) this.#calmUntil = now + AFTER_LOSS_MS;
    this.#isLoss = false;
  }
}
