/** Tells people what happened to an object, as events (events.k8s.io/v1) that `kubectl describe` shows under it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../observability/log.ts';
import type { ApiConnection } from './api-connection.ts';
import { ApiError } from './api-error.ts';
import type { KubernetesObject, ObjectMeta } from './objects.ts';

export type EventType = 'Normal' | 'Warning';

export interface EventRecorderOptions {
  /** Who reports, for instance `herald-operator`. */
  readonly component: string;
  /** Which of its processes, for instance the pod's name. */
  readonly instance: string;
  readonly log: Logger;
  readonly metrics?: EventMetrics;
  /** Repeats of an event are counted, and the count is written no more often than this. */
  readonly seriesEveryMs?: number;
  readonly now?: () => number;
  /** While it says so nothing is sent: the API server has more important things to do. */
  readonly holdWhile?: () => boolean;
}

export interface EventMetrics {
  eventRecorded(outcome: 'Written' | 'Counted' | 'Dropped'): void;
}

/** An event that was told, and how often since. */
interface Told {
  readonly path: string;
  readonly name: string;
  count: number;
  lastAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** How many events about one object may be told at once, and how soon one more (client-go: 25, every 5 minutes). */
const BURST = 25;
const REFILL_MS = 300_000;
/** An event that did not repeat for so long is told anew (client-go). */
const SERIES_ENDS_MS = 6 * 60_000;
/** Beyond these the oldest are forgotten, and new ones dropped: events are help, not state. */
const MAX_REMEMBERED = 4096;
const MAX_PENDING = 10_000;
const TRIES = 3;
/** Sent at once. */
const SENDERS = 2;
/** Until it is asked again whether events may be sent. */
const HOLD_MS = 100;
/** events.k8s.io/v1. */
const MAX_NOTE = 1024;

export class EventRecorder {
  readonly #connection: ApiConnection;
  readonly #options: Required<Omit<EventRecorderOptions, 'metrics'>>;
  readonly #metrics: EventMetrics | undefined;
  readonly #told = new Map<string, Told>();
  readonly #budgets = new Map<string, { left: number; at: number }>();
  readonly #pending: (() => Promise<void>)[] = [];
  #working: Promise<void> | undefined;

  constructor(connection: ApiConnection, { metrics, ...options }: EventRecorderOptions) {
    this.#connection = connection;
    this.#options = { seriesEveryMs: 30_000, now: Date.now, holdWhile: () => false, ...options };
    this.#metrics = metrics;
  }

  /** Tells one event; the same one again is only counted. It never throws and does not wait. */
  event(object: KubernetesObject, type: EventType, reason: string, message: string): void {
    const { uid = '', name } = object.metadata;
    const note = message.slice(0, MAX_NOTE);
    const key = [object.kind, uid || name, type, reason, note].join('\n');
    const now = this.#options.now();
    const told = this.#told.get(key);
    if (told && now - told.lastAt < SERIES_ENDS_MS) this.#count(told, now);
    else if (!this.#isAllowed(uid || name, now) || this.#pending.length >= MAX_PENDING) {
      this.#metrics?.eventRecorded('Dropped');
    } else this.#tell(key, object, { type, reason, note }, now);
  }

  /** Resolves when every event so far was written or given up. */
  async flush(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Forgets the counts that were not written yet. */
  close(): void {
    for (const { timer } of this.#told.values()) clearTimeout(timer);
    this.#pending.length = 0;
  }

  #tell(
    key: string,
    object: KubernetesObject,
    what: { type: string; reason: string; note: string },
    now: number,
  ): void {
    // events.k8s.io/v1: what has no namespace is reported in `default`.
    const namespace = object.metadata.namespace ?? 'default';
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const name = `${object.metadata.name.slice(0, 200)}.${BigInt(now).toString(16)}${randomSuffix()}`;
    const told: Told = { path, name, count: 1, lastAt: now, timer: undefined };
    this.#remember(key, told);
    const { component, instance } = this.#options;
    const body = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace },
      eventTime: microTime(now),
      reportingController: component,
      reportingInstance: instance.slice(0, 128),
      action: what.reason,
      ...what,
      regarding: referenceTo(object),
    };
    this.#enqueue('Written', () => this.#connection.request({ method: 'POST', path, body, lane: 'background' }));
  }

  #count(told: Told, now: number): void {
    told.count += 1;
    told.lastAt = now;
    told.timer ??= setTimeout(() => {
      told.timer = undefined;
      const body = { series: { count: told.count, lastObservedTime: microTime(told.lastAt) } };
      this.#enqueue('Counted', () =>
        this.#connection.request({
          method: 'PATCH',
          path: `${told.path}/${told.name}`,
          body,
          contentType: 'application/merge-patch+json',
          lane: 'background',
        }),
      );
    }, this.#options.seriesEveryMs).unref();
  }

  #remember(key: string, told: Told): void {
    this.#told.delete(key);
    this.#told.set(key, told);
    if (this.#told.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#told;
    if (oldest) {
      clearTimeout(oldest[1].timer);
      this.#told.delete(oldest[0]);
    }
  }

  /** A token bucket for each object, so that one that flaps does not fill the store of the API server. */
  #isAllowed(object: string, now: number): boolean {
    const { left, at } = this.#budgets.get(object) ?? { left: BURST, at: now };
    const filled = Math.min(BURST, left + (now - at) / REFILL_MS);
    if (filled < 1) return false;
    this.#budgets.set(object, { left: filled - 1, at: now });
    if (this.#budgets.size > MAX_REMEMBERED) this.#budgets.clear();
    return true;
  }

  #enqueue(outcome: 'Written' | 'Counted', send: () => Promise<unknown>): void {
    this.#pending.push(() => this.#send(outcome, send));
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // After the caller's turn: what it writes itself goes out first.
    await Promise.resolve();
    await Promise.all(Array.from({ length: SENDERS }, () => this.#sendPending()));
    // One may have come after the last sender had looked.
    this.#working = this.#pending.length > 0 ? this.#work() : undefined;
  }

  async #sendPending(): Promise<void> {
    for (;;) {
      while (this.#pending.length > 0 && this.#options.holdWhile()) await sleep(HOLD_MS, undefined, { ref: false });
      const next = this.#pending.shift();
      if (!next) return;
      await next();
    }
  }

  async #send(outcome: 'Written' | 'Counted', send: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      try {
        await send();
        this.#metrics?.eventRecorded(outcome);
        return;
      } catch (error) {
        // A refusal will be the same next time; a missing answer may not.
        const isRefused = error instanceof ApiError && error.status >= 400 && error.status < 500;
        if (!isRefused && tries < TRIES) continue;
        this.#metrics?.eventRecorded('Dropped');
        this.#options.log.debug('event not written', { error });
        return;
      }
    }
  }
}

function referenceTo({ apiVersion, kind, metadata }: KubernetesObject): Readonly<Record<string, string | undefined>> {
  const { name, namespace, uid, resourceVersion }: ObjectMeta = metadata;
  return { apiVersion, kind, name, namespace, uid, resourceVersion };
}

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');
const randomSuffix = (): string => Math.floor(Math.random() * 0x1000000).toString(16);
