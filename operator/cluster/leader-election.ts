/**
 * Leader election by a Lease, so that one address never goes to two Services, whatever happens.
 *
 *   leader   |--renew--|--renew--|--renew---- frozen ----------------woken: may not write
 *            |         |         |<---- lease 3 s ---->|
 *            |         |         |<-- writes -->|<1 s->|              (1 s: what a write may take)
 *   standby  |         |         | sees it          |<- waits 3 s ->| takes the Lease
 *
 * Every point in time here is of the own monotonic clock; clocks of two machines are never compared.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../observability/log.ts';
import type { ApiConnection, ApiRequest } from './api-connection.ts';
import { isConflict, isNotFound } from './api-error.ts';
import { Informer } from './informer.ts';
import { type LeaderTerm, Term } from './leader-term.ts';
import { keyOf, type Lease, type LeaseSpec } from './objects.ts';
import { getObject } from './requests.ts';
import { apiVersionOf, collectionPath, objectPath, resources } from './resource.ts';

export interface LeaderElectionOptions {
  readonly connection: ApiConnection;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Unique among the processes that live: a Lease that bears it is ours, also after a restart. */
  readonly identity: string;
  readonly log: Logger;
  readonly leaseDurationMs?: number;
  readonly renewEveryMs?: number;
  /** What a renewal, or a write of the leader, may take. */
  readonly requestTimeoutMs?: number;
  /** Monotonic, milliseconds. */
  readonly clock?: () => number;
  readonly metrics?: LeaderElectionMetrics;
}

export interface LeaderElectionMetrics {
  leading(name: string, isLeading: boolean): void;
}

export interface LeaderCallbacks {
  /** Not waited for; what it throws ends the term. */
  onStartedLeading(term: LeaderTerm): void | Promise<void>;
  /** The term's signal is aborted already. Resolves when nothing of the term runs any more. */
  onStoppedLeading(): void | Promise<void>;
}

/** A Lease that we hold, as it was last written, and when its lease ends. */
interface Held {
  readonly lease: Lease;
  readonly until: number;
}

/** After a failed attempt to take or renew the Lease. */
const RETRY_MS = 100;

/** Without a leader nothing is decided: after an outage, however long, the Lease is looked for within this time. */
const RECONNECT_CAP_MS = 1_000;

export class LeaderElection {
  readonly #options: Required<Omit<LeaderElectionOptions, 'metrics'>> & Pick<LeaderElectionOptions, 'metrics'>;
  readonly #log: Logger;
  readonly #informer: Informer<Lease>;
  readonly #key: string;
  /** When we saw the Lease change last; what was there before we looked counts from the first look. */
  #seenAt: number;
  /** Somebody deleted the Lease: its holder learns it by its next renewal. */
  #isDeleted = false;
  /** Wakes a standby that waits. */
  #wake: () => void = () => undefined;

