/** Writes what was decided about one Service into its status, once, and tells it by one event. */

import { annotations, legacyAnnotations, serviceConditions } from '../../crds/annotations.ts';
import { type Decision, isSameDecision } from '../allocator/decision.ts';
import { heldAddresses, isOurs, type RequestProblem } from '../allocator/service-request.ts';
import { conditionOf, withCondition } from '../cluster/conditions.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { keyOf, type Service, type ServiceStatus } from '../cluster/objects.ts';
import { type ResourceAddress, resources } from '../cluster/resource.ts';
import { isSame, type StatusChange } from '../cluster/status-writer.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import type { AddressBook } from './address-book.ts';
import { Contests } from './contests.ts';
import type { DuplicateDetection } from './duplicate-detection.ts';
import type { Scope, World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
/** Conditions of this prefix are ours on a Service. */
const OUR_CONDITIONS = 'heraldlb.io/';
/** Reasons for which the addresses in a status are left to others. */
const HANDS_OFF: ReadonlySet<string> = new Set(['NotOurs', 'ContestedStatus'] satisfies RequestProblem['reason'][]);
/** The status without its addresses and the annotation: an apply that does not name what others own leaves it alone. */
const CONDITIONS_ALONE: ResourceAddress = { ...resources.services, statusFields: { status: [] } };

/** What of it the reconciler asks; the tests pass an object literal. */
export type Detection = Pick<DuplicateDetection, 'provisional' | 'forget'>;
const NO_DETECTION: Detection = { provisional: (_service, decision) => decision, forget: () => undefined };

export class ServiceAddressReconciler implements Reconciler {
  readonly name = 'service-address';
  readonly #world: World;
  readonly #book: AddressBook;
  readonly #scope: Scope;
  readonly #detection: Detection;
  readonly #contests = new Contests();
  /** What was said last of Services that others answer for: once, because they may not keep it. */
  readonly #toldHandsOff = new Map<string, Decision>();

  constructor(world: World, book: AddressBook, scope: Scope, detection: Detection = NO_DETECTION) {
    this.#world = world;
    this.#book = book;
    this.#scope = scope;
    this.#detection = detection;
  }

  async reconcile(key: string): Promise<Outcome> {
    const service = this.#world.stores.services.get(key);
    const decision = this.#book.decisionOf(key);
    if (service && decision) {
      if (isHandsOff(decision)) await this.#tellHandsOff(service, decision);
      else await this.#write(service, this.#writable(service, decision));
      return DONE;
    }
    this.#detection.forget(key);
    this.#contests.forget(key);
    this.#toldHandsOff.delete(key);
    if (this.#book.isReleased(key)) await this.#release(key);
    return DONE;
  }

  /** What of a decision may be written now: of some pools, an address only after the network was asked for it. */
  #writable(service: Service, decision: Decision): Decision {
    if (decision.outcome === 'Assigned') return this.#detection.provisional(service, decision);
    this.#detection.forget(keyOf(service));
    return decision;
  }

  async #write(service: Service, decision: Decision): Promise<void> {
    const key = keyOf(service);
    this.#toldHandsOff.delete(key);
    const change = statusOf(service, decision, this.#world.now());
    const standing = this.#contests.judge(key, service, decision, isSaid(service, change), this.#world.clock());
    if (standing === 'Contested') {
      this.#book.surrender(service, contestOf(service));
      return;
    }
    const result = await this.#world.applyStatus(service, resources.services, change);
    this.#contests.said(key, service, decision, standing, this.#world.clock());
    if (result === 'Written') this.#tell(service, decision);
  }

  /** Says why we leave the Service alone, beside what others have written: the addresses are not part of the request. */
  async #tellHandsOff(service: Service, decision: Decision): Promise<void> {
    const key = keyOf(service);
    const told = this.#toldHandsOff.get(key);
    if (told && isSameDecision(told, decision)) return;
    const { status } = statusOf(service, decision, this.#world.now());
    const result = await this.#world.applyStatus<ServiceStatus>(service, CONDITIONS_ALONE, {
      status: { conditions: status.conditions ?? [] },
    });
    this.#toldHandsOff.set(key, decision);
    if (result === 'Written') this.#world.event(service, 'Warning', decision.reason, decision.message);
  }

  /** The Service was deleted, or is none of ours any more: then nothing of ours stays in its status. */
  async #release(key: string): Promise<void> {
    const service = await this.#world.readService(key);
    if (service && !isOurs(service, this.#scope.lbClass)) {
      const said = conditionOf(service.status?.conditions, serviceConditions.addressAssigned);
      if (said && HANDS_OFF.has(said.reason)) {
        await this.#world.applyStatus<ServiceStatus>(service, CONDITIONS_ALONE, { status: { conditions: [] } });
        this.#book.forgetReleased(key);
        return;
      }
      await this.#world.applyStatus<ServiceStatus>(service, resources.services, {
        status: { loadBalancer: { ingress: [] }, conditions: [] },
      });
    }
    this.#book.forgetReleased(key);
  }

  #tell(service: Service, decision: Decision): void {
    for (const event of eventsOf(service, decision, (address) => this.#book.holderOf(address)))
      this.#world.event(service, event.type, event.reason, event.message);
  }
}

