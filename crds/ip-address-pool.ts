/** IPAddressPool (metallb.io/v1beta1): addresses that Services may get. */
import * as z from 'zod';
import { addressEntryRules } from './address-entry.ts';
import { MAX_LIST, MAX_STRING } from './cel.ts';
import { commonStatus } from './condition.ts';
import { type CustomObject, labelSelector } from './object-meta.ts';
import { poolExtensions } from './pool-extensions.ts';
import { int64, kubernetes } from './structural.ts';
import { wideColumn, writtenKind } from './written-kind.ts';

/** Whose Services may use a pool, and how early it is tried. */
export const serviceAllocation = z.object({
  priority: int64().optional().describe('Pools with a lower number are tried earlier; 0 or none comes last.'),
  namespaces: z
    .array(z.string().describe('The name of a namespace.'))
    .optional()
    .describe('Namespaces whose Services may use the pool.'),
  namespaceSelectors: z
    .array(labelSelector)
    .optional()
    .describe('Namespaces whose Services may use the pool, by labels; one selector must match.'),
  serviceSelectors: z
    .array(labelSelector)
    .optional()
    .describe('Services that may use the pool, by labels; one selector must match.'),
});

export const ipAddressPoolSpec = z.object({
  addresses: z
    .array(z.string().max(MAX_STRING).describe('A CIDR or a range.').register(kubernetes, { rules: addressEntryRules }))
    .min(1)
    .max(MAX_LIST)
    .describe('CIDRs or first-last ranges, IPv4 and IPv6 mixed at will.')
    .register(kubernetes, { list: { type: 'atomic' } }),
  autoAssign: z
    .boolean()
    .default(true)
    .describe('Whether a Service that names no pool may get an address from this one.'),
  avoidBuggyIPs: z.boolean().default(false).describe('Whether IPv4 addresses that end in .0 or .255 are left out.'),
  serviceAllocation: serviceAllocation
    .optional()
    .describe('Limits the pool to some namespaces and Services, and ranks it among the pools that fit.'),
  ...poolExtensions,
});
export type IpAddressPoolSpec = z.infer<typeof ipAddressPoolSpec>;

const inForce = z.object({
  addresses: z
    .array(z.string().describe('A CIDR or a range.'))
    .describe('The entries of spec.addresses that are in force.'),
  exclude: z
    .array(z.string().describe('An address, a CIDR or a range.'))
    .optional()
    .describe('The entries of spec.exclude that are in force.'),
  hash: z.string().describe('Tells two contents apart.'),
  generation: int64().describe('The generation of the spec that is in force.'),
});

export const ipAddressPoolStatus = z.object({
  assignedIPv4: int64().optional().describe('How many IPv4 addresses Services hold.'),
  assignedIPv6: int64().optional().describe('How many IPv6 addresses Services hold.'),
  availableIPv4: int64().optional().describe('How many IPv4 addresses are free.'),
  availableIPv6: int64().optional().describe('How many IPv6 addresses are free; more than 2^63-1 count as that.'),
  ...commonStatus,
  inForce: inForce
    .optional()
    .describe('What the allocator and the speakers use: the spec, or what was there before a refused change.'),
});
export type IpAddressPoolStatus = z.infer<typeof ipAddressPoolStatus>;

export type IpAddressPool = CustomObject<'IPAddressPool', IpAddressPoolSpec, IpAddressPoolStatus>;

export const ipAddressPoolKind = writtenKind({
  version: 'v1beta1',
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  singular: 'ipaddresspool',
  description: 'A pool of addresses that Services of type LoadBalancer may get.',
  columns: [
    { name: 'Used4', type: 'integer', jsonPath: '.status.assignedIPv4', description: 'IPv4 addresses in use.' },
    { name: 'Free4', type: 'integer', jsonPath: '.status.availableIPv4', description: 'IPv4 addresses free.' },
    { name: 'Used6', type: 'integer', jsonPath: '.status.assignedIPv6', description: 'IPv6 addresses in use.' },
    { name: 'Free6', type: 'integer', jsonPath: '.status.availableIPv6', description: 'IPv6 addresses free.' },
  ],
  wideColumns: [
    wideColumn('Auto Assign', 'boolean', 'autoAssign'),
    wideColumn('Avoid Buggy IPs', 'boolean', 'avoidBuggyIPs'),
    wideColumn('Addresses', 'string', 'addresses'),
  ],
  spec: ipAddressPoolSpec.describe('What the pool holds and who may use it.'),
  status: ipAddressPoolStatus,
});
