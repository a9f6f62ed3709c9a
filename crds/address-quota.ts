/** AddressQuota (heraldlb.io/v1alpha1): how many addresses the Services of a namespace, or of a selection, may have. */
import * as z from 'zod';
import { commonStatus } from './condition.ts';
import { type CustomObject, labelSelector } from './object-meta.ts';
import { int32, int64, kubernetes } from './structural.ts';
import { writtenKind } from './written-kind.ts';

/** So many lines of `status.used` are written, the fullest first. */
export const MAX_USED = 100;
const MAX_LIMITS = 64;

const selection = z.object({
  namespaces: z
    .array(z.string().min(1).max(253).describe('The name of a namespace.'))
    .optional()
    .describe('The namespaces of the Services.')
    .register(kubernetes, { list: { type: 'atomic' } }),
  namespaceSelector: labelSelector.optional().describe('The namespaces of the Services, by labels.'),
  serviceSelector: labelSelector.optional().describe('The Services, by labels.'),
});

const limit = z
  .object({
    pool: z.string().min(1).max(253).optional().describe('Of this pool alone; none: of all pools together.'),
    ipv4: int32().min(0).optional().describe('How many IPv4 addresses.'),
    ipv6: int32().min(0).optional().describe('How many IPv6 addresses.'),
  })
  .describe('How many addresses; one that Services share counts once.')
  .register(kubernetes, {
    rules: [
      { rule: 'has(self.ipv4) || has(self.ipv6)', message: 'a limit must say how many addresses: ipv4, ipv6 or both' },
    ],
  });

export const addressQuotaSpec = z.object({
  for: selection.optional().describe('Whose Services; all that is given must hold. Missing: every Service.'),
  per: z
    .enum(['Namespace', 'Selection'])
    .optional()
    .describe('Whether each namespace may have so many, or all of them together. Namespace if not given.'),
  limits: z
    .array(limit)
    .min(1)
    .max(MAX_LIMITS)
    .describe('What the Services may have; all of it must hold.')
    .register(kubernetes, { list: { type: 'atomic' } }),
});
export type AddressQuotaSpec = z.infer<typeof addressQuotaSpec>;

const used = z
  .object({
    namespace: z.string().optional().describe('The namespace, where each has a quota of its own.'),
    pool: z.string().optional().describe('The pool of the limit.'),
    ipv4: int64().optional().describe('How many IPv4 addresses are in use, where they are limited.'),
    ipv6: int64().optional().describe('How many IPv6 addresses are in use, where they are limited.'),
  })
  .describe('What is in use of one limit.');
export type QuotaUse = z.infer<typeof used>;

export const addressQuotaStatus = z.object({
  used: z
    .array(used)
    .max(MAX_USED)
    .optional()
    .describe('What is in use, the fullest 100 first.')
    .register(kubernetes, { list: { type: 'atomic' } }),
  full: int64().optional().describe('For how many lines of what is in use nothing more is given.'),
  ...commonStatus,
});
export type AddressQuotaStatus = z.infer<typeof addressQuotaStatus>;

export type AddressQuota = CustomObject<'AddressQuota', AddressQuotaSpec, AddressQuotaStatus>;

export const addressQuotaKind = writtenKind({
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'AddressQuota',
  plural: 'addressquotas',
  singular: 'addressquota',
  description: 'Limits how many addresses the Services of a namespace or of a selection may have.',
  columns: [
    { name: 'Per', type: 'string', jsonPath: '.spec.per', description: 'Namespace or Selection.' },
    { name: 'Full', type: 'integer', jsonPath: '.status.full', description: 'Limits that are reached.' },
  ],
  spec: addressQuotaSpec.describe('Who may have how many.'),
  status: addressQuotaStatus,
});
