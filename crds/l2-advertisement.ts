/** L2Advertisement (metallb.io/v1beta1): which pools are answered for by ARP and NDP, from which nodes. */
import * as z from 'zod';
import { commonStatus } from './condition.ts';
import { type CustomObject, labelSelector } from './object-meta.ts';
import { nodeColumn, poolColumns, poolSelection, serviceSelection } from './pool-selection.ts';
import { int32 } from './structural.ts';
import { writtenKind } from './written-kind.ts';

const preferredNodeSelector = z
  .object({
    weight: int32().min(1).max(100).describe('How much a node that matches is preferred; weights add up.'),
    preference: labelSelector.describe('The nodes that are preferred, by labels.'),
  })
  .describe('Nodes that are preferred, and how much.');

export const l2AdvertisementSpec = z.object({
  ...poolSelection,
  nodeSelectors: z
    .array(labelSelector)
    .optional()
    .describe('Nodes that may announce, by labels; one selector must match. None: every node.'),
  interfaces: z
    .array(z.string().describe('The name of an interface.'))
    .optional()
    .describe('Interfaces, by exact name, on which the addresses are announced. None: every interface.'),
  ...serviceSelection,
  preferredNodeSelectors: z
    .array(preferredNodeSelector)
    .optional()
    .describe('Nodes that should rather announce than others. None: all nodes alike.'),
});
export type L2AdvertisementSpec = z.infer<typeof l2AdvertisementSpec>;

export const l2AdvertisementStatus = z.object({
  ...commonStatus,
  pools: z.string().optional().describe('The pools that the advertisement covers now, by name, or "all".'),
});
export type L2AdvertisementStatus = z.infer<typeof l2AdvertisementStatus>;

export type L2Advertisement = CustomObject<'L2Advertisement', L2AdvertisementSpec, L2AdvertisementStatus>;

export const l2AdvertisementKind = writtenKind({
  version: 'v1beta1',
  kind: 'L2Advertisement',
  plural: 'l2advertisements',
  singular: 'l2advertisement',
  description: 'Says which pools are announced by ARP and NDP, from which nodes and interfaces.',
  columns: [{ name: 'Pools', type: 'string', jsonPath: '.status.pools', description: 'The pools it covers now.' }],
  wideColumns: [
    ...poolColumns,
    {
      name: 'Interfaces',
      type: 'string',
      jsonPath: '.spec.interfaces',
      description: 'Interfaces by name.',
      priority: 1,
    },
    nodeColumn,
  ],
  spec: l2AdvertisementSpec.optional().describe('What is announced, and from where.'),
  status: l2AdvertisementStatus,
});
