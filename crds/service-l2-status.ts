/** ServiceL2Status (metallb.io/v1beta1): which node announces the addresses of one Service by ARP and NDP. */
import * as z from 'zod';
import { ageColumn, type KindDefinition } from './definition.ts';
import type { CustomObject } from './object-meta.ts';
import { serviceColumns, serviceReference } from './service-status.ts';

export const serviceL2StatusStatus = z.object({
  // MetalLB fixes the node too, and its speakers loop when an owner moves; here an owner may take over the object.
  node: z.string().optional().describe('The node that announces.'),
  ...serviceReference,
  interfaces: z
    .array(z.object({ name: z.string().optional().describe('The name of the interface.') }).describe('An interface.'))
    .optional()
    .describe('The interfaces that announce. None: every interface.'),
});
export type ServiceL2StatusStatus = z.infer<typeof serviceL2StatusStatus>;

export type ServiceL2Status = CustomObject<'ServiceL2Status', Record<string, never>, ServiceL2StatusStatus>;

export const serviceL2StatusKind: KindDefinition = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ServiceL2Status',
  plural: 'servicel2statuses',
  singular: 'servicel2status',
  categories: [],
  description: 'Written by the speaker that announces the addresses of a Service by ARP and NDP.',
  columns: [
    { name: 'Allocated Node', type: 'string', jsonPath: '.status.node', description: 'The node that announces.' },
    ...serviceColumns,
    ageColumn,
  ],
  schema: z.object({
    spec: z.object({}).optional().describe('Always empty.'),
    status: serviceL2StatusStatus.optional().describe('Who announces, and where.'),
  }),
  subresources: ['status'],
};
