/** The informers of the operator: what they watch, when they are complete, and whom a change concerns. */

import { setTimeout as sleep } from 'node:timers/promises';
import { configAnnotations } from '../../crds/annotations.ts';
import { OPERATOR_STATE } from '../../crds/configuration-state.ts';
import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import { POOL_SET_NAME } from '../../crds/pool-set.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import type { CrdGuard } from '../cluster/crd-guard.ts';
import { type Change, Informer, type InformerMetrics } from '../cluster/informer.ts';
import { InformerOnDemand } from '../cluster/informer-on-demand.ts';
import type { KubernetesObject, Node, Service } from '../cluster/objects.ts';
import type { RunnableInformer } from '../cluster/operator.ts';
import { isToldOfExternalIps, type Resource, type ResourceAddress, resources } from '../cluster/resource.ts';
import { isSame } from '../cluster/status-writer.ts';
import type { Logger } from '../observability/log.ts';
import type { Stores } from './world.ts';

export interface InformersOptions {
  readonly log: Logger;
  readonly metrics: InformerMetrics;
  /** Watches over the CRD of a resource. */
  readonly guardOf: (resource: ResourceAddress) => CrdGuard;
}

/** After a list that failed. */
const REFRESH_AGAIN_MS = 200;

/** What every informer here offers, whatever its objects are. */
type AnyInformer = RunnableInformer & Pick<Informer<KubernetesObject>, 'synced' | 'refresh'>;

export class Informers {
  readonly all: readonly AnyInformer[];
  readonly stores: Stores;
  /** Runs beside the others, where a pool announces external IPs or did. */
  readonly externalServices: InformerOnDemand<Service>;
  readonly #services: AnyInformer;
  /** What says who has which address, and who may. */
  readonly #ofAddresses: readonly AnyInformer[];
  readonly #log: Logger;
  /** The plural names of what has been complete at least once. */
  readonly #synced = new Set<string>();