  constructor(options: LeaderElectionOptions) {
    const times = {
      leaseDurationMs: 3_000,
      renewEveryMs: 500,
      requestTimeoutMs: 1_000,
      clock: () => performance.now(),
    };
    this.#options = { ...times, ...options };
    const { connection, namespace, name, identity, log } = options;
    this.#log = log.child({ lease: `${namespace}/${name}`, identity });
    this.#key = keyOf({ metadata: { namespace, name } });
    const resource = { ...resources.leases, namespace, fieldSelector: `metadata.name=${name}` };
    this.#informer = new Informer(connection, resource, { log, backoff: { capMs: RECONNECT_CAP_MS } });
    this.#seenAt = this.#options.clock();
    this.#informer.onChange(({ after }) => {
      this.#isDeleted = !after;
      this.#seenAt = this.#options.clock();
      this.#wake();
    });
  }

  /** Stands by, leads, and stands by again, until `signal` aborts; then gives the Lease back. It never rejects. */
  async run(callbacks: LeaderCallbacks, signal: AbortSignal): Promise<void> {
    const watching = new AbortController();
    const watch = this.#informer.run(watching.signal);
    while (!signal.aborted) {
      const held = await this.#standBy(signal);
      if (!held) continue;
      await this.#lead(held, callbacks, signal);
      // A term that failed at its start is not begun again without a pause.
      if (!signal.aborted) await sleep(RETRY_MS);
    }
    watching.abort();
    await watch;
  }

  /** Waits until the Lease is free, and takes it. Undefined: aborted. */
  async #standBy(signal: AbortSignal): Promise<Held | undefined> {
    await this.#informer.synced(signal).catch(() => undefined);
    while (!signal.aborted) {
      const lease = this.#informer.store.get(this.#key);
      const waitMs = this.#busyForMs(lease);
      const held = waitMs > 0 ? undefined : await this.#take(lease);
      if (held) return held;
      await this.#changeOrAfter(waitMs > 0 ? waitMs : RETRY_MS, signal);
    }
    return undefined;
  }

  /** For how long somebody else may still believe to hold the Lease. */
  #busyForMs(lease: Lease | undefined): number {
    const { holderIdentity = '', leaseDurationSeconds = 0 } = lease?.spec ?? {};
    const isFree = holderIdentity === '' || holderIdentity === this.#options.identity;
    if (lease ? isFree : !this.#isDeleted) return 0;
    const durationMs = Math.max(this.#options.leaseDurationMs, leaseDurationSeconds * 1000);
    return this.#seenAt + durationMs - this.#options.clock();
  }

  async #changeOrAfter(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(ms, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
    this.#wake = () => undefined;
  }

  async #take(lease: Lease | undefined): Promise<Held | undefined> {
    const transitions = lease?.spec?.leaseTransitions ?? 0;
    const isOther = lease?.spec?.holderIdentity !== this.#options.identity;
    const now = microTime();
    try {
      return await this.#write(lease, {
        acquireTime: now,
        renewTime: now,
        leaseTransitions: lease && isOther ? transitions + 1 : transitions,
      });
    } catch (error) {
      if (!isConflict(error)) this.#log.warn('the Lease could not be taken', { error });
      return undefined;
    }
  }

  async #lead(taken: Held, callbacks: LeaderCallbacks, signal: AbortSignal): Promise<void> {
    const { clock, requestTimeoutMs, name, metrics } = this.#options;
    const number = taken.lease.spec?.leaseTransitions ?? 0;
    const term = new Term(taken.until, requestTimeoutMs, clock, number);
    this.#log.info('leading');
    metrics?.leading(name, true);
    const work = this.#begin(term, callbacks);
    const last = await this.#renew(taken, term, signal);
    term.end();
    metrics?.leading(name, false);
    this.#log.info(last ? 'giving the Lease back' : 'leadership lost');
    const stopped = Promise.all([work, stop(callbacks, this.#log), term.drained()]);
    if (!last) await stopped;
    else if (await isDoneBy(stopped, last.until - clock())) await this.#giveBack(last);
    else this.#log.warn('the term did not end in time: the Lease runs out by itself');
  }

  async #begin(term: Term, { onStartedLeading }: LeaderCallbacks): Promise<void> {
    try {
      await onStartedLeading(term);
    } catch (error) {
      if (!term.signal.aborted) this.#log.error('leading failed', { error });
      term.end();
    }
  }

  /** Renews until the term ends. Returns what is held when we are told to stop, undefined when the Lease is lost. */
  async #renew(taken: Held, term: Term, signal: AbortSignal): Promise<Held | undefined> {
    const { clock, renewEveryMs } = this.#options;
    const stop = AbortSignal.any([signal, term.signal]);
    let held = taken;
    let waitMs = renewEveryMs;
    while (true) {
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
      if (clock() >= held.until) return undefined;
      if (stop.aborted) return held;
      const sentAt = clock();
      const renewed = await this.#renewOnce(held);
      if (renewed === 'Lost') return undefined;
      held = renewed ?? held;
      term.extend(held.until);
      waitMs = Math.max(0, (renewed ? renewEveryMs : RETRY_MS) - (clock() - sentAt));
    }
  }

  /** Undefined: no answer, try again. */
  async #renewOnce({ lease, until }: Held): Promise<Held | 'Lost' | undefined> {
    try {
      return await this.#write(lease, { renewTime: microTime() }, until);
    } catch (error) {
      if (isNotFound(error)) return 'Lost';
      if (isConflict(error)) return await this.#holdAgain(until);
      this.#log.warn('the Lease was not renewed', { error });
      return undefined;
    }
  }

  /** The Lease was written since: by another leader, or by us in a renewal whose answer was lost, or by a person. */
  async #holdAgain(until: number): Promise<Held | 'Lost' | undefined> {
    const { connection, identity, namespace, name } = this.#options;
    try {
      const lease = await getObject(connection, resources.leases, { namespace, name });
      if (lease?.spec?.holderIdentity !== identity) return 'Lost';
      return { lease, until };
    } catch {
      return undefined;
    }
  }

  async #giveBack({ lease }: Held): Promise<void> {
    try {
      await this.#write(lease, { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() });
    } catch (error) {
      this.#log.warn('the Lease was not given back', { error });
    }
  }

  /** Writes the Lease as ours; the resourceVersion of `lease` makes it fail if anybody else was faster. */
  async #write(lease: Lease | undefined, spec: LeaseSpec, until = Number.POSITIVE_INFINITY): Promise<Held> {
    const { connection, namespace, name, identity, leaseDurationMs, requestTimeoutMs, clock } = this.#options;
    const { leases } = resources;
    const sentAt = clock();
    const written = await connection.request<Lease>({
      ...((lease
        ? { method: 'PUT', path: objectPath(leases, { namespace, name }) }
        : { method: 'POST', path: collectionPath(leases, namespace) }) satisfies ApiRequest),
      body: {
        apiVersion: apiVersionOf(leases),
        kind: leases.kind,
        metadata: lease?.metadata ?? { namespace, name },
        spec: {
          ...lease?.spec,
          holderIdentity: identity,
          leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
          ...spec,
        },
      },
      lane: 'lease',
      timeoutMs: Math.max(1, Math.min(requestTimeoutMs, until - sentAt)),
    });
    return { lease: written, until: sentAt + leaseDurationMs };
  }
}

async function stop({ onStoppedLeading }: LeaderCallbacks, log: Logger): Promise<void> {
  try {
    await onStoppedLeading();
  } catch (error) {
    log.error('stopping failed', { error });
  }
}

async function isDoneBy(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(Math.max(0, ms), false, { signal: timer.signal }).catch(() => false);
  const isDone = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return isDone;
}

/** Now, as `metav1.MicroTime`: for people who read the Lease, nothing is decided by it. */
const microTime = (): string => new Date().toISOString().replace('Z', '000Z');
