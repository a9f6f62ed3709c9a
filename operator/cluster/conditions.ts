/** Conditions of a status (`metav1.Condition`), changed so that what is already said is not said again. */

import type { Condition } from './objects.ts';

/**
 * Returns the conditions with `next` in place of the one of its type.
 *
 * `lastTransitionTime` moves only when `status` does. When nothing would change, the very same array comes back, so
 * that `before === after` means "no write".
 */
export function withCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime'>,
  now: Date,
): readonly Condition[] {
  const current = conditionOf(conditions, next.type);
  const lastTransitionTime = current?.status === next.status ? current.lastTransitionTime : timestampOf(now);
  const updated: Condition = { ...next, lastTransitionTime };
  if (current && isSameCondition(current, updated)) return conditions;
  return [...conditions.filter(({ type }) => type !== next.type), updated].sort(byType);
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** RFC 3339 with whole seconds, as `metav1.Time` keeps it. */
export function timestampOf(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function isSameCondition(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration &&
    a.lastTransitionTime === b.lastTransitionTime
  );
}

const byType = (a: Condition, b: Condition): number => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
