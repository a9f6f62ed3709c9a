/** A world in memory: stores that answer writes like an API server, faults on demand, and a record of every write. */

import { annotations } from '../../../crds/annotations.ts';
import type { IpAddressPool } from '../../../crds/ip-address-pool.ts';
import type { L2Advertisement } from '../../../crds/l2-advertisement.ts';
import { POOL_SET_NAME, type PoolSet } from '../../../crds/pool-set.ts';
import { ConflictError } from '../../cluster/api-error.ts';
import { LeadershipLostError } from '../../cluster/leader-term.ts';
import { type KubernetesObject, keyOf, type Service } from '../../cluster/objects.ts';
import type { ResourceAddress } from '../../cluster/resource.ts';
import { isSame, type StatusChange } from '../../cluster/status-writer.ts';
import { Store } from '../../cluster/store.ts';
import { memoryLogger } from '../../cluster/testing/waiting.ts';
import { LeaderWork } from '../leader-work.ts';
import type { World } from '../world.ts';

const SCOPE = {
  ownNamespace: 'herald-system',
  configNamespaces: ['herald-system', 'metallb-system'],
  lbClass: '',
};

export class FakeWorld implements World {
  readonly stores = {
    services: new Store<Service>(),
    namespaces: new Store<KubernetesObject>(),
    pools: new Store<IpAddressPool>(),
    l2Advertisements: new Store<L2Advertisement>(),
    bgpAdvertisements: new Store<never>(),
    bgpPeers: new Store<never>(),
    poolSets: new Store<PoolSet>(),
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
  /** Awaited before each write of the PoolSet. */
  beforePoolSet: () => Promise<void> = async () => undefined;
  #revision = 100;
  #work: LeaderWork | undefined;
  #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Starts a term, as a leader with complete stores does. */
  lead(): void {
    this.#ending = new AbortController();
    this.isDeposed = false;
    this.#work = new LeaderWork(this, SCOPE, { log: memoryLogger() });
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
    const before = object as KubernetesObject & { readonly status?: object };
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

  async storePoolSet(before: PoolSet | undefined, pools: PoolSet['pools']): Promise<PoolSet> {
    await this.beforePoolSet();
    await this.#send();
    const metadata = { namespace: SCOPE.ownNamespace, name: POOL_SET_NAME };
    const stored = this.stores.poolSets.get(keyOf({ metadata }));
    if (stored?.metadata.resourceVersion !== before?.metadata.resourceVersion) throw new ConflictError('changed');
    this.writes.push(`poolsets ${keyOf({ metadata })}`);
    const poolSet: PoolSet = { apiVersion: 'heraldlb.io/v1alpha1', kind: 'PoolSet', metadata, pools };
    return this.put(this.stores.poolSets, poolSet);
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
  event(object: KubernetesObject, type: string, reason: string, message: string): void {
    this.events.push(`${type} ${reason} ${keyOf(object)}: ${message}`);
  }

  async #send(): Promise<void> {
    await new Promise(setImmediate);
    if (this.isDeposed) throw new LeadershipLostError('the term is over');
    if (this.isDown) throw new Error('no answer');
  }

  #storeOf(plural: string): Store<KubernetesObject> {
    const { services, pools, l2Advertisements } = this.stores;
    const stores: Record<string, unknown> = { services, ipaddresspools: pools, l2advertisements: l2Advertisements };
    return stores[plural] as Store<KubernetesObject>;
  }

  #changed(store: object, key: string): void {
    if (store === this.stores.services) this.#work?.serviceChanged(key);
    else this.#work?.configChanged();
  }
}
