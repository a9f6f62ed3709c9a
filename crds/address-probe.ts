/** AddressProbe (heraldlb.io/v1alpha1): the operator asks one node whether an address is in use on its network. */
import * as z from 'zod';
import { ageColumn, type KindDefinition } from './definition.ts';
import type { ObjectMeta } from './object-meta.ts';

/**
 * Created and deleted by the operator in Herald's own namespace; the node answers in its NodeAnnouncement, by the uid.
 * Without spec and status, and never changed.
 */
export interface AddressProbe {
  readonly apiVersion?: string;
  readonly kind?: 'AddressProbe';
  readonly metadata: ObjectMeta;
  readonly address: string;
  /** The name of the node that shall ask. */
  readonly node: string;
  /** 'namespace/name' */
  readonly service: string;
}

export const addressProbeKind: KindDefinition = {
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'AddressProbe',
  plural: 'addressprobes',
  singular: 'addressprobe',
  categories: [],
  description:
    'Asks a node whether somebody on its network has an address, before a Service gets it. Written by the operator alone.',
  columns: [
    { name: 'Address', type: 'string', jsonPath: '.address', description: 'The address.' },
    { name: 'Node', type: 'string', jsonPath: '.node', description: 'The node that asks the network.' },
    { name: 'Service', type: 'string', jsonPath: '.service', description: 'The Service that shall get it.' },
    ageColumn,
  ],
  schema: z.object({
    address: z.string().describe('The address to ask for.'),
    node: z.string().describe('The name of the node that shall ask.'),
    service: z.string().describe('The Service that shall get the address, as `namespace/name`.'),
  }),
  subresources: [],
};
