/** How commands speak: tables for people, JSON and YAML for programs, colours only on a terminal. */

import { stripVTControlCharacters, styleText } from 'node:util';
import { stringify } from 'yaml';
import type { CommandIo } from './command.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

/** What `-o` asked for. */
export const formatOf = ({ output }: { readonly output?: string }): OutputFormat =>
  output === 'json' || output === 'yaml' ? output : 'table';

/** What a text means; on a terminal it is shown by colour, elsewhere by the words alone. */
export type Tone = 'good' | 'bad' | 'warn' | 'quiet' | 'strong';

const STYLES = { good: 'green', bad: 'red', warn: 'yellow', quiet: 'gray', strong: 'bold' } as const;

/** Gives a text its colour, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** NO_COLOR as https://no-color.org has it. */
export function paintOf({ isTerminal, env }: Pick<CommandIo, 'isTerminal' | 'env'>): Paint {
  const hasColours = isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  if (!hasColours) return (_, text) => text;
  return (tone, text) => styleText(STYLES[tone], text, { validateStream: false });
}

/** Columns as wide as their widest cell, two blanks between them; a table without rows is empty. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], indent = ''): string {
  if (rows.length === 0) return '';
  const all = head.length > 0 ? [head, ...rows] : rows;
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    `${indent}${row.map((cell, column) => padded(cell, widths[column] ?? 0)).join('  ')}`.trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

export const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;
const padded = (cell: string, width: number): string => cell + ' '.repeat(Math.max(0, width - widthOf(cell)));

/** `value` for programs. */
export function structured(format: Exclude<OutputFormat, 'table'>, value: unknown): string {
  return format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` columns, filled by `share` (0 to 1); what is not nothing shows, and what is not all leaves a gap. */
export function bar(share: number, width: number): string {
  const bounded = Math.min(1, Math.max(0, share));
  const steps = Math.round(bounded * width * 8);
  const eighths = bounded === 0 ? 0 : bounded === 1 ? width * 8 : Math.min(width * 8 - 1, Math.max(1, steps));
  const text = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return text + '░'.repeat(width - [...text].length);
}

/** Up to the first full stop that ends a sentence, without it. */
export function firstSentence(text: string): string {
  const [first = ''] = text.split(/\.\s+(?=[A-Z])/);
  return first.replace(/\.$/, '');
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** How long ago, as kubectl says it: the largest unit that is at least two, roughly. */
export function ageOf(since: string | undefined, now: Date): string {
  const then = since === undefined ? Number.NaN : Date.parse(since);
  if (!Number.isFinite(then)) return 'unknown';
  const seconds = Math.max(0, Math.floor((now.getTime() - then) / 1000));
  const [unit, size] = UNITS.find(([, size]) => seconds >= 2 * size) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${unit}`;
}
