/** Writes what was decided about one Service into its status, once, and tells it by one event. */

import { annotations, legacyAnnotations, serviceConditions } from '../../crds/annotations.ts';
import type { Decision } from '../allocator/decision.ts';
import { heldAddresses, isOurs } from '../allocator/service-request.ts';
import { conditionOf, withCondition } from '../cluster/conditions.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import type { Condition, Service, ServiceStatus } from '../cluster/objects.ts';
import { resources } from '../cluster/resource.ts';
import type { StatusChange } from '../cluster/status-writer.ts';
import { formatIp, type IpAddress } from '../net/address.ts';
import type { AddressBook } from './address-book.ts';
import type { Scope, World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
/** Conditions of this prefix are ours on a Service. */
const OUR_CONDITIONS = 'heraldlb.io/';

export class ServiceAddressReconciler implements Reconciler {
  readonly name = 'service-address';
  readonly #world: World;
  readonly #book: AddressBook;
  readonly #scope: Scope;

  constructor(world: World, book: AddressBook, scope: Scope) {
    this.#world = world;
    this.#book = book;
    this.#scope = scope;
  }

  async reconcile(key: string): Promise<Outcome> {
    const service = this.#world.stores.services.get(key);
    const decision = this.#book.decisionOf(key);
    if (service && decision) await this.#write(service, decision);
    else if (this.#book.isReleased(key)) await this.#release(key);
    return DONE;
  }

  async #write(service: Service, decision: Decision): Promise<void> {
    const change = statusOf(service, decision, this.#world.now());
    const result = await this.#world.applyStatus(service, resources.services, change);
    if (result === 'Written') this.#tell(service, decision);
  }

  /** The Service was deleted, or is none of ours any more: then nothing of ours stays in its status. */
  async #release(key: string): Promise<void> {
    const service = await this.#world.readService(key);
    if (service && !isOurs(service, this.#scope.lbClass)) {
      const conditions = othersThan(serviceConditions.addressAssigned, service);
      await this.#world.applyStatus<ServiceStatus>(service, resources.services, {
        status: { loadBalancer: { ingress: [] }, conditions },
      });
    }
    this.#book.forgetReleased(key);
  }

  #tell(service: Service, decision: Decision): void {
    for (const event of eventsOf(service, decision, (address) => this.#book.holderOf(address)))
      this.#world.event(service, event.type, event.reason, event.message);
  }
}

/** The status that says the decision: addresses, condition and MetalLB's annotation. */
export function statusOf(service: Service, decision: Decision, now: Date): StatusChange<ServiceStatus> {
  const isAssigned = decision.outcome === 'Assigned';
  const ours = (service.status?.conditions ?? []).filter(({ type }) => type.startsWith(OUR_CONDITIONS));
  const condition = {
    type: serviceConditions.addressAssigned,
    status: isAssigned ? 'True' : 'False',
    reason: decision.reason,
    message: decision.message,
  } as const;
  const ingress = isAssigned ? decision.addresses.map((address) => ({ ip: formatIp(address), ipMode: 'VIP' })) : [];
  return {
    status: { loadBalancer: { ingress }, conditions: withCondition(ours, condition, now) },
    annotations: isAssigned ? { [annotations.ipAllocatedFromPool]: decision.pool } : {},
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
  if (told?.status === 'False' && told.reason === reason) return [];
  return reason === 'InvalidRequest'
    ? [{ type: 'Warning', reason: 'LoadBalancerFailed', message: `invalid requested loadbalancer IPs: ${message}` }]
    : [{ type: 'Warning', reason: 'AllocationFailed', message: `Failed to allocate IP for "${key}": ${message}` }];
}

/** Our conditions but the one of this type. */
const othersThan = (type: string, { status }: Service): readonly Condition[] =>
  (status?.conditions ?? []).filter((one) => one.type.startsWith(OUR_CONDITIONS) && one.type !== type);
