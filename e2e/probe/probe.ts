/**
 * The probe: new flows at a fixed pace from a host outside the cluster, and what became of them, as JSON.
 *
 *   node probe.ts --address A [--address B] --duration MS [--interval 10] [--timeout 100] [--kind udp --kind tcp]
 *                 [--streams N] [--udp-port 9000] [--tcp-port 9001] [--samples] [--forget A]
 *
 * Each tick sends one new UDP flow and opens one new TCP connection per address; a number tells the answers apart.
 */

import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { askByTcp, askByUdp, now, type Target } from './flows.ts';
import { forgetting } from './neighbours.ts';
import { type Sample, type Summary, summaryOf } from './outage.ts';
import { holdStreams, type StreamCounts } from './streams.ts';

/** One series: one address by one protocol. */
export interface SeriesReport extends Summary {
  readonly address: string;
  readonly kind: 'udp' | 'tcp';
  readonly samples?: readonly Sample[];
}

export interface ProbeReport {
  /** Milliseconds since the epoch, as all times of the report. */
  readonly startedAt: number;
  readonly series: readonly SeriesReport[];
  readonly streams: StreamCounts;
}

const WARM_UP_MS = 500;
/** Said on standard error when the samples begin to count. */
export const PROBING = 'probing';

const ASK = { udp: askByUdp, tcp: askByTcp } as const;

interface Series {
  readonly target: Target;
  readonly kind: 'udp' | 'tcp';
  readonly pending: Promise<Sample>[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      address: { type: 'string', multiple: true, default: [] },
      kind: { type: 'string', multiple: true, default: ['udp', 'tcp'] },
      duration: { type: 'string', default: '15000' },
      interval: { type: 'string', default: '10' },
      timeout: { type: 'string', default: '100' },
      streams: { type: 'string', default: '0' },
      'udp-port': { type: 'string', default: '9000' },
      'tcp-port': { type: 'string', default: '9001' },
      samples: { type: 'boolean', default: false },
      forget: { type: 'string' },
    },
  });
  for (const address of values.address) if (isIP(address) === 0) throw new Error(`${address} is not an IP address`);
  const targets = values.address.map((address) => ({
    address,
    udpPort: Number(values['udp-port']),
    tcpPort: Number(values['tcp-port']),
  }));
  const kinds = (['udp', 'tcp'] as const).filter((kind) => values.kind.includes(kind));
  const series = targets.flatMap((target) => kinds.map((kind): Series => ({ target, kind, pending: [] })));
  const [first] = targets;
  if (first === undefined) throw new Error('name at least one --address');

  const closeStreams = holdStreams(first, Number(values.streams));
  const neighbours = forgetting(values.forget);
  const ask = (number: number): void => {
    neighbours.forget();
    for (const { target, kind, pending } of series) pending.push(ASK[kind](target, number, Number(values.timeout)));
  };
  // The first flows of a process are slow whatever the network does: they warm it up and do not count.
  await tick(ask, now(), Number(values.interval), WARM_UP_MS);
  for (const { pending } of series) await Promise.all(pending.splice(0));
  process.stderr.write(`${PROBING}\n`);
  const startedAt = now();
  await tick(ask, startedAt, Number(values.interval), Number(values.duration));
  neighbours.close();
  const reports = await Promise.all(series.map((one) => reportOf(one, values.samples)));
  const report: ProbeReport = { startedAt, series: reports, streams: closeStreams() };
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

/** Asks on a grid of absolute times: a late tick does not delay those after it. */
function tick(ask: (number: number) => void, startedAt: number, every: number, lasts: number): Promise<void> {
  return new Promise((resolve) => {
    let number = 0;
    const next = (): void => {
      if (now() - startedAt >= lasts) {
        resolve();
        return;
      }
      ask(number);
      number += 1;
      setTimeout(next, Math.max(0, startedAt + number * every - now()));
    };
    next();
  });
}

async function reportOf({ target, kind, pending }: Series, withSamples: boolean): Promise<SeriesReport> {
  const samples = await Promise.all(pending);
  return { address: target.address, kind, ...summaryOf(samples), ...(withSamples ? { samples } : {}) };
}

if (import.meta.main) await main();
