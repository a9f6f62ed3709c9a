/** Writes what the roll-up says about one Service: its ServiceAnnouncement, then its condition `heraldlb.io/Announced`. */

import { annotations, serviceConditions } from '../../crds/annotations.ts';
import { type AnnouncedVerdict, verdictOf } from '../advertising/announced-verdict.ts';
import { isOurs } from '../allocator/service-request.ts';
import { conditionOf, withCondition } from '../cluster/conditions.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { keyOf, type Service, type ServiceStatus } from '../cluster/objects.ts';
import { type ResourceAddress, resources } from '../cluster/resource.ts';
import type { AnnouncedBook } from './announced-book.ts';
import type { AnnouncedWorld } from './announced-world.ts';
import type { AnnouncementKeeper } from './announcement-keeper.ts';
import type { Scope } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
const OUR_CONDITIONS = 'heraldlb.io/';
/** Of a Service that is no load balancer: others may not give it an address by status. */
const CONDITIONS_ALONE: ResourceAddress = { ...resources.services, statusFields: { status: [] } };

/** Until it is asked again whether addresses are still being written. */
const BUSY_MS = 500;

/** The objects of many Services come before their conditions: by the time of the second visit they are there. */
const LATER: Outcome = { next: 'RetryAfter', milliseconds: 1_000, because: 'the objects of others are written first' };

export interface AnnouncedScope extends Pick<Scope, 'lbClass'> {
  readonly isBusy: () => boolean;
  /** Whether many Services wait for what is to be said of them. */
  readonly isCrowded: () => boolean;
}

export class ServiceAnnouncedReconciler implements Reconciler {
  readonly name = 'service-announced';
  readonly #world: AnnouncedWorld;
  readonly #book: AnnouncedBook;
  readonly #keeper: AnnouncementKeeper;
  readonly #scope: AnnouncedScope;
  /** Since when each Service is as it is now, where that has not held for long enough to be said. */
  readonly #since = new Map<string, { readonly reason: string; readonly at: number }>();

  /** The resourceVersion that each status was written upon: while the store shows that one, the answer is on its way. */
  readonly #writtenOn = new Map<string, string>();

  /** Services whose condition is written at the next visit, however many wait then. */
  readonly #postponed = new Set<string>();

  constructor(world: AnnouncedWorld, book: AnnouncedBook, keeper: AnnouncementKeeper, scope: AnnouncedScope) {
    this.#world = world;
    this.#book = book;
    this.#keeper = keeper;
    this.#scope = scope;
  }

  async reconcile(key: string): Promise<Outcome> {
    if (this.#scope.isBusy())
      return { next: 'RetryAfter', milliseconds: BUSY_MS, because: 'addresses are written first' };
    const service = this.#book.serviceOf(key);
    const outcome = this.#book.outcomeOf(key);
    if (!service) return this.#forget(key);
    const isOther = service.spec.type !== 'LoadBalancer';
    if (isOther ? !outcome : !isOurs(service, this.#scope.lbClass)) return this.#forgetOther(service);
    if (!outcome || !(isOther || isAssigned(service))) return retryIn(await this.#keeper.withoutAddress(service));
    const verdict = verdictOf(outcome);
    const waitMs = this.#settling(key, verdict, service);
    if (waitMs > 0) return retryIn(waitMs);
    // The object first: whoever waits for the condition finds it.
    const [stored] = await Promise.allSettled([this.#keeper.keep(service, verdict)]);
    if (stored.status === 'fulfilled' && stored.value === 0 && this.#isPostponed(key, verdict, service)) return LATER;
    this.#since.delete(key);
    await this.#writeCondition(service, verdict);
    if (stored.status === 'rejected') throw stored.reason;
    return retryIn(stored.value);
  }

  /** Of a Service that is no load balancer nobody else takes back that its external IPs were announced. */
  async #forgetOther(service: Service): Promise<Outcome> {
    const conditions = (service.status?.conditions ?? []).filter(({ type }) => type.startsWith(OUR_CONDITIONS));
    const kept = conditions.filter(({ type }) => type !== serviceConditions.announced);
    if (service.spec.type !== 'LoadBalancer' && kept.length < conditions.length)
      await this.#world.applyStatus<ServiceStatus>(service, CONDITIONS_ALONE, { status: { conditions: kept } });
    return this.#forget(keyOf(service));
  }

  /** The Service is gone, or is no load balancer of ours any more. */
  async #forget(key: string): Promise<Outcome> {
    this.#since.delete(key);
    this.#postponed.delete(key);
    this.#writtenOn.delete(key);
    return retryIn(await this.#keeper.release(key));
  }

  /** How long to wait until the verdict has held for long enough; what is said already needs no waiting. */
  #settling(key: string, { status, reason, settleMs }: AnnouncedVerdict, service: Service): number {
    const told = conditionOf(service.status?.conditions, serviceConditions.announced);
    if (settleMs === 0 || (told?.status === status && told.reason === reason)) return 0;
    const now = this.#world.clock();
    const before = this.#since.get(key);
    const at = before?.reason === reason ? before.at : now;
    this.#since.set(key, { reason, at });
    return Math.ceil(Math.max(0, at + settleMs - now));
  }

  /** Once for each condition that is to be written, and only while many wait. */
  #isPostponed(key: string, { status, reason }: AnnouncedVerdict, service: Service): boolean {
    const told = conditionOf(service.status?.conditions, serviceConditions.announced);
    const isSaid = told?.status === status && told.reason === reason;
    if (this.#postponed.delete(key) || isSaid || !this.#scope.isCrowded()) return false;
    this.#postponed.add(key);
    return true;
  }

  /** Only a truth that changed is written, not a message: an owner that moves changes no Service. */
  async #writeCondition(service: Service, { status, reason, message }: AnnouncedVerdict): Promise<void> {
    const conditions = (service.status?.conditions ?? []).filter(({ type }) => type.startsWith(OUR_CONDITIONS));
    const told = conditionOf(conditions, serviceConditions.announced);
    if (told?.status === status && told.reason === reason) return;
    const { resourceVersion = '' } = service.metadata;
    if (this.#writtenOn.get(keyOf(service)) === resourceVersion) return;
    const pool = service.metadata.annotations?.[annotations.ipAllocatedFromPool];
    const next = withCondition(
      conditions,
      { type: serviceConditions.announced, status, reason, message },
      this.#world.now(),
    );
    if (service.spec.type === 'LoadBalancer')
      await this.#world.applyStatus<ServiceStatus>(service, resources.services, {
        status: { loadBalancer: { ingress: service.status?.loadBalancer?.ingress ?? [] }, conditions: next },
        annotations: pool === undefined ? {} : { [annotations.ipAllocatedFromPool]: pool },
      });
    else await this.#world.applyStatus<ServiceStatus>(service, CONDITIONS_ALONE, { status: { conditions: next } });
    this.#writtenOn.set(keyOf(service), resourceVersion);
  }
}

/** Until who assigns has written, nothing of the status is ours. */
const isAssigned = ({ status }: Service): boolean =>
  conditionOf(status?.conditions, serviceConditions.addressAssigned)?.status === 'True';

const retryIn = (milliseconds: number): Outcome =>
  milliseconds <= 0 ? DONE : { next: 'RetryAfter', milliseconds, because: 'it must have held for a while' };
