/** Services chosen by namespace, name and labels: whom a reservation is for, and whom a quota limits. */

import type { LabelSelector } from '../../crds/object-meta.ts';
import { canonical } from './canonical.ts';
import { firstSelectorProblem, matches } from './label-selector.ts';
import type { Applicant, LabelledObject } from './pool.ts';

/** A Service that asks for addresses. */
export interface NamedApplicant extends Applicant {
  readonly name: string;
}

/** As the specs say it; all that is given must hold. */
export interface SelectionSpec {
  readonly namespaces?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
  readonly serviceSelector?: LabelSelector | undefined;
}

/** With selectors of namespaces resolved. */
export interface ServiceSelection {
  includes(applicant: NamedApplicant): boolean;
  /** Tells two selections apart, as they are resolved now. */
  readonly content: string;
}

export function selectionOf(spec: SelectionSpec, namespaces: readonly LabelledObject[]): ServiceSelection {
  const { name, serviceSelector } = spec;
  const allowed = namespacesOf(spec, namespaces);
  return {
    includes: (applicant) =>
      (allowed === undefined || allowed.has(applicant.namespace)) &&
      (name === undefined || applicant.name === name) &&
      (serviceSelector === undefined || matches(serviceSelector, applicant.labels)),
    content: canonical({ namespaces: allowed && [...allowed].sort(), name, serviceSelector }),
  };
}

/** Undefined: every namespace. A selector that matches none includes nobody, rather than everybody. */
function namespacesOf(
  { namespaces: named, namespaceSelector }: SelectionSpec,
  namespaces: readonly LabelledObject[],
): ReadonlySet<string> | undefined {
  if (named === undefined && namespaceSelector === undefined) return undefined;
  if (namespaceSelector === undefined) return new Set(named);
  const selected = namespaces
    .filter(({ metadata }) => matches(namespaceSelector, metadata.labels))
    .map(({ metadata }) => metadata.name);
  return new Set(named === undefined ? selected : selected.filter((one) => named.includes(one)));
}

/** What is wrong with the selectors, as a sentence without its place, or undefined. */
export const selectionProblem = ({ namespaceSelector, serviceSelector }: SelectionSpec): string | undefined =>
  firstSelectorProblem(namespaceSelector && [namespaceSelector], serviceSelector && [serviceSelector]);
