/** Which of many names `ONLY=` means. */

/**
 * The names that a comma-separated list of patterns selects, in the order of `all`; `*` stands for anything, an empty
 * list for all.
 * @throws an Error for a pattern that selects nothing: a misspelt name must not look like success
 */
export function selected(all: readonly string[], only: string): string[] {
  const patterns = only
    .split(',')
    .map((pattern) => pattern.trim())
    .filter(Boolean);
  if (patterns.length === 0) return [...all];
  const matchers = patterns.map((pattern) => new RegExp(`^${pattern.split('*').map(literally).join('.*')}$`));
  for (const [at, matcher] of matchers.entries())
    if (!all.some((name) => matcher.test(name))) throw new Error(`ONLY=${patterns[at]} is none of: ${all.join(', ')}`);
  return all.filter((name) => matchers.some((matcher) => matcher.test(name)));
}

const literally = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
