/** Says of one Service whether its external IPs may be announced: the condition `heraldlb.io/ExternalIPsAccepted`, and one event where they may not. */

import { annotations, serviceConditions } from '../../crds/annotations.ts';
import type { ExternalIpVerdict } from '../advertising/external-ips.ts';
import { isOurs } from '../allocator/service-request.ts';
import { conditionOf, withCondition } from '../cluster/conditions.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import type { Condition, Service, ServiceStatus } from '../cluster/objects.ts';
import { type ResourceAddress, resources } from '../cluster/resource.ts';
import type { ExternalIps } from './external-ips.ts';
import type { Scope, World } from './world.ts';

const TYPE = serviceConditions.externalIpsAccepted;
const DONE: Outcome = { next: 'WaitForChange' };
/** Conditions of this prefix are ours on a Service. */
const OUR_CONDITIONS = 'heraldlb.io/';
/** The status without its addresses and the annotation. */
const CONDITIONS_ALONE: ResourceAddress = { ...resources.services, statusFields: { status: [] } };
/** Until it is asked again whether addresses are still being written. */
const BUSY_MS = 500;

export class ServiceExternalIpsReconciler implements Reconciler {
  readonly name = 'service-external-ips';
  readonly #world: World;
  readonly #ips: Pick<ExternalIps, 'verdictOf' | 'isDecided'>;
  readonly #scope: Pick<Scope, 'lbClass'>;
  readonly #isBusy: () => boolean;

  /** @param isBusy whether addresses are being written, which go first */
  constructor(
    world: World,
    ips: Pick<ExternalIps, 'verdictOf' | 'isDecided'>,
    scope: Pick<Scope, 'lbClass'>,
    isBusy: () => boolean,
  ) {
    this.#world = world;
    this.#ips = ips;
    this.#scope = scope;
    this.#isBusy = isBusy;
  }

  async reconcile(key: string): Promise<Outcome> {
    const { services, externalServices } = this.#world.stores;
    const service = services.get(key) ?? externalServices.get(key);
    const verdict = this.#ips.verdictOf(key);
    if (!service || isSaid(service, verdict)) return DONE;
    if (this.#isBusy() || !this.#ips.isDecided)
      return { next: 'RetryAfter', milliseconds: BUSY_MS, because: 'addresses are written first' };
    const conditions = oursOf(service);
    // Its first word is about the address, and that wakes us again.
    if (isOurs(service, this.#scope.lbClass) && !conditionOf(conditions, serviceConditions.addressAssigned))
      return DONE;
    const next = verdict
      ? withCondition(conditions, { type: TYPE, ...verdict }, this.#world.now())
      : conditions.filter(({ type }) => type !== TYPE);
    const result = await this.#write(service, next);
    if (result === 'Written' && verdict?.status === 'False')
      this.#world.event(service, 'Warning', 'ExternalIPsRefused', verdict.message);
    return DONE;
  }

  /** Where the addresses in the status are ours they must be said again; others' are left alone. */
  #write(service: Service, conditions: NonNullable<ServiceStatus['conditions']>): Promise<'Written' | 'Unchanged'> {
    const assigned = conditionOf(conditions, serviceConditions.addressAssigned);
    const ingress = service.status?.loadBalancer?.ingress ?? [];
    const isAddressOurs = assigned !== undefined && (assigned.status === 'True' || ingress.length === 0);
    if (!isAddressOurs)
      return this.#world.applyStatus<ServiceStatus>(service, CONDITIONS_ALONE, { status: { conditions } });
    const pool = service.metadata.annotations?.[annotations.ipAllocatedFromPool];
    return this.#world.applyStatus<ServiceStatus>(service, resources.services, {
      status: { loadBalancer: { ingress }, conditions },
      annotations: pool === undefined || assigned.status !== 'True' ? {} : { [annotations.ipAllocatedFromPool]: pool },
    });
  }
}

const oursOf = ({ status }: Service): readonly Condition[] =>
  (status?.conditions ?? []).filter(({ type }) => type.startsWith(OUR_CONDITIONS));

function isSaid(service: Service, verdict: ExternalIpVerdict | undefined): boolean {
  const told = conditionOf(service.status?.conditions, TYPE);
  return told?.status === verdict?.status && told?.reason === verdict?.reason && told?.message === verdict?.message;
}
