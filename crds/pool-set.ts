/** PoolSet (heraldlb.io/v1alpha1): the pools in force, so that what was decided survives pools, CRDs and restarts. */
import * as z from 'zod';
import { ageColumn, type KindDefinition } from './definition.ts';
import { serviceAllocation } from './ip-address-pool.ts';
import type { ObjectMeta } from './object-meta.ts';
import { SPREADS } from './pool-extensions.ts';
import { int64, kubernetes } from './structural.ts';

/** The one PoolSet, in Herald's own namespace. */
export const POOL_SET_NAME = 'herald';

/** `spec.source`, whose rules the pool has passed; their cost would be that of every pool here. */
const sourceInForce = z.object({
  http: z
    .object({
      url: z.string().describe('spec.source.http.url'),
      secretRef: z
        .object({ name: z.string().describe('spec.source.http.secretRef.name') })
        .optional()
        .describe('spec.source.http.secretRef'),
      timeout: z.string().optional().describe('spec.source.http.timeout'),
    })
    .optional()
    .describe('spec.source.http'),
});

export const poolSetEntry = z
  .object({
    namespace: z.string().describe('The namespace of the pool.'),
    name: z.string().describe('The name of the pool.'),
    uid: z.string().optional().describe('The uid of the pool; another one under the same name is another pool.'),
    generation: int64().describe('The generation of the spec that is in force.'),
    hash: z.string().describe('Tells two contents apart.'),
    addresses: z
      .array(z.string().describe('A CIDR or a range.'))
      .describe('The entries of spec.addresses that are in force.'),
    labels: z
      .record(z.string(), z.string().describe('The value of the label.'))
      .optional()
      .describe('The labels of the pool.'),
    autoAssign: z.boolean().describe('spec.autoAssign'),
    avoidBuggyIPs: z.boolean().describe('spec.avoidBuggyIPs'),
    serviceAllocation: serviceAllocation.optional().describe('spec.serviceAllocation'),
    keptNamespaces: z
      .array(z.string().describe('The name of a namespace.'))
      .optional()
      .describe(
        'Namespaces that serviceAllocation selected when their Services got addresses, and does not select any more.',
      ),
    exclude: z
      .array(z.string().describe('An address, a CIDR or a range.'))
      .optional()
      .describe('The entries of spec.exclude that are in force.'),
    drain: z.boolean().optional().describe('spec.drain'),
    coolDown: z.string().optional().describe('spec.coolDown'),
    spreadBy: z.enum(SPREADS).optional().describe('spec.spreadBy'),
    shareAcrossNamespaces: z.boolean().optional().describe('spec.shareAcrossNamespaces'),
    duplicateAddressDetection: z.boolean().optional().describe('spec.duplicateAddressDetection'),
    externalIPs: z.boolean().optional().describe('spec.externalIPs'),
    source: sourceInForce.optional().describe('spec.source'),
    deleted: z
      .boolean()
      .optional()
      .describe('The pool is gone, and Services still hold addresses of it: they keep them, nobody gets a new one.'),
  })
  .describe('One pool as it is in force.');
export type PoolSetEntry = z.infer<typeof poolSetEntry>;

const restingAddress = z
  .object({
    address: z.string().describe('The address.'),
    until: z.string().describe('When it may be given again.').register(kubernetes, { format: 'date-time' }),
    service: z.string().describe('The Service that had it, as `namespace/name`: that one may have it again at once.'),
  })
  .describe('One address that a Service let go of and that rests.');
export type RestingAddress = z.infer<typeof restingAddress>;

const announcedExternalIp = z
  .object({
    address: z.string().describe('The address.'),
    service: z.string().describe('A Service that names it in spec.externalIPs, as `namespace/name`.'),
  })
  .describe('One external IP that may be announced.');
export type AnnouncedExternalIp = z.infer<typeof announcedExternalIp>;

/** Written by the operator alone, in one request and before it acts; without spec and status. */
export interface PoolSet {
  readonly apiVersion: string;
  readonly kind: 'PoolSet';
  readonly metadata: ObjectMeta;
  readonly pools: readonly PoolSetEntry[];
  /** Missing where none rests. */
  readonly resting?: readonly RestingAddress[];
  /** Missing where there are none. */
  readonly externalIPs?: readonly AnnouncedExternalIp[];
}

export const poolSetKind: KindDefinition = {
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'PoolSet',
  plural: 'poolsets',
  singular: 'poolset',
  categories: [],
  description: 'The pools in force, and deleted ones whose addresses are still in use. Written by the operator alone.',
  columns: [ageColumn],
  schema: z.object({
    pools: z
      .array(poolSetEntry)
      .describe('The pools, by namespace and name.')
      .register(kubernetes, { list: { type: 'map', keys: ['namespace', 'name'] } }),
    resting: z
      .array(restingAddress)
      .optional()
      .describe('The addresses that rest after their Service let go of them (spec.coolDown).')
      .register(kubernetes, { list: { type: 'atomic' } }),
    externalIPs: z
      .array(announcedExternalIp)
      .optional()
      .describe('The external IPs of Services that speakers announce: others are not, whatever a Service says.')
      .register(kubernetes, { list: { type: 'atomic' } }),
  }),
  subresources: [],
};
