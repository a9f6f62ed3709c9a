/** Finds what a list says twice. */

import { canonical } from './canonical.ts';

/** A sentence about the first list of `lists` (by field) that has an entry twice, or undefined. */
export function repetitionProblem(lists: Readonly<Record<string, readonly unknown[] | undefined>>): string | undefined {
  for (const [field, list = []] of Object.entries(lists)) {
    const seen = new Set<string>();
    for (const entry of list) {
      const text = canonical(entry);
      if (seen.has(text)) return `spec.${field} has ${typeof entry === 'string' ? `"${entry}"` : text} twice.`;
      seen.add(text);
    }
  }
  return undefined;
}
