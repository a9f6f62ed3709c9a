/** A world in memory: stores that answer writes like an API server, faults on demand, and a record of every write. */

import type { AddressQuota } from '../../../crds/address-quota.ts';
import type { AddressReservation } from '../../../crds/address-reservation.ts';
import { annotations, serviceConditions } from '../../../crds/annotations.ts';
import type { BfdProfile } from '../../../crds/bfd-profile.ts';
import type { BgpAdvertisement } from '../../../crds/bgp-advertisement.ts';
import type { BgpPeer } from '../../../crds/bgp-peer.ts';
import type { Community } from '../../../crds/community.ts';
import { type ConfigurationState, OPERATOR_STATE } from '../../../crds/configuration-state.ts';
import type { IpAddressPool } from '../../../crds/ip-address-pool.ts';
import type { L2Advertisement } from '../../../crds/l2-advertisement.ts';
import type { ProbeResult } from '../../../crds/node-announcement.ts';
import { POOL_SET_NAME, type PoolSet } from '../../../crds/pool-set.ts';
import { ConflictError } from '../../cluster/api-error.ts';
import { LeadershipLostError } from '../../cluster/leader-term.ts';
import {
  type KubernetesObject,
  keyOf,
  type Node,
  type Service,
  type ServiceCidr,
  type ServiceStatus,
} from '../../cluster/objects.ts';
import type { ResourceAddress } from '../../cluster/resource.ts';
import { isSame, type StatusChange } from '../../cluster/status-writer.ts';
import { Store } from '../../cluster/store.ts';
import { memoryLogger } from '../../cluster/testing/waiting.ts';
import type { SecretName } from '../../config/password-secret.ts';
import type { PodAddress, SecretFact } from '../../config/surroundings.ts';
import { HttpSource } from '../../sources/http-source.ts';
import { LeaderWork, type LeaderWorkOptions } from '../leader-work.ts';
import { Orders, type SourceDoor } from '../source-door.ts';
import type { Scope, World } from '../world.ts';

const SCOPE = {
  ownNamespace: 'herald-system',
  configNamespaces: ['herald-system', 'metallb-system'],
  lbClass: '',
};

/** Sources that fail are asked again soon. */
const SOURCES = { backoff: { baseMs: 5, capMs: 20 } };

export class FakeWorld implements World {
  readonly stores = {
    services: new Store<Service>(),
    externalServices: new Store<Service>(),
    namespaces: new Store<KubernetesObject>(),
    pools: new Store<IpAddressPool>(),
    l2Advertisements: new Store<L2Advertisement>(),
    bgpAdvertisements: new Store<BgpAdvertisement>(),
    bgpPeers: new Store<BgpPeer>(),
    bfdProfiles: new Store<BfdProfile>(),
    communities: new Store<Community>(),
    reservations: new Store<AddressReservation>(),
    quotas: new Store<AddressQuota>(),
    nodes: new Store<Node>(),
    serviceCidrs: new Store<ServiceCidr>(),
    configurationStates: new Store<ConfigurationState>(),
    poolSets: new Store<PoolSet>(),
  };
  readonly sources: SourceDoor = {
    open: async ({ source }) => {
      const guard = () => {
        if (this.isDeposed) throw new LeadershipLostError('the term is over');
      };
      return new HttpSource({ url: source?.http?.url ?? '', timeoutMs: 100, guard });
    },
    nextOrder: (above) => this.#orders.next(above),
  };
  /** `services shop/web`, `poolsets herald-system/herald`: every write that was stored. */
  readonly writes: string[] = [];
  /** `Normal IPAllocated shop/web: Assigned IP ["10.0.0.1"]` */
  readonly events: string[] = [];
  /** Services that are of another type now: the informer does not show them. */
  readonly formerServices = new Map<string, Service>();
  /** The API server does not answer. */
  isDown = false;
  /** The term is over: no write goes out. */
  isDeposed = false;
  hasMemberKey = false;
  pods: readonly PodAddress[] = [];
  podReads = 0;
  readonly secrets = new Map<string, SecretFact>();
  /** Awaited before each write of the PoolSet. */
  beforePoolSet: () => Promise<void> = async () => undefined;
  #revision = 100;
  #terms = 0;
  #orders = new Orders(0, () => Date.now() * 1000);
  #work: LeaderWork | undefined;
  #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Starts a term, as a leader with complete stores does. */
  lead(more: Pick<Scope, 'breakingChanges' | 'startedAt'> = {}, options: Partial<LeaderWorkOptions> = {}): void {
    this.#ending = new AbortController();
    this.isDeposed = false;
    this.#terms += 1;
    this.#orders = new Orders(this.#terms, () => Date.now() * 1000);
    this.stores.namespaces.put('kube-system', { metadata: { name: 'kube-system', uid: 'uid-of-the-cluster' } });
    this.#work = new LeaderWork(this, { ...SCOPE, ...more }, { log: memoryLogger(), sources: SOURCES, ...options });
    this.#running = this.#work.run(this.#ending.signal);
  }

