/** Waiting with a deadline; a failure tells what was seen last. */

export interface WaitOptions {
  readonly withinMs: number;
  readonly everyMs?: number;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Looks again and again until `isDone` likes what it sees, and returns that. A look that throws counts as not yet.
 * @throws an Error with the last value or error seen, once the deadline has passed
 */
export async function waitFor<T>(
  what: string,
  { withinMs, everyMs = 100 }: WaitOptions,
  look: () => Promise<T> | T,
  isDone: (seen: T) => boolean = Boolean,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    let last: string;
    try {
      const seen = await look();
      if (isDone(seen)) return seen;
      last = JSON.stringify(seen) ?? String(seen);
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() - startedAt >= withinMs)
      throw new Error(`${what}: not within ${withinMs} ms; last seen: ${last.slice(0, 1500)}`);
    await pause(everyMs);
  }
}
