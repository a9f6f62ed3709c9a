/** Prints a table of flags, for people at a terminal and for docs/cli.md. */

import type { Flag, FlagTable } from './flag.ts';

const written = (name: string, flag: Flag): string => `--${name}${flag.placeholder && `=${flag.placeholder}`}`;

function defaultOf(flag: Flag): string {
  if (flag.defaultInWords) return flag.defaultInWords;
  if (flag.default === undefined) return 'required';
  return flag.default === '' ? 'empty' : flag.default;
}

/** What `herald ROLE --help` prints: two lines per flag, so that it fits a narrow terminal. */
export function helpText(role: string, summary: string, table: FlagTable): string {
  const flags = Object.entries(table).map(([name, flag]) => {
    const notes = [`default: ${defaultOf(flag)}`, ...(flag.env ? [`or ${flag.env}`] : [])].join('; ');
    return `  ${written(name, flag)}\n      ${flag.help} (${flag.default === undefined ? notes.replace('default: ', '') : notes})`;
  });
  return `herald ${role}: ${summary}\n\n${flags.join('\n')}\n  --help\n      Print this table and end.\n`;
}

/** The rows of the same table in Markdown. */
export function markdownRows(table: FlagTable): string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return Object.entries(table).map(([name, flag]) => {
    const fallback = flag.defaultInWords ?? (flag.default ? `\`${flag.default}\`` : defaultOf(flag));
    const env = flag.env ? `\`${flag.env}\`` : '';
    return `| \`${written(name, flag)}\` | ${env} | ${cell(fallback)} | ${cell(flag.help)} |`;
  });
}