  /** Ends the term as a killed process does: whatever was not stored is lost. */
  async die(): Promise<void> {
    this.isDeposed = true;
    this.#work = undefined;
    this.#ending.abort();
    await this.#running;
  }

  /** @param isDecisive false for a change of status, which wakes nobody who decides */
  put<T extends KubernetesObject>(store: Store<T>, object: T, isDecisive = true): T {
    this.#revision += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
    store.put(keyOf(stored), stored);
    if (isDecisive) this.#changed(store, keyOf(stored));
    return stored;
  }

  remove<T extends KubernetesObject>(store: Store<T>, key: string): void {
    store.put(key, undefined);
    this.#changed(store, key);
  }

  /** A Service changes its type: to the informer it is gone. */
  changeType(key: string): void {
    const service = this.stores.services.get(key);
    if (!service) throw new Error(`no Service ${key}`);
    this.formerServices.set(key, { ...service, spec: { ...service.spec, type: 'ClusterIP' } });
    this.remove(this.stores.services, key);
  }

  /** Somebody else writes the whole status of a Service, as an Update does. */
  writeAs(manager: string, key: string, ips: readonly string[], at = '2026-06-01T00:00:00Z'): void {
    const service = this.stores.services.get(key);
    if (!service) throw new Error(`no Service ${key}`);
    const status = { ...service.status, loadBalancer: { ingress: ips.map((ip) => ({ ip })) } };
    this.put(this.stores.services, { ...service, status, foreignWriters: [{ manager, at }] });
  }

  /** The reason of our condition on a Service. */
  reasonOf(key: string): string | undefined {
    const conditions = this.stores.services.get(key)?.status?.conditions ?? [];
    return conditions.find(({ type }) => type === serviceConditions.addressAssigned)?.reason;
  }

  /** The addresses in the status of a Service. */
  addressesOf(key: string): readonly (string | undefined)[] {
    return (this.stores.services.get(key)?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  }

  /** The Ready condition of an object, in two words. */
  readyOf(
    object:
      | {
          readonly status?: {
            readonly conditions?: readonly { type: string; status: string; reason: string }[] | undefined;
          };
        }
      | undefined,
  ): string {
    const ready = object?.status?.conditions?.find(({ type }) => type === 'Ready');
    return ready ? `${ready.status} ${ready.reason}` : 'none';
  }

  probed(results: readonly ProbeResult[]): void {
    this.#work?.probed(results);
  }

  report(): ReturnType<LeaderWork['report']> | undefined {
    return this.#work?.report();
  }

  now(): Date {
    return new Date('2026-06-01T00:00:00Z');
  }
  clock(): number {
    return performance.now();
  }

  async applyStatus<S extends object>(
    object: KubernetesObject,
    resource: ResourceAddress,
    { status, annotations: wanted = {} }: StatusChange<S>,
  ): Promise<'Written' | 'Unchanged'> {
    if (resource.statusFields?.status.length === 0) return this.#applyConditions(object, status as ServiceStatus);
    const { foreignWriters: _, ...before } = object as KubernetesObject & Pick<Service, 'foreignWriters' | 'status'>;
    const allocatedFrom = annotations.ipAllocatedFromPool;
    const { [allocatedFrom]: had, ...others } = object.metadata.annotations ?? {};
    const has = wanted[allocatedFrom];
    if (isSame(before.status ?? {}, status) && had === has) return 'Unchanged';
    await this.#send();
    const former = this.formerServices.get(keyOf(object));
    const store = this.#storeOf(resource.plural);
    const stored = former ?? store.get(keyOf(object));
    if (stored?.metadata.resourceVersion !== object.metadata.resourceVersion) throw new ConflictError('changed');
    this.writes.push(`${resource.plural} ${keyOf(object)}`);
    const metadata = {
      ...object.metadata,
      annotations: has === undefined ? others : { ...others, [allocatedFrom]: has },
    };
    const next = { ...before, metadata, status } as KubernetesObject;
    if (former) this.formerServices.set(keyOf(object), next as Service);
    else this.put(store, next, resource.plural === 'services');
    return 'Written';
  }

  /** An apply without the addresses leaves those of others in place. */
  async #applyConditions(object: KubernetesObject, { conditions }: ServiceStatus): Promise<'Written' | 'Unchanged'> {
    const { status } = object as Service;
    if (isSame(status?.conditions, conditions)) return 'Unchanged';
    await this.#send();
    const former = this.formerServices.get(keyOf(object));
    const { services, externalServices } = this.stores;
    const store = externalServices.get(keyOf(object)) ? externalServices : services;
    const stored = former ?? store.get(keyOf(object));
    if (stored?.metadata.resourceVersion !== object.metadata.resourceVersion) throw new ConflictError('changed');
    this.writes.push(`services ${keyOf(object)}`);
    const next = { ...object, status: { ...status, ...(conditions && { conditions }) } } as Service;
    if (former) this.formerServices.set(keyOf(object), next);
    else this.put(store, next);
    return 'Written';
  }

