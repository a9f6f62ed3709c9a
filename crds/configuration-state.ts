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
    .describe(
      'poolReconcilerValid speaks of pools and communities, configReconcilerValid of advertisements, peers and profiles.',
    )
    .register(kubernetes, { list: { type: 'map', keys: ['type'] } }),
});
export type ConfigurationStateStatus = z.infer<typeof configurationStateStatus>;

/** The name of the operator's: MetalLB's, which its users look for. */
export const OPERATOR_STATE = 'controller';

/** Named `controller` for the operator, which judges every object; MetalLB has one of each speaker too. */
export type ConfigurationState = StatusObject<'ConfigurationState', ConfigurationStateStatus>;

export const configurationStateKind: KindDefinition = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ConfigurationState',
  plural: 'configurationstates',
  singular: 'configurationstate',
  categories: [],
  description: 'Written by the operator: whether the whole configuration can be used, and which objects are at fault.',
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
