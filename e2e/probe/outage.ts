/** What a series of numbered probes says about an outage: pure arithmetic on their times. */

/** One probe: a new flow with a number. Times are milliseconds of one clock. */
export interface Sample {
  readonly number: number;
  readonly sentAt: number;
  /** Missing when no answer came within the timeout. */
  readonly answeredAt?: number;
  /** The node of the pod that answered. */
  readonly node?: string;
}

/** A run of lost probes: from the last answer before it to the first answer after it. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
  readonly lost: number;
  /** False when no answer came any more: `ms` is then only what was seen of it. */
  readonly isOver: boolean;
}

export interface Summary {
  readonly sent: number;
  readonly lost: number;
  /** The longest outage in milliseconds; 0 when no probe was lost. */
  readonly outageMs: number;
  readonly outages: readonly Outage[];
  /** Whether the last probes were answered again. */
  readonly isServedAtEnd: boolean;
  /** The longest time between two sends: far above the interval, the prober itself stood still. */
  readonly longestSendGapMs: number;
  readonly answersByNode: Readonly<Record<string, number>>;
}

/** Finds every outage of a series, in order. */
export function outagesOf(samples: readonly Sample[]): Outage[] {
  const inOrder = samples.toSorted((a, b) => a.number - b.number);
  const outages: Outage[] = [];
  let at = 0;
  while (at < inOrder.length) {
    const first = at;
    while (at < inOrder.length && inOrder[at]?.answeredAt === undefined) at += 1;
    if (at > first) outages.push(outageBetween(inOrder, first, at));
    else at += 1;
  }
  return outages;
}

/** The outage of the lost samples [first, end). */
function outageBetween(samples: readonly Sample[], first: number, end: number): Outage {
  const before = samples.slice(0, first).flatMap(({ answeredAt }) => answeredAt ?? []);
  const after = samples.slice(end).flatMap(({ answeredAt }) => answeredAt ?? []);
  const sends = samples.slice(first, end).map(({ sentAt }) => sentAt);
  const from = before.length > 0 ? largest(before) : smallest(sends);
  const isOver = after.length > 0;
  const to = isOver ? smallest(after) : largest(sends);
  return { from, to, ms: Math.max(0, to - from), lost: end - first, isOver };
}

/** Sums a series up. */
export function summaryOf(samples: readonly Sample[]): Summary {
  const outages = outagesOf(samples);
  const sends = samples.map(({ sentAt }) => sentAt).toSorted((a, b) => a - b);
  const gaps = sends.slice(1).map((sentAt, at) => sentAt - (sends[at] ?? sentAt));
  const answersByNode: Record<string, number> = {};
  for (const { node } of samples) if (node !== undefined) answersByNode[node] = (answersByNode[node] ?? 0) + 1;
  return {
    sent: samples.length,
    lost: outages.reduce((sum, { lost }) => sum + lost, 0),
    outageMs: outages.length > 0 ? largest(outages.map(({ ms }) => ms)) : 0,
    outages,
    isServedAtEnd: samples.length > 0 && outages.every(({ isOver }) => isOver),
    longestSendGapMs: gaps.length > 0 ? largest(gaps) : 0,
    answersByNode,
  };
}

// Math.max(...list) overflows the stack for long lists.
const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
const smallest = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
