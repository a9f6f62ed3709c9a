/** Label selectors as Kubernetes defines them (metav1.LabelSelector): matchLabels and matchExpressions must all hold. */

import type { LabelSelector } from '../../crds/object-meta.ts';

type Labels = Readonly<Record<string, string>> | undefined;
type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** What each operator asks of a label's value, undefined where the label is missing; an operator not listed matches nothing. */
const OPERATORS: Readonly<Record<string, (value: string | undefined, values: readonly string[]) => boolean>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  // A missing label is not in any list, so NotIn holds.
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
};

/** Whether `labels` satisfy `selector`; an empty selector matches everything, an unknown operator nothing. */
export function matches(selector: LabelSelector, labels: Labels): boolean {
  const isWanted = ([key, value]: [string, string]): boolean => labelOf(labels, key) === value;
  const holds = ({ key, operator, values = [] }: Requirement): boolean =>
    OPERATORS[operator]?.(labelOf(labels, key), values) ?? false;
  return Object.entries(selector.matchLabels ?? {}).every(isWanted) && (selector.matchExpressions ?? []).every(holds);
}

/** Whether one of `selectors` matches; no selector at all matches everything. */
export const matchesAny = (selectors: readonly LabelSelector[] | undefined, labels: Labels): boolean =>
  !selectors?.length || selectors.some((selector) => matches(selector, labels));

/** What is wrong with a selector, as a sentence, or undefined. */
export function selectorProblem(selector: LabelSelector): string | undefined {
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (!Object.hasOwn(OPERATORS, operator))
      return `"${operator}" for label ${key} is not one of In, NotIn, Exists, DoesNotExist`;
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues && values.length === 0) return `${operator} for label ${key} needs at least one value`;
    if (!takesValues && values.length > 0) return `${operator} for label ${key} takes no values`;
  }
  return undefined;
}

/** The first problem among lists of selectors, undefined where there is none. */
export function firstSelectorProblem(...lists: readonly (readonly LabelSelector[] | undefined)[]): string | undefined {
  for (const selector of lists.flatMap((list) => list ?? [])) {
    const problem = selectorProblem(selector);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function labelOf(labels: Labels, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
