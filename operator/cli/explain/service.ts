/** Explains one Service: the chain from its class to the node that answers, up to the first "no". */

import { heldAddresses } from '../../allocator/service-request.ts';
import { keyOf, type Service } from '../../cluster/objects.ts';
import { formatIp } from '../../net/address.ts';
import { type Decisions, decisionsOf } from '../decisions.ts';
import type { HeraldEvent } from '../event-list.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { type Explanation, type Step, step } from './explanation.ts';
import { externalIpStep } from './external-ips.ts';
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
  const decisions = decisionsOf(snapshot, service);
  const steps = stepsOf(service, snapshot, decisions, events);
  const last = steps.at(-1);
  const key = keyOf(service);
  const broken = steps.find(({ answer }) => answer !== 'yes');
  const reason = broken?.reason ?? steps.find((one) => one.reason)?.reason;
  return {
    object: key,
    summary: `${key} ${summaryOf(decisions.announced.get(key)?.addresses ?? heldAddresses(service).map(formatIp), last)}`,
    ...(reason && { reason }),
    steps,
    remedies: broken || reason ? remediesOf(service, broken ?? steps.find((one) => one.reason), snapshot) : [],
  };
}

function stepsOf(
  service: Service,
  snapshot: ClusterSnapshot,
  decisions: Decisions,
  events: readonly HeraldEvent[],
): readonly Step[] {
  const first = serviceStep(service, snapshot);
  if (first.answer !== 'yes') return [first];
  const external = externalIpStep(service, snapshot, decisions);
  if (service.spec.type !== 'LoadBalancer') {
    const own = external ? [first, external] : [first];
    return external?.answer === 'yes' ? [...own, ...announcedSteps(service, snapshot, decisions)] : own;
  }
  const address = addressStep(service, snapshot, decisions);
  if (address.answer !== 'yes') return [first, contestedStep(events) ?? address];
  const steps = [first, address, ...announcedSteps(service, snapshot, decisions)];
  return external && steps.every(({ answer }) => answer === 'yes') ? [...steps, external] : steps;
}

/** Where somebody else changes the status back, the operator says so by an event alone. */
function contestedStep(events: readonly HeraldEvent[]): Step | undefined {
  const told = events.findLast(({ reason }) => reason === 'ContestedStatus');
  return told && step('address', 'no', told.note ?? '', { reason: 'ContestedStatus', source: 'operator' });
}

function summaryOf(addresses: readonly string[], last: Step | undefined): string {
  const held = addresses.join(' and ');
  if (last?.name === 'service') return 'is not for Herald';
  if (last?.name === 'operator' || last?.name === 'address') return doubtOf(held, last);
  if (last?.name === 'external IPs' && last.answer === 'no')
    return `has ${[...addresses, 'an external IP that is not announced'].join(' and ')}`;
  if (last?.answer === 'yes') return `has ${held}, and it is announced`;
  return last?.answer === 'no'
    ? `has ${held}, and nothing announces it`
    : `has ${held}, and whether it is announced is not known`;
}

function doubtOf(held: string, { name }: Step): string {
  if (held !== '') return `has ${held}, and that is in doubt`;
  return name === 'operator' ? 'has no address, and nobody has said why' : 'has no address';
}
