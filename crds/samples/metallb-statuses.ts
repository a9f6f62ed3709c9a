/** What each field of ConfigurationState, ServiceL2Status and ServiceBGPStatus takes and refuses. */
import { configurationStateKind } from '../configuration-state.ts';
import { serviceBgpStatusKind } from '../service-bgp-status.ts';
import { serviceL2StatusKind } from '../service-l2-status.ts';
import { aCondition, conditionRows } from './common.ts';
import { ABSENT, field, type KindSamples, text, texts } from './field.ts';

export const configurationStateSamples: KindSamples = {
  kind: configurationStateKind,
  base: { status: { conditions: [aCondition] } },
  fields: [
    field('status', [{}], ['Valid']),
    field('status.result', ['Valid', 'Invalid', 'Unknown', ABSENT], ['valid', '', 1]),
    text('status.errorSummary'),
    ...conditionRows(),
  ],
};

const serviceRows = [
  field('spec', [{}, ABSENT], ['web']),
  field('status', [{}], ['web']),
  text('status.node'),
  text('status.serviceName'),
  text('status.serviceNamespace'),
];

export const serviceL2StatusSamples: KindSamples = {
  kind: serviceL2StatusKind,
  base: { status: { interfaces: [{ name: 'eth0' }] } },
  fields: [
    ...serviceRows,
    field('status.interfaces', [[], ABSENT], ['eth0', { name: 'eth0' }]),
    field('status.interfaces[]', [{}, { name: 'eth0' }], ['eth0']),
    text('status.interfaces[].name'),
  ],
};

export const serviceBgpStatusSamples: KindSamples = {
  kind: serviceBgpStatusKind,
  base: { status: {} },
  fields: [...serviceRows, ...texts('status.peers')],
};