  async storePoolSet(before: PoolSet | undefined, pools: PoolSet['pools']): Promise<PoolSet> {
    await this.beforePoolSet();
    await this.#send();
    const metadata = { namespace: SCOPE.ownNamespace, name: POOL_SET_NAME };
    const stored = this.stores.poolSets.get(keyOf({ metadata }));
    if (stored?.metadata.resourceVersion !== before?.metadata.resourceVersion) throw new ConflictError('changed');
    this.writes.push(`poolsets ${keyOf({ metadata })}`);
    const poolSet: PoolSet = { ...stored, apiVersion: 'heraldlb.io/v1alpha1', kind: 'PoolSet', metadata, pools };
    return this.put(this.stores.poolSets, poolSet);
  }

  async storeExternalIps(externalIPs: NonNullable<PoolSet['externalIPs']>): Promise<PoolSet> {
    await this.#send();
    const stored = this.stores.poolSets.get('herald-system/herald');
    if (!stored) throw new Error('there is no PoolSet');
    this.writes.push('externalips herald-system/herald');
    const { externalIPs: _, ...rest } = stored;
    return this.put(this.stores.poolSets, { ...rest, ...(externalIPs.length > 0 && { externalIPs }) });
  }

  async storeResting(resting: NonNullable<PoolSet['resting']>): Promise<PoolSet> {
    await this.#send();
    const stored = this.stores.poolSets.get('herald-system/herald');
    if (!stored) throw new Error('there is no PoolSet');
    this.writes.push('resting herald-system/herald');
    const { resting: _, ...rest } = stored;
    return this.put(this.stores.poolSets, { ...rest, ...(resting.length > 0 && { resting }) });
  }

  async readPoolSet(): Promise<PoolSet | undefined> {
    await this.#send();
    return this.stores.poolSets.get('herald-system/herald');
  }
  async readService(key: string): Promise<Service | undefined> {
    await this.#send();
    return this.formerServices.get(key) ?? this.stores.services.get(key);
  }
  async readFormerServices(): Promise<readonly Service[]> {
    return [...this.formerServices.values()];
  }
  async ensureMemberKey(): Promise<'Created' | 'Exists'> {
    await this.#send();
    if (this.hasMemberKey) return 'Exists';
    this.hasMemberKey = true;
    return 'Created';
  }
  async readPodAddresses(): Promise<readonly PodAddress[]> {
    await this.#send();
    this.podReads += 1;
    return this.pods;
  }
  async readSecretFact({ namespace, name }: SecretName): Promise<SecretFact> {
    await this.#send();
    return this.secrets.get(`${namespace}/${name}`) ?? 'Missing';
  }
  async createConfigurationState(): Promise<'Created' | 'Exists' | 'NotServed'> {
    await this.#send();
    const metadata = { namespace: SCOPE.ownNamespace, name: OPERATOR_STATE };
    if (this.stores.configurationStates.get(keyOf({ metadata }))) return 'Exists';
    this.writes.push(`configurationstates ${keyOf({ metadata })}`);
    this.put(this.stores.configurationStates, {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ConfigurationState',
      metadata,
    });
    return 'Created';
  }
  event(object: KubernetesObject, type: string, reason: string, message: string): void {
    this.events.push(`${type} ${reason} ${keyOf(object)}: ${message}`);
  }

  async #send(): Promise<void> {
    await new Promise(setImmediate);
    if (this.isDeposed) throw new LeadershipLostError('the term is over');
    if (this.isDown) throw new Error('no answer');
  }

  #storeOf(plural: string): Store<KubernetesObject> {
    const { services, pools, l2Advertisements, bgpAdvertisements, bgpPeers, bfdProfiles } = this.stores;
    const { communities, reservations, quotas, configurationStates } = this.stores;
    const stores: Record<string, unknown> = {
      services,
      ipaddresspools: pools,
      l2advertisements: l2Advertisements,
      bgpadvertisements: bgpAdvertisements,
      bgppeers: bgpPeers,
      bfdprofiles: bfdProfiles,
      communities,
      addressreservations: reservations,
      addressquotas: quotas,
      configurationstates: configurationStates,
    };
    return stores[plural] as Store<KubernetesObject>;
  }

  #changed(store: object, key: string): void {
    const { services, externalServices } = this.stores;
    if (store === services || store === externalServices) this.#work?.serviceChanged(key);
    else this.#work?.configChanged();
  }
}
