/** PoolSet (heraldlb.io/v1alpha1): the pools in force, so that what was decided survives pools, CRDs and restarts. */
import * as z from 'zod';
import { ageColumn, type KindDefinition } from './definition.ts';
import { serviceAllocation } from './ip-address-pool.ts';
import type { ObjectMeta } from './object-meta.ts';
import { int64, kubernetes } from './structural.ts';

/** The one PoolSet, in Herald's own namespace. */
export const POOL_SET_NAME = 'herald';

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
    deleted: z
      .boolean()
      .optional()
      .describe('The pool is gone, and Services still hold addresses of it: they keep them, nobody gets a new one.'),
  })
  .describe('One pool as it is in force.');
export type PoolSetEntry = z.infer<typeof poolSetEntry>;

/** Written by the operator alone, in one request and before it acts; without spec and status. */
export interface PoolSet {
  readonly apiVersion: string;
  readonly kind: 'PoolSet';
  readonly metadata: ObjectMeta;
  readonly pools: readonly PoolSetEntry[];
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
  }),
  subresources: [],
};