const isHandsOff = ({ reason }: Decision): boolean => HANDS_OFF.has(reason);

/** Whether addresses and our condition are in the status; what else of ours is there is written by others of us. */
function isSaid({ status }: Service, { status: wanted }: StatusChange<ServiceStatus>): boolean {
  const type = serviceConditions.addressAssigned;
  const partOf = ({ loadBalancer, conditions }: ServiceStatus) => {
    const { status: truth, reason, message } = conditionOf(conditions, type) ?? {};
    return { ingress: loadBalancer?.ingress ?? [], truth, reason, message };
  };
  return isSame(partOf(status ?? {}), partOf(wanted));
}

const contestOf = ({ foreignWriters }: Service): RequestProblem => ({
  reason: 'ContestedStatus',
  message: `${foreignWriters?.[0] ? `"${foreignWriters[0].manager}"` : 'Somebody else'} changes the status back whenever Herald has written it. Herald has stopped: remove the other controller, or give the Service a loadBalancerClass, then restart the operator.`,
});

/** The status that says the decision: addresses, condition and MetalLB's annotation. */
export function statusOf(service: Service, decision: Decision, now: Date): StatusChange<ServiceStatus> {
  const isAssigned = decision.outcome === 'Assigned';
  // What has no address is not announced, and nobody need wait for reports to say so.
  const ours = (service.status?.conditions ?? []).filter(
    ({ type }) => type.startsWith(OUR_CONDITIONS) && (isAssigned || type !== serviceConditions.announced),
  );
  const condition = {
    type: serviceConditions.addressAssigned,
    status: isAssigned ? 'True' : 'False',
    reason: decision.reason,
    message: decision.message,
  } as const;
  const ingress = isAssigned ? decision.addresses.map((address) => ({ ip: formatIp(address), ipMode: 'VIP' })) : [];
  return {
    status: { loadBalancer: { ingress }, conditions: withCondition(ours, condition, now) },
    annotations: isAssigned ? { [annotations.ipAllocatedFromPool]: decision.pools.join(',') } : {},
  };
}

interface ServiceEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What to tell about a status that was written; nothing where people see no difference. */
export function eventsOf(
  before: Service,
  decision: Decision,
  holderOf: (address: IpAddress) => string | undefined,
): readonly ServiceEvent[] {
  const key = `${before.metadata.namespace}/${before.metadata.name}`;
  const had = heldAddresses(before);
  const has = decision.outcome === 'Assigned' ? decision.addresses : [];
  const isIn = (list: readonly IpAddress[], { family, value }: IpAddress): boolean =>
    list.some((one) => one.family === family && one.value === value);
  const lost = had.filter((address) => !isIn(has, address)).map((address) => lossOf(key, address, holderOf(address)));
  if (decision.outcome === 'Unassigned') return [...lost, ...failureOf(key, before, decision)];
  if (has.every((address) => isIn(had, address))) return lost;
  // As MetalLB words it, so that what people search for is found.
  const quoted = has.map((address) => `"${formatIp(address)}"`).join(' ');
  const allocated = { type: 'Normal', reason: 'IPAllocated', message: `Assigned IP [${quoted}]` } as const;
  return [...lost, allocated, ...deprecations(before)];
}

/** Told once, with the address: MetalLB's older names of annotations are read, and may go one day. */
function deprecations({ metadata }: Service): readonly ServiceEvent[] {
  const { addressPool, loadBalancerIPs, allowSharedIp } = legacyAnnotations;
  return [addressPool, loadBalancerIPs, allowSharedIp]
    .filter((name) => metadata.annotations?.[name] !== undefined)
    .map((name) => ({
      type: 'Warning',
      reason: 'deprecatedAnnotation',
      message: `Service uses deprecated annotation ${name}`,
    }));
}

function lossOf(key: string, address: IpAddress, holder: string | undefined): ServiceEvent {
  const text = formatIp(address);
  if (holder !== undefined && holder !== key)
    return { type: 'Warning', reason: 'AddressInUse', message: `${text} is held by ${holder}, which was first.` };
  return {
    type: 'Normal',
    reason: 'ClearAssignment',
    message: `current IP for "${key}" not allowed by config or not asked for any more: ${text}`,
  };
}

function failureOf(key: string, { status }: Service, { reason, message }: Decision): readonly ServiceEvent[] {
  const told = conditionOf(status?.conditions, serviceConditions.addressAssigned);
  if ((told?.status === 'False' && told.reason === reason) || reason === 'ProbingAddress') return [];
  return reason === 'InvalidRequest'
    ? [{ type: 'Warning', reason: 'LoadBalancerFailed', message: `invalid requested loadbalancer IPs: ${message}` }]
    : [{ type: 'Warning', reason: 'AllocationFailed', message: `Failed to allocate IP for "${key}": ${message}` }];
}
