/** Runs the probe on the host `client` and hands back its report. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../cluster/process.ts';
import { put, startOn } from '../lib/lab.ts';
import { PROBING, type ProbeReport, type SeriesReport } from './probe.ts';

const FILES = ['probe.ts', 'flows.ts', 'outage.ts', 'streams.ts', 'neighbours.ts'];
const PLACE = '/opt/herald-probe';
/** Where the lab puts Node 24 on the client. */
const NODE = '/usr/local/bin/node';

export interface ProbeOptions {
  readonly addresses: readonly string[];
  readonly durationMs: number;
  readonly intervalMs?: number;
  readonly kinds?: readonly ('udp' | 'tcp')[];
  readonly streams?: number;
  readonly withSamples?: boolean;
  /** The client forgets who has this address before each probe, so that it asks its segment each time. */
  readonly forget?: string;
}

/** Copies the probe to the client; once per process is enough. */
export async function copyProbe(): Promise<void> {
  for (const file of FILES)
    await put('client', join(PLACE, file), readFileSync(join(import.meta.dirname, file), 'utf8'));
}

/** Starts the probe and returns when its samples begin to count; `report` resolves when its time is over. */
export async function startProbe(options: ProbeOptions): Promise<{ readonly report: Promise<ProbeReport> }> {
  const { child, ended } = await startOn('client', [NODE, join(PLACE, 'probe.ts'), ...argumentsOf(options)]);
  const begun = new Promise<void>((resolve) => {
    child.stderr?.on('data', (text) => String(text).includes(PROBING) && resolve());
  });
  await Promise.race([begun, ended]);
  return { report: ended.then(reportIn) };
}

function argumentsOf({
  addresses,
  durationMs,
  intervalMs = 10,
  kinds = ['udp', 'tcp'],
  streams = 0,
  withSamples = false,
  forget,
}: ProbeOptions) {
  return [
    ...addresses.flatMap((address) => ['--address', address]),
    ...kinds.flatMap((kind) => ['--kind', kind]),
    ...['--duration', `${durationMs}`, '--interval', `${intervalMs}`, '--streams', `${streams}`],
    ...(withSamples ? ['--samples'] : []),
    ...(forget === undefined ? [] : ['--forget', forget]),
  ];
}

function reportIn({ code, stdout, stderr }: RunResult): ProbeReport {
  if (code !== 0) throw new Error(`the probe ended with ${code}: ${stderr.slice(-500)}`);
  return JSON.parse(stdout) as ProbeReport;
}

/** One line per series, for people. */
export const inWords = ({ kind, address, sent, lost, outageMs }: SeriesReport): string =>
  `${kind.toUpperCase()} to ${address}: ${sent} new flows, ${lost} unanswered, longest outage ${outageMs.toFixed(0)} ms`;
