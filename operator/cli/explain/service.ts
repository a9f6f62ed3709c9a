/** Explains one Service: the chain from its class to the node that answers, up to the first "no". */

import { heldAddresses } from '../../allocator/service-request.ts';
import { keyOf, type Service } from '../../cluster/objects.ts';
import { formatIp } from '../../net/address.ts';
import { decisionsOf } from '../decisions.ts';
import type { HeraldEvent } from '../event-list.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { type Explanation, type Step, step } from './explanation.ts';
import { remediesOf } from './remedies.ts';
import { addressStep } from './service-address.ts';
import { announcedSteps } from './service-announced.ts';
import { serviceStep } from './service-is-ours.ts';

/** @param events those of the Service, oldest first */
export function explainService(
  service: Service,
  snapshot: ClusterSnapshot,
  events: readonly HeraldEvent[] = [],
): Explanation {
  const steps = stepsOf(service, snapshot, events);
  const last = steps.at(-1);
  const key = keyOf(service);
  const broken = steps.find(({ answer }) => answer !== 'yes');
  const reason = broken?.reason ?? steps.find((one) => one.reason)?.reason;
  return {
    object: key,
    summary: `${key} ${summaryOf(service, last)}`,
    ...(reason && { reason }),
    steps,
    remedies: broken || reason ? remediesOf(service, broken ?? steps.find((one) => one.reason), snapshot) : [],
  };
}

function stepsOf(service: Service, snapshot: ClusterSnapshot, events: readonly HeraldEvent[]): readonly Step[] {
  const first = serviceStep(service, snapshot);
  if (first.answer !== 'yes') return [first];
  const decisions = decisionsOf(snapshot);
  const address = addressStep(service, snapshot, decisions);
  if (address.answer !== 'yes') return [first, contestedStep(events) ?? address];
  return [first, address, ...announcedSteps(service, snapshot, decisions)];
}

/** Where somebody else changes the status back, the operator says so by an event alone. */
function contestedStep(events: readonly HeraldEvent[]): Step | undefined {
  const told = events.findLast(({ reason }) => reason === 'ContestedStatus');
  return told && step('address', 'no', told.note ?? '', { reason: 'ContestedStatus', source: 'operator' });
}

function summaryOf(service: Service, last: Step | undefined): string {
  const held = heldAddresses(service).map(formatIp).join(' and ');
  if (last?.name === 'service') return 'is not for Herald';
  if (last?.name === 'operator' && held === '') return 'has no address, and nobody has said why';
  if (last?.name === 'operator' || last?.name === 'address')
    return held === '' ? 'has no address' : `has ${held}, and that is in doubt`;
  if (last?.answer === 'yes') return `has ${held}, and it is announced`;
  return last?.answer === 'no'
    ? `has ${held}, and nothing announces it`
    : `has ${held}, and whether it is announced is not known`;
}
