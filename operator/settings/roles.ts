/** The roles of this version, each with what it does in one line: for `herald --help` and docs/cli.md. */

import type { FlagTable } from './flag.ts';
import { helpText } from './help.ts';

export const ROLES = {
  operator: 'gives Services of type LoadBalancer their addresses (two replicas, one leads)',
  speaker: 'announces the addresses on the network of its node (one per node)',
} as const;
export type RoleName = keyof typeof ROLES;

/** The flags of a role, loaded when asked for. */
export async function flagsOf(role: RoleName): Promise<FlagTable> {
  switch (role) {
    case 'operator':
      return (await import('./operator.ts')).operatorFlags;
    case 'speaker':
      return (await import('./speaker.ts')).speakerFlags;
  }
}

/** What `herald ROLE --help` prints. */
export const helpOf = async (role: RoleName): Promise<string> => helpText(role, ROLES[role], await flagsOf(role));

/** What `herald --help` prints; `commands` are the lines about them. */
export function usage(commands: string): string {
  const roles = Object.entries(ROLES)
    .map(([name, does]) => `  herald ${name.padEnd(10)} ${does}\n`)
    .join('');
  return `herald COMMAND [arguments], also as kubectl herald COMMAND\n\n${commands}\nherald ROLE [--flag=value ...], what the manifests run\n\n${roles}\n  herald WORD --help  explains a command, or lists the settings of a role\n  herald version      prints the version\n`;
}
