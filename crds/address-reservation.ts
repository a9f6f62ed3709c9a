/** AddressReservation (heraldlb.io/v1alpha1): addresses that are kept for somebody, whether they have a Service or not. */
import * as z from 'zod';
import { addressOrRangeRules } from './address-entry.ts';
import { MAX_STRING } from './cel.ts';
import { commonStatus } from './condition.ts';
import { type CustomObject, labelSelector } from './object-meta.ts';
import { int32, int64, kubernetes } from './structural.ts';
import { writtenKind } from './written-kind.ts';

const MAX_ENTRIES = 256;
const name = () => z.string().min(1).max(253);

const share = z.object({
  pool: name().describe('The name of the pool.'),
  ipv4: int32().min(1).optional().describe('How many IPv4 addresses of it.'),
  ipv6: int32().min(1).optional().describe('How many IPv6 addresses of it.'),
});

const beneficiaries = z.object({
  namespace: name().optional().describe('The namespace of the Services.'),
  name: name().optional().describe('The name of the one Service in the namespace.'),
  namespaceSelector: labelSelector.optional().describe('The namespaces of the Services, by labels.'),
  serviceSelector: labelSelector.optional().describe('The Services, by labels.'),
});

export const addressReservationSpec = z.object({
  addresses: z
    .array(
      z
        .string()
        .max(MAX_STRING)
        .describe('An address, a CIDR or a range.')
        .register(kubernetes, { rules: addressOrRangeRules }),
    )
    .min(1)
    .max(MAX_ENTRIES)
    .optional()
    .describe('Addresses, CIDRs or ranges of pools: nobody else gets them.')
    .register(kubernetes, { list: { type: 'atomic' } }),
  share: share
    .optional()
    .describe('So many addresses of one pool, whichever: others get what is free beyond them.')
    .register(kubernetes, {
      rules: [
        {
          rule: 'has(self.ipv4) || has(self.ipv6)',
          message: 'share must say how many addresses: ipv4, ipv6 or both',
        },
      ],
    }),
  for: beneficiaries
    .describe('Whose Services get the addresses, before anything else; all that is given must hold.')
    .register(kubernetes, {
      rules: [
        {
          rule: 'has(self.namespace) || has(self.namespaceSelector) || has(self.serviceSelector)',
          message: 'for must say whose Services: namespace, namespaceSelector or serviceSelector',
        },
        { rule: '!has(self.name) || has(self.namespace)', message: 'for.name needs for.namespace beside it' },
      ],
    }),
});
export type AddressReservationSpec = z.infer<typeof addressReservationSpec>;

export const addressReservationStatus = z.object({
  held: int64().optional().describe('How many of the addresses those hold that the reservation is for.'),
  heldByOthers: int64()
    .optional()
    .describe('How many of the addresses others hold, who had them before and keep them.'),
  ...commonStatus,
});
export type AddressReservationStatus = z.infer<typeof addressReservationStatus>;

export type AddressReservation = CustomObject<'AddressReservation', AddressReservationSpec, AddressReservationStatus>;

export const addressReservationKind = writtenKind({
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'AddressReservation',
  plural: 'addressreservations',
  singular: 'addressreservation',
  description:
    'Keeps addresses, or a share of a pool, for a Service, a namespace or a selection, whether their Services exist or not.',
  columns: [
    { name: 'Held', type: 'integer', jsonPath: '.status.held', description: 'Addresses held by whom they are for.' },
    {
      name: 'Others',
      type: 'integer',
      jsonPath: '.status.heldByOthers',
      description: 'Addresses that others hold and keep.',
    },
  ],
  spec: addressReservationSpec.describe('What is kept, and for whom.').register(kubernetes, {
    rules: [{ rule: 'has(self.addresses) || has(self.share)', message: 'spec must have addresses, share or both' }],
  }),
  status: addressReservationStatus,
});
