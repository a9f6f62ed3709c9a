/** ServiceBGPStatus (metallb.io/v1beta1): to which peers one node is to advertise the addresses of one Service. */
import * as z from 'zod';
import { ageColumn, type KindDefinition } from './definition.ts';
import { fixed, serviceColumns, serviceReference } from './service-status.ts';

export const serviceBgpStatusStatus = z.object({
  node: fixed('node').describe('The node that advertises.'),
  ...serviceReference,
  peers: z
    .array(z.string().describe('The name of a peer.'))
    .optional()
    .describe('The BGPPeers, by name, that the addresses are meant for; BGPSession says whether a session is up.'),
});

/** One object for each Service and node. */
export const serviceBgpStatusKind: KindDefinition = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'ServiceBGPStatus',
  plural: 'servicebgpstatuses',
  singular: 'servicebgpstatus',
  categories: [],
  description:
    'Written by each speaker that advertises the addresses of a Service by BGP: the peers they are meant for.',
  columns: [
    { name: 'Node', type: 'string', jsonPath: '.status.node', description: 'The node that advertises.' },
    ...serviceColumns,
    ageColumn,
  ],
  schema: z.object({
    spec: z.object({}).optional().describe('Always empty.'),
    status: serviceBgpStatusStatus.optional().describe('Who advertises, and to whom.'),
  }),
  subresources: ['status'],
};
