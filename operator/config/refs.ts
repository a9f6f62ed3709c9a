/** What an object names: the condition that says whether it exists, and the verdict of an object that waits for it. */

import { type ReasonOf, reasons } from '../../crds/reasons.ts';
import { accepted, condition, type Verdict, type VerdictCondition } from './verdict.ts';

/** Something that an object names and cannot be used; `message` is a sentence. */
export interface MissingRef {
  readonly reason: Exclude<ReasonOf<'ResolvedRefs'>, 'Resolved'>;
  readonly message: string;
}

/** `ResolvedRefs`: the reason is that of the first ref that is missing, the message speaks of all. */
export function resolvedRefs(missing: readonly MissingRef[]): VerdictCondition {
  const [first] = missing;
  if (!first) return condition('ResolvedRefs', 'True', 'Resolved', reasons.ResolvedRefs.Resolved);
  return condition('ResolvedRefs', 'False', first.reason, missing.map(({ message }) => message).join(' '));
}

/** One ref for all of `names` that are not among `known`, or none. */
export function missingAmong(
  names: readonly string[] | undefined,
  known: (name: string) => boolean,
  { reason, what }: { readonly reason: MissingRef['reason']; readonly what: string },
): readonly MissingRef[] {
  const missing = (names ?? []).filter((name) => !known(name));
  if (missing.length === 0) return [];
  const message =
    missing.length === 1
      ? `There is no ${what} ${missing[0]} in force; the others go on.`
      : `There are no ${what}s ${missing.join(', ')} in force; the others go on.`;
  return [{ reason, message }];
}

/** What is missing may still appear, so this is work under way and not a dead end. */
export const waiting = (refs: VerdictCondition, more: readonly VerdictCondition[] = []): Verdict => ({
  conditions: [
    condition('Ready', 'False', refs.reason, refs.message),
    accepted(),
    refs,
    condition('Reconciling', 'True', 'WaitingForRefs', reasons.Reconciling.WaitingForRefs),
    ...more,
  ],
});

/** The verdict of a sound object of a kind that nothing acts upon in this version. */
export const withoutBackend = (more: readonly VerdictCondition[] = []): Verdict => ({
  conditions: [
    condition('Ready', 'False', 'BackendMissing', reasons.Ready.BackendMissing),
    accepted(),
    ...more,
    condition('Stalled', 'True', 'BackendMissing', reasons.Stalled.BackendMissing),
  ],
});
