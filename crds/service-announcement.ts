/** ServiceAnnouncement (heraldlb.io/v1alpha1): who announces the addresses of one Service, and what pipelines wait for. */
import * as z from 'zod';
import { type Condition, conditions } from './condition.ts';
import { ageColumn, CATEGORY, type KindDefinition, readyColumns } from './definition.ts';
import type { ObjectMeta } from './object-meta.ts';
import { kubernetes } from './structural.ts';

const announcer = z
  .object({
    protocol: z.enum(['l2', 'bgp']).describe('How: l2 answers ARP and NDP, bgp advertises a route.'),
    node: z.string().describe('The node that announces.'),
    address: z.string().describe('The address that it announces.'),
    since: z
      .string()
      .optional()
      .describe('When the operator first saw this node announce this address.')
      .register(kubernetes, { format: 'date-time' }),
  })
  .describe('One node that announces one address.');
export type ServiceAnnouncer = z.infer<typeof announcer>;

/**
 * Written by the operator alone; one per Service, under its namespace and name, owned by it. Without spec and status
 * subresource, so that an object is one write: `status` is a plain field, because kstatus, Flux, Argo CD and
 * `kubectl wait` look for conditions nowhere else. `Ready` is True once every address is announced; it does not change
 * when an owner moves, and the announcers follow a while later.
 */
export interface ServiceAnnouncement {
  readonly apiVersion?: string;
  readonly kind?: 'ServiceAnnouncement';
  readonly metadata: ObjectMeta;
  /** Canonical texts in the order of the Service's status. */
  readonly addresses: readonly string[];
  /** The addresses again, separated by commas: a column shows one text. */
  readonly addressList: string;
  /** The name of the pool that the addresses are of. */
  readonly pool?: string;
  readonly announcers: readonly ServiceAnnouncer[];
  /** The announcers in short, such as `l2:node-b`. */
  readonly by: string;
  readonly status: { readonly conditions: readonly Condition[] };
}

export const serviceAnnouncementKind: KindDefinition = {
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'ServiceAnnouncement',
  plural: 'serviceannouncements',
  singular: 'serviceannouncement',
  categories: [CATEGORY],
  description:
    'Who announces the addresses of the Service of the same name; Ready when every address is. Written by the operator alone.',
  columns: [
    ...readyColumns,
    {
      name: 'Addresses',
      type: 'string',
      jsonPath: '.addressList',
      description: 'The addresses of the Service.',
    },
    { name: 'By', type: 'string', jsonPath: '.by', description: 'The protocols and nodes that announce.' },
    {
      name: 'Since',
      type: 'date',
      jsonPath: '.announcers[0].since',
      description: 'For how long this node has announced.',
    },
    { name: 'Pool', type: 'string', jsonPath: '.pool', description: 'The pool of the addresses.', priority: 1 },
    ageColumn,
  ],
  schema: z.object({
    addresses: z
      .array(z.string().describe('An address.'))
      .describe('The addresses of the Service.')
      .register(kubernetes, { list: { type: 'atomic' } }),
    addressList: z.string().describe('The addresses in one text.'),
    pool: z.string().optional().describe('The pool that the addresses are of.'),
    announcers: z
      .array(announcer)
      .describe('Who announces which address. Names follow a takeover with some delay; Ready does not wait for them.')
      .register(kubernetes, { list: { type: 'atomic' } }),
    by: z.string().describe('The announcers in one text.'),
    status: z.object({ conditions: conditions() }).optional().describe('Ready: whether every address is announced.'),
  }),
  subresources: [],
};
