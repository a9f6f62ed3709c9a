/** One language for all figures: what a scenario's samples come to, beside its floor and its bar. */

export type Unit = 'ms' | 'us' | 'ns' | 'writes' | 'MiB';

/** What other people's programs need for the same, in the same run. */
export interface Floor {
  /** With its version, where it has one. */
  readonly name: string;
  /** Absent where the floor could not be measured; the name says why. */
  readonly median?: number;
}

/** One entry of bench/results/latest.json. */
export interface Entry {
  readonly name: string;
  readonly unit: Unit;
  readonly runs: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  readonly floor: Floor | null;
  /** The median over the floor's median. */
  readonly ratio: number | null;
  readonly bar: string;
  readonly holds: boolean;
  readonly commit: string;
  readonly samples: readonly number[];
}

export interface Statistics {
  readonly min: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * The order statistics of all samples; p99 by nearest rank, so that it is one of them.
 * @throws an Error without a sample
 */
export function statisticsOf(samples: readonly number[]): Statistics {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[Math.min(Math.max(index, 0), sorted.length - 1)] ?? Number.NaN;
  if (sorted.length === 0) throw new Error('no sample, no statistics');
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? at(Math.floor(middle)) : (at(middle - 1) + at(middle)) / 2;
  return { min: at(0), median, p99: at(Math.ceil(sorted.length * 0.99) - 1), max: at(sorted.length - 1) };
}

export interface Measured {
  readonly samples: readonly number[];
  readonly floor: Floor | null;
  /** What the bar asks beyond the samples, where it does. */
  readonly isSound?: boolean;
}

export interface Bar {
  readonly text: string;
  holds(figures: Statistics & { readonly ratio: number | null }): boolean;
}

/** The entry of one scenario. */
export function entryOf(name: string, unit: Unit, bar: Bar, measured: Measured, commit: string): Entry {
  const { samples, floor, isSound = true } = measured;
  const statistics = statisticsOf(samples);
  const ratio = floor?.median ? round(statistics.median / floor.median) : null;
  const { min, median, p99, max } = statistics;
  return {
    name,
    unit,
    runs: samples.length,
    min: round(min),
    median: round(median),
    p99: round(p99),
    max: round(max),
    floor: floor && { ...floor, ...(floor.median === undefined ? {} : { median: round(floor.median) }) },
    ratio,
    bar: bar.text,
    holds: isSound && bar.holds({ ...statistics, ratio }),
    commit,
    samples: samples.map(round),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** The entries of this run in place of older ones of the same name; sorted by name. */
export function merged(older: readonly Entry[], newer: readonly Entry[]): Entry[] {
  const names = new Set(newer.map(({ name }) => name));
  return [...older.filter(({ name }) => !names.has(name)), ...newer].toSorted((a, b) => a.name.localeCompare(b.name));
}

/** The same as a Markdown table. */
export function tableOf(entries: readonly Entry[]): string {
  const head = ['name', 'unit', 'runs', 'min', 'median', 'p99', 'max', 'floor', 'ratio', 'bar', 'holds', 'commit'];
  const rows = entries.map((entry) => [
    entry.name,
    entry.unit,
    ...[entry.runs, entry.min, entry.median, entry.p99, entry.max].map(String),
    floorInWords(entry.floor),
    entry.ratio === null ? '' : `${entry.ratio}`,
    entry.bar,
    entry.holds ? 'yes' : '**no**',
    entry.commit,
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

function floorInWords(floor: Floor | null): string {
  if (floor === null) return '';
  return floor.median === undefined ? floor.name : `${floor.name}: ${floor.median}`;
}
