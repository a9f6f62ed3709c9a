/** The speaker's two other threads, and the channel on which the clock talks to the wire without main. */

import { once } from 'node:events';
import { MessageChannel, type Worker } from 'node:worker_threads';
import { AnswerLease } from '../host/answer-lease.ts';
import { startThread, type ThreadName } from '../host/thread.ts';
import type { ClockThreadData } from './clock-thread.ts';
import type { FromClock, FromWire, ToClock, ToWire } from './messages.ts';
import type { ResponderChoice } from './wire/choose-responder.ts';
import type { WireThreadData } from './wire-thread.ts';

/** What main needs of the threads; the tests pass an object literal. */
export interface Threads {
  toWire(message: ToWire): void;
  toClock(message: ToClock): void;
  onWire(listener: (message: FromWire) => void): void;
  onClock(listener: (message: FromClock) => void): void;
}

/** A thread ended that nobody had told to. */
export class ThreadEndedError extends Error {
  override readonly name = 'ThreadEndedError';
  readonly reason = 'ThreadEnded';
}

/** How long a thread that was told to stop may take. */
const STOP_TIMEOUT_MS = 1_000;

/**
 * Waits until a thread that was told to stop has ended. Ending it from outside at once would free the descriptors it
 * polls while libuv still closes them, which ends the whole process by SIGSEGV.
 */
async function ended(thread: Worker): Promise<void> {
  if (thread.threadId === -1) return; // it has ended already
  const late = setTimeout(() => void thread.terminate(), STOP_TIMEOUT_MS);
  await once(thread, 'exit');
  clearTimeout(late);
}

export class SpeakerThreads implements Threads {
  readonly #wire: Worker;
  readonly #clock: Worker;
  readonly #onEnd: (error: Error) => void;
  #isStopping = false;

  /** `onEnd` is called once when a thread ends by itself: without it the speaker is only half there. */
  constructor(
    clock: Omit<ClockThreadData, 'lease'>,
    onEnd: (error: Error) => void,
    responder: ResponderChoice = 'packet',
  ) {
    this.#onEnd = onEnd;
    const { shared: lease } = new AnswerLease();
    this.#wire = this.#start('wire-thread', { lease, responder } satisfies WireThreadData);
    this.#clock = this.#start('clock-thread', { ...clock, lease } satisfies ClockThreadData);
    const { port1, port2 } = new MessageChannel();
    this.#wire.postMessage({ kind: 'ClockPort', port: port1 } satisfies ToWire, [port1]);
    this.#clock.postMessage({ kind: 'WirePort', port: port2 } satisfies ToClock, [port2]);
  }

  toWire(message: ToWire): void {
    this.#wire.postMessage(message);
  }

  toClock(message: ToClock): void {
    this.#clock.postMessage(message);
  }

  onWire(listener: (message: FromWire) => void): void {
    this.#wire.on('message', listener);
  }

  onClock(listener: (message: FromClock) => void): void {
    this.#clock.on('message', listener);
  }

  /** Ends both; what is still announced is no longer answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.toWire({ kind: 'Stop' });
    this.toClock({ kind: 'Stop' });
    await Promise.all([ended(this.#wire), ended(this.#clock)]);
  }

  #start(name: ThreadName, data: unknown): Worker {
    const thread = startThread(name, data);
    const end = (message: string, cause?: unknown): void => {
      if (!this.#isStopping) this.#onEnd(new ThreadEndedError(`${name}: ${message}`, { cause }));
      this.#isStopping = true;
    };
    thread.on('error', (cause) => end('an error that nothing expected', cause));
    thread.on('exit', (code) => end(`ended with code ${code}`));
    return thread;
  }
}
