/** Turns a verdict into the conditions of a status: with the generation it speaks of, and times that move only when a truth does. */

import type { Condition } from '../../crds/condition.ts';
import type { ObjectMeta } from '../../crds/object-meta.ts';
import { withCondition } from '../cluster/conditions.ts';
import type { Verdict } from '../config/verdict.ts';

/** A condition as the schemas infer it: a member may be there and undefined. */
type InferredCondition = Omit<Condition, 'observedGeneration'> & { readonly observedGeneration?: number | undefined };

/** An object whose status has conditions. */
export interface JudgedObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly status?: { readonly conditions?: readonly InferredCondition[] | undefined };
}

/** The part of a status that every kind has in common. */
export interface CommonStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
}

export function commonStatusOf({ metadata, status }: JudgedObject, verdict: Verdict, now: Date): CommonStatus {
  const observedGeneration = metadata.generation ?? 0;
  const wanted = verdict.conditions.map((condition) => ({ ...condition, observedGeneration }));
  return { observedGeneration, conditions: conditionsOf(status?.conditions, wanted, now) };
}

/** Exactly the conditions wanted; the time of one moves when its truth does. */
export function conditionsOf(
  before: readonly InferredCondition[] | undefined,
  wanted: readonly Omit<Condition, 'lastTransitionTime'>[],
  now: Date,
): readonly Condition[] {
  const kept = (before ?? []).filter(({ type }) => wanted.some((one) => one.type === type)) as readonly Condition[];
  return wanted.reduce<readonly Condition[]>((all, condition) => withCondition(all, condition, now), kept);
}
