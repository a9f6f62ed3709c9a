/** Time as the wire thread needs it; a parameter, so that tests turn it by hand. */

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls `action` once after `delayMs`. @returns a function that prevents it */
  after(delayMs: number, action: () => void): () => void;
  /** Calls `action` after what waits on the event loop now has been done. */
  soon(action: () => void): void;
}

/** The machine's monotonic clock and this thread's event loop. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (action) => void setImmediate(action),
};
