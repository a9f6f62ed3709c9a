/** ConfigurationState (metallb.io/v1beta1): whether one component of Herald could use the whole configuration. */
import * as z from 'zod';
import { condition } from './condition.ts';
import { ageColumn, type KindDefinition } from './definition.ts';
import type { StatusObject } from './object-meta.ts';
import { kubernetes } from './structural.ts';

export const configurationStateStatus = z.object({
  result: z
    .enum(['Valid', 'Invalid', 'Unknown'])
    .optional()
    .describe('Valid: every object is in force. Invalid: an object is at fault. Unknown: nothing was read yet.'),
  errorSummary: z.string().optional().describe('What is wrong, one line for each fault.'),
  conditions: z
    .array(condition)
    .optional()
    .describe('poolReconcilerValid of the operator, configReconcilerValid of a speaker.')
    .register(kubernetes, { list: { type: 'map', keys: ['type'] } }),
});
export type ConfigurationStateStatus = z.infer<typeof configurationStateStatus>;

/** Named `controller`, or `speaker-` and the node; owned by the pod that it speaks of. */
export type ConfigurationState = StatusObject<'ConfigurationState', ConfigurationStateStatus>;

export const configurationStateKind: KindDefinition = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ConfigurationState',
  plural: 'configurationstates',
  singular: 'configurationstate',
  categories: [],
  description: 'Written by the operator and by each speaker: whether it could use the whole configuration.',
  columns: [
    {
      name: 'Result',
      type: 'string',
      jsonPath: '.status.result',
      description: 'Valid, Invalid or Unknown.',
    },
    { name: 'ErrorSummary', type: 'string', jsonPath: '.status.errorSummary', description: 'What is wrong.' },
    ageColumn,
  ],
  schema: z.object({
    status: configurationStateStatus.optional().describe('What the component found.'),
  }),
  subresources: ['status'],
};
