/** Finds the name that a misspelt one probably means. */

/** More edits than a third of the word would be a guess, not a hint; two letters swapped are two edits. */
const MAX_EDITS_PER_LETTER = 1 / 3;

/** The nearest of `names` by edit distance (Levenshtein), or undefined when none is near. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(word.length * MAX_EDITS_PER_LETTER));
  const [best] = names
    .map((name) => ({ name, edits: editDistance(word, name) }))
    .filter(({ edits }) => edits <= limit)
    .toSorted((a, b) => a.edits - b.edits || a.name.localeCompare(b.name));
  return best?.name;
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