  constructor(connection: ApiConnection, { log, metrics, guardOf }: InformersOptions, namespace: string) {
    this.#log = log;
    const plain = <T extends KubernetesObject>(resource: Resource<T>): Informer<T> =>
      new Informer(connection, resource, { log, metrics });
    const guarded = <T extends KubernetesObject>(resource: Resource<T>, isOptional = false): Informer<T> =>
      new Informer(connection, resource, { log, metrics, crd: guardOf(resource), isOptional });
    const services = plain(resources.services);
    this.externalServices = new InformerOnDemand(connection, resources.externalServices, { log });
    const namespaces = plain(resources.namespaces);
    const pools = guarded(resources.ipAddressPools);
    const l2Advertisements = guarded(resources.l2Advertisements);
    const bgpAdvertisements = guarded(resources.bgpAdvertisements);
    const bgpPeers = guarded(resources.bgpPeers);
    // Addresses do not wait for what only BGP looks at, nor for what is only reported.
    const bfdProfiles = guarded(resources.bfdProfiles, true);
    const communities = guarded(resources.communities, true);
    const reservations = guarded(resources.addressReservations);
    const quotas = guarded(resources.addressQuotas);
    const nodes = plain(resources.nodes);
    const serviceCidrs = new Informer(connection, resources.serviceCidrs, { log, metrics, isOptional: true });
    const configurationStates = guarded(
      { ...resources.configurationStates, namespace, fieldSelector: `metadata.name=${OPERATOR_STATE}` },
      true,
    );
    // By name, because the rights are for the one PoolSet by its name too.
    const poolSets = guarded({ ...resources.poolSets, namespace, fieldSelector: `metadata.name=${POOL_SET_NAME}` });
    this.stores = {
      services: services.store,
      externalServices: this.externalServices.store,
      namespaces: namespaces.store,
      pools: pools.store,
      l2Advertisements: l2Advertisements.store,
      bgpAdvertisements: bgpAdvertisements.store,
      bgpPeers: bgpPeers.store,
      bfdProfiles: bfdProfiles.store,
      communities: communities.store,
      reservations: reservations.store,
      quotas: quotas.store,
      nodes: nodes.store,
      serviceCidrs: serviceCidrs.store,
      configurationStates: configurationStates.store,
      poolSets: poolSets.store,
    };
    const all = [
      services,
      namespaces,
      pools,
      l2Advertisements,
      bgpAdvertisements,
      bgpPeers,
      bfdProfiles,
      communities,
      reservations,
      quotas,
      nodes,
      serviceCidrs,
      configurationStates,
      poolSets,
    ];
    // Listeners get objects and never give any back, so what kind they are does not matter here.
    this.all = all as readonly unknown[] as readonly AnyInformer[];
    this.#services = services as unknown as AnyInformer;
    for (const informer of [pools, poolSets, this.externalServices])
      informer.onChange(() => this.externalServices.want(this.#areExternalIpsWanted()));
    const ofAddresses = [services, namespaces, pools, poolSets, reservations, quotas];
    this.#ofAddresses = ofAddresses as readonly unknown[] as readonly AnyInformer[];
    for (const informer of this.all)
      informer.synced().then(
        () => this.#synced.add(informer.resource.plural),
        () => undefined,
      );
  }

  onService(listener: (key: string) => void): void {
    this.#services.onChange(({ key }) => listener(key));
    this.externalServices.onChange(({ key }) => listener(key));
  }

  /** A pool announces some, or what is left of the time when one did has to be taken back. */
  #areExternalIpsWanted(): boolean {
    const { pools, poolSets, externalServices } = this.stores;
    return (
      pools.list().some(({ spec }: IpAddressPool) => spec.externalIPs === true) ||
      poolSets.list().some(({ externalIPs }) => (externalIPs ?? []).length > 0) ||
      externalServices.list().some(isToldOfExternalIps)
    );
  }

  /** Told about changes that may decide something: writes of our own status are none. */
  onConfig(listener: (plural: string) => void): void {
    for (const informer of this.all)
      if (informer !== this.#services)
        informer.onChange((change) => {
          if (isDecisive(change)) listener(informer.resource.plural);
        });
  }

  /** Once complete, a process stays ready: an outage of the API server is no reason to restart or replace it. */
  readiness(): { readonly ready: boolean; readonly why?: string } {
    const missing = this.all.map(({ resource }) => resource.plural).filter((plural) => !this.#synced.has(plural));
    return missing.length === 0 ? { ready: true } : { ready: false, why: `waiting for ${missing.join(', ')}` };
  }

  /**
   * Resolves when every store is complete, and what says who has which address was listed by quorum since `since`. All
   * else may be behind for a moment, and a takeover shall not wait for it. @throws when `signal` aborts
   *
   * @param since ms of `performance.now()`
   */
  async refreshed(since: number, signal: AbortSignal): Promise<void> {
    await this.synced(signal);
    await Promise.all(this.#ofAddresses.map((informer) => this.#refresh(informer, since, signal)));
    // A CRD may have gone meanwhile.
    await this.synced(signal);
  }

  /** Resolves when every store is complete. @throws when `signal` aborts */
  async synced(signal: AbortSignal): Promise<void> {
    await Promise.all(this.all.map((informer) => informer.synced(signal)));
    await this.externalServices.synced(signal);
  }

  /** An API server that has just come back refuses lists for a moment: that is no reason to give the Lease away. */
  async #refresh(informer: AnyInformer, since: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await informer.refresh(since);
        return;
      } catch (error) {
        this.#log.warn('a list failed, trying again', { resource: informer.resource.plural, error });
        await sleep(REFRESH_AGAIN_MS, undefined, { signal });
      }
    }
  }
}

/** Status and what the API server counts change with our own writes, and decide nothing. */
function isDecisive({ before, after }: Change<KubernetesObject>): boolean {
  if (!before || !after) return true;
  return !isSame(decisivePart(before), decisivePart(after));
}

function decisivePart(object: KubernetesObject): object {
  const { metadata, status: _, ...rest } = object as KubernetesObject & { readonly status?: unknown };
  const { uid, generation, labels, creationTimestamp } = metadata;
  // Of nodes the addresses and the missing network decide too, which others write.
  const { addresses, conditions } = (object.kind === 'Node' ? (object as Node).status : undefined) ?? {};
  const network = conditions?.find(({ type }) => type === 'NetworkUnavailable')?.status;
  const allowed = metadata.annotations?.[configAnnotations.allowDisruption];
  return { ...rest, uid, generation, labels, creationTimestamp, addresses, network, allowed };
}
