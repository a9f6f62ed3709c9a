/** What ServiceL2Status and ServiceBGPStatus have in common. */
import * as z from 'zod';
import type { PrinterColumn } from './definition.ts';
import { kubernetes } from './structural.ts';

/** A text that stays as it was first written. */
export const fixed = (field: string) =>
  z
    .string()
    .register(kubernetes, { rules: [{ rule: 'self == oldSelf', message: `${field} cannot be changed` }] })
    .optional();

/** Which Service a status speaks of. */
export const serviceReference = {
  serviceName: fixed('serviceName').describe('The name of the Service.'),
  serviceNamespace: fixed('serviceNamespace').describe('The namespace of the Service.'),
};

export const serviceColumns: readonly PrinterColumn[] = [
  { name: 'Service Name', type: 'string', jsonPath: '.status.serviceName', description: 'The name of the Service.' },
  {
    name: 'Service Namespace',
    type: 'string',
    jsonPath: '.status.serviceNamespace',
    description: 'The namespace of the Service.',
  },
];
