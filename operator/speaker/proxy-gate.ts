/**
 * Whether kube-proxy on this node forwards: a node that (re)starts answers for nothing before, because traffic would end there.
 *
 * kube-proxy's /healthz does not tell: it reports the present time whenever it is healthy. Its metrics do.
 */

import type { NodeReason } from '../../crds/node-announcement.ts';
import type { Logger } from '../observability/log.ts';
import type { Clock } from './wire/clock.ts';

/** When the rules of one family were written last, and when that was asked for last; seconds since the Unix epoch, 0 is never. */
export interface ProxySync {
  readonly writtenAt: number;
  readonly queuedAt: number;
}

/** `Unknown`: kube-proxy could not be asked. */
export type ProxyVerdict = 'Forwards' | 'Unknown';

export interface ProxyGateOptions {
  /** Reads kube-proxy's metrics; rejects when it does not answer. */
  readonly read: () => Promise<string>;
  readonly clock: Clock;
  /** When this node saw the Services that it is to answer for; seconds since the Unix epoch. */
  readonly firstSight: number;
  /** Called once when it answers and has not written its rules yet. */
  readonly onWait: () => void;
}

const ASK_AGAIN_MS = 200;
/** How long a kube-proxy is waited for that does not answer at all: perhaps something else forwards here. */
export const UNKNOWN_AFTER_MS = 5_000;

const SAMPLE = /^kubeproxy_sync_proxy_rules_last_(queued_)?timestamp_seconds(?:\{([^}]*)\})? (\S+)$/gm;

/** Reads kube-proxy's metrics (Prometheus text format), by address family; none without a sample of them. */
export function proxySyncs(metrics: string): readonly ProxySync[] {
  const families = new Map<string, { writtenAt: number; queuedAt: number }>();
  for (const [, queued, labels = '', value] of metrics.matchAll(SAMPLE)) {
    const family = families.get(labels) ?? { writtenAt: 0, queuedAt: 0 };
    family[queued ? 'queuedAt' : 'writtenAt'] = Number(value);
    families.set(labels, family);
  }
  return [...families.values()];
}

/** Whether all families forward what was there at `firstSight`: written later, or written and nothing asked for since. */
export const forwardsSince = (syncs: readonly ProxySync[], firstSight: number): boolean =>
  syncs.length > 0 &&
  syncs.every(({ writtenAt, queuedAt }) => writtenAt > firstSight || (writtenAt > 0 && writtenAt >= queuedAt));

export interface ProxyGateContext {
  /** kube-proxy's metrics; absent: it is not asked. */
  readonly readProxy?: () => Promise<string>;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  readonly log: Logger;
}

const UNKNOWN: NodeReason = {
  reason: 'ProxyHealthUnknown',
  message: 'kube-proxy on this node does not tell whether it forwards (--kube-proxy-metrics)',
};

/** Closed once, when a speaker starts: whatever is new to one that runs is announced at once. */
export class ProxyGate {
  readonly #context: ProxyGateContext;
  #verdict: ProxyVerdict | undefined;
  #isAsked = false;

  constructor(context: ProxyGateContext) {
    this.#context = context;
  }

  /** Whether this node may answer for addresses. */
  get isOpen(): boolean {
    return this.#verdict !== undefined;
  }

  /** What could not be found out. */
  get doubt(): { readonly warning?: NodeReason } {
    return this.#verdict === 'Unknown' ? { warning: UNKNOWN } : {};
  }

  /**
   * Asks, the first time that it is called.
   *
   * @param seenAt when an earlier process of this node had seen the Services, RFC 3339; undefined: they are seen now. Read once: it is a file
   * @param onOpen called once, later or at once
   */
  ask(seenAt: () => string | undefined, onOpen: () => void): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const { readProxy: read, clock, wallClock, log } = this.#context;
    if (!read) {
      this.#verdict = 'Forwards';
      onOpen();
      return;
    }
    const now = wallClock();
    // a time to come is of a clock that was set back since: nothing is ever written later than that
    const firstSight = Math.min(Date.parse(seenAt() ?? '') || now, now) / 1000;
    const onWait = (): void => log.info('kube-proxy has yet to write its rules: nothing is answered for before');
    void waitForProxy({ read, clock, firstSight, onWait }).then((verdict) => {
      this.#verdict = verdict;
      if (verdict === 'Unknown') log.warn(UNKNOWN.message, { reason: UNKNOWN.reason });
      onOpen();
    });
  }
}

/** Asks until kube-proxy forwards, however long that takes; one that does not answer for 5 s on end is unknown. */
export async function waitForProxy({ read, clock, firstSight, onWait }: ProxyGateOptions): Promise<ProxyVerdict> {
  let answeredAt = clock.now();
  let hasWaited = false;
  for (;;) {
    const syncs = await read().then(proxySyncs, () => undefined);
    if (syncs && forwardsSince(syncs, firstSight)) return 'Forwards';
    if (syncs && syncs.length > 0) {
      answeredAt = clock.now();
      if (!hasWaited) onWait();
      hasWaited = true;
    }
    if (clock.now() - answeredAt >= UNKNOWN_AFTER_MS) return 'Unknown';
    await new Promise<void>((resolve) => void clock.after(ASK_AGAIN_MS, resolve));
  }
}
