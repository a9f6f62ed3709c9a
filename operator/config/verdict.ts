/** What the operator says about one object, as conditions (kstatus): pure data without times. */

import type { Condition } from '../../crds/condition.ts';
import type { ObjectMeta } from '../../crds/object-meta.ts';
import { type ReasonOf, reasons } from '../../crds/reasons.ts';

/** A condition before it meets the object: whoever writes it adds the generation and the time. */
export type VerdictCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** All conditions an object should have now; a type that is not listed must not be there. */
export interface Verdict {
  readonly conditions: readonly VerdictCondition[];
}

/** `<kind>/<namespace>/<name>`: verdicts are kept by it. */
export type ObjectRef = string;
export const objectRef = (kind: string, { namespace = '', name }: Pick<ObjectMeta, 'namespace' | 'name'>): ObjectRef =>
  `${kind}/${namespace}/${name}`;

/** Why an object, or a change to it, is not taken. */
export interface Refusal {
  readonly reason: ReasonOf<'Stalled'>;
  readonly message: string;
}

export const condition = (
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
): VerdictCondition => ({ type, status, reason, message });

/** The verdict of an object that the user must change first: `more` are conditions beside the summary. */
export const refused = ({ reason, message }: Refusal, more: readonly VerdictCondition[] = []): Verdict => ({
  conditions: [
    condition('Ready', 'False', reason, message),
    condition('Accepted', 'False', reason, message),
    condition('Stalled', 'True', reason, message),
    ...more,
  ],
});

/** The verdict of a pool whose spec is not what is in force. */
export const refusedPool = (refusal: Refusal): Verdict =>
  refused(refusal, [condition('Programmed', 'False', refusal.reason, refusal.message)]);

/** What is in force is the spec. */
export const programmed = (): VerdictCondition =>
  condition('Programmed', 'True', 'InForce', reasons.Programmed.InForce);

export const accepted = (): VerdictCondition => condition('Accepted', 'True', 'Valid', reasons.Accepted.Valid);

export const isRefused = ({ conditions }: Verdict): boolean =>
  conditions.some(({ type, status }) => type === 'Accepted' && status === 'False');

/** A warning: the object is in force, and something beside it is not as it should be. */
export const conflicting = (reason: ReasonOf<'Conflicting'>, message: string): VerdictCondition =>
  condition('Conflicting', 'True', reason, message);

/** Several warnings as the one condition that an object may have: the reason of the first, the sentences of all. */
export function asOne(warnings: readonly (VerdictCondition | undefined)[]): readonly VerdictCondition[] {
  const all = warnings.filter((warning) => warning !== undefined);
  const [first] = all;
  return first ? [{ ...first, message: all.map(({ message }) => message).join(' ') }] : [];
}
