/** Which pools and Services an advertisement covers: what L2Advertisement and BGPAdvertisement have in common. */
import * as z from 'zod';
import type { PrinterColumn } from './definition.ts';
import { labelSelector } from './object-meta.ts';

export const poolSelection = {
  ipAddressPools: z
    .array(z.string().describe('The name of a pool.'))
    .optional()
    .describe('Pools by name. Without names and selectors the advertisement covers every pool.'),
  ipAddressPoolSelectors: z
    .array(labelSelector)
    .optional()
    .describe('Pools by labels, in addition to those named; one selector must match.'),
};

export const serviceSelection = {
  serviceSelectors: z
    .array(labelSelector)
    .optional()
    .describe('Services that the advertisement covers, by labels; one selector must match. None: every Service.'),
};

/** MetalLB's columns, which `-o wide` shows. */
export const poolColumns: readonly PrinterColumn[] = [
  {
    name: 'IPAddressPools',
    type: 'string',
    jsonPath: '.spec.ipAddressPools',
    description: 'Pools by name.',
    priority: 1,
  },
  {
    name: 'IPAddressPool Selectors',
    type: 'string',
    jsonPath: '.spec.ipAddressPoolSelectors',
    description: 'Pools by labels.',
    priority: 1,
  },
];

export const nodeColumn: PrinterColumn = {
  name: 'Node Selectors',
  type: 'string',
  jsonPath: '.spec.nodeSelectors',
  description: 'Nodes by labels.',
  priority: 10,
};
