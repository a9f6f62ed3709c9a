/** `metav1.Condition`, the shape in which every object of ours and every Service says how it is. */
import * as z from 'zod';
import { int64, kubernetes } from './structural.ts';

export const condition = z
  .object({
    type: z
      .string()
      .min(1)
      .max(316)
      .regex(
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
      )
      .describe('What the condition is about.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
    observedGeneration: int64().min(0).optional().describe('The generation of the spec that was looked at.'),
    lastTransitionTime: z.string().describe('When status last changed.').register(kubernetes, { format: 'date-time' }),
    reason: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .describe('One word that says why; docs/reasons.md explains each.'),
    message: z.string().max(32_768).describe('A sentence that says why.'),
  })
  .describe('One thing that is so, is not so, or is not known.');

/** `observedGeneration` is missing where the object has no generation, as on Services. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  /** RFC 3339, whole seconds. */
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/**
 * The list of conditions of a status, written as a whole by the operator alone.
 *
 * Atomic, where most kinds have a list map: the entries that the definition puts there at birth belong to no manager,
 * so a server-side apply to a map could never take them away, and `Reconciling=True` would stay for ever.
 */
export const conditions = () =>
  z
    .array(condition)
    .optional()
    .describe('Ready is the summary; Reconciling and Stalled are there only while they are true.')
    .register(kubernetes, { list: { type: 'atomic' } });

/** The status that every kind that users write has in common. */
export const commonStatus = {
  observedGeneration: int64().optional().describe('The generation of the spec that this status speaks of.'),
  conditions: conditions(),
};
