/**
 * External sources beside an allocator in a few lines and a cluster in memory: Services ask for addresses of one pool,
 * the source is a real server, and the operator may be killed and started at any time.
 */

import { AddressServer, type AddressServerOptions } from '../../../testing/address-server.ts';
import { ip, pool } from '../../../testing/allocation.ts';
import type { Decision } from '../../allocator/decision.ts';
import type { ServiceRequest } from '../../allocator/service-request.ts';
import type { BackoffOptions } from '../../cluster/backoff.ts';
import { type KubernetesObject, keyOf, type Service } from '../../cluster/objects.ts';
import { Store } from '../../cluster/store.ts';
import { memoryLogger } from '../../cluster/testing/waiting.ts';
import type { Pool } from '../../config/pool.ts';
import { formatIp, type IpAddress } from '../../net/address.ts';
import { HttpSource } from '../../sources/http-source.ts';
import { AddressSources } from '../address-sources.ts';
import type { ClaimTaker, SourceWorld } from '../claim-taker.ts';
import { Orders } from '../source-door.ts';

export const CLUSTER = 'uid-of-the-cluster';
const KEY = 'herald-system/a';
const PENDING: Decision = { outcome: 'Unassigned', reason: 'AddressPending', message: 'It waits.', rejections: [] };

/** What the API server keeps of a Service. */
interface Stored {
  readonly uid: string;
  readonly families: readonly (4 | 6)[];
  readonly asked?: string;
  addresses: readonly string[];
}

/** One process that leads: all that it knows is lost with it. */
class Process implements ClaimTaker {
  readonly sources: AddressSources;
  readonly held = new Map<string, readonly IpAddress[]>();
  readonly refusals = new Map<string, string>();
  readonly #stage: SourceStage;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  isDeposed = false;

  constructor(stage: SourceStage, term: number) {
    this.#stage = stage;
    const orders = new Orders(term, () => Date.now() * 1000);
    const world: SourceWorld = {
      stores: stage.stores,
      clock: () => performance.now(),
      readService: async (key) => stage.unseen.get(key) ?? stage.stores.services.get(key),
      event: (object, type, reason, message) => stage.events.push(`${type} ${reason} ${keyOf(object)}: ${message}`),
      sources: { open: async (of) => this.#open(of), nextOrder: (above) => orders.next(above) },
    };
    this.sources = new AddressSources(world, this, {
      log: memoryLogger(),
      concerned: () => undefined,
      backoff: stage.backoff,
      listEveryMs: stage.listEveryMs,
    });
    this.sources.configure([stage.pool]);
    for (const [key, { addresses }] of stage.services) if (addresses.length > 0) this.held.set(key, addresses.map(ip));
    for (const key of stage.services.keys()) this.want(key);
    this.#running = this.sources.run(this.#ending.signal);
  }

  #open(of: Pool): HttpSource {
    const guard = () => {
      if (this.isDeposed) throw new Error('deposed');
    };
    const { timeoutMs, token } = this.#stage;
    return new HttpSource({ url: of.source?.http?.url ?? '', timeoutMs, token, guard });
  }

  /** Asks for what the Service lacks. */
  want(key: string): void {
    const families = this.#missing(key);
    if (families.length > 0) this.sources.told({ wanted: [{ pool: KEY, serviceKey: key, families }], released: [] });
  }

  /** The Service is gone or wants no address any more. */
  letGo(key: string): void {
    const addresses = this.held.get(key) ?? [];
    this.held.delete(key);
    this.sources.told({ wanted: [], released: addresses.map((address) => ({ pool: KEY, serviceKey: key, address })) });
  }

  async kill(): Promise<void> {
    this.isDeposed = true;
    this.#ending.abort();
    await this.#running;
  }

  grant(_pool: string, key: string, addresses: readonly IpAddress[]): void {
    if (this.isDeposed || this.#missing(key).length === 0) return;
    const all = [...(this.held.get(key) ?? []), ...addresses];
    this.held.set(key, all);
    this.#stage.write(key, all);
  }

  refuse(_pool: string, key: string, message: string): void {
    if (!this.isDeposed) this.refusals.set(key, message);
  }

  whenOpen(act: () => void): void {
    act();
  }

  requestOf(key: string): Pick<ServiceRequest, 'isOneFamilyEnough' | 'requestedAddresses'> {
    const asked = this.#stage.services.get(key)?.asked;
    return { isOneFamilyEnough: false, ...(asked && { requestedAddresses: [ip(asked)] }) };
  }

  holdersOf(address: IpAddress): readonly string[] {
    const text = formatIp(address);
    return [...this.held].flatMap(([key, held]) => (held.some((one) => formatIp(one) === text) ? key : []));
  }

  isResting(): boolean {
    return false;
  }

  heldOf(): readonly { readonly service: string; readonly address: IpAddress }[] {
    return [...this.held].flatMap(([service, addresses]) => addresses.map((address) => ({ service, address })));
  }

  #missing(key: string): readonly (4 | 6)[] {
    const held = this.held.get(key) ?? [];
    const { families = [] } = this.#stage.services.get(key) ?? {};
    return families.filter((family) => !held.some((address) => address.family === family));
  }
}

export class SourceStage {
  readonly services = new Map<string, Stored>();
  readonly stores = { services: new Store<Service>(), namespaces: new Store<KubernetesObject>() };
  readonly events: string[] = [];
  readonly server: AddressServer;
  pool: Pool = pool('a', { size: 64, sizeV6: 64 });
  timeoutMs = 80;
  backoff: BackoffOptions = { baseMs: 5, capMs: 20 };
  /** What the Secret has. */
  token: string | undefined;
  /** Services that the API server has and the store has not yet. */
  readonly unseen = new Map<string, Service>();
  listEveryMs = 60_000;
  /** Statuses are not written: the operator is killed right before. */
  isWriteLost = false;
  #leader: Process | undefined;
  readonly #former: Process[] = [];
  #term = 0;
  #uid = 0;

  private constructor(server: AddressServer) {
    this.server = server;
    this.stores.namespaces.put('kube-system', { metadata: { name: 'kube-system', uid: CLUSTER } });
  }

  static async open(options: Partial<AddressServerOptions> = {}): Promise<SourceStage> {
    const addresses = Array.from({ length: 12 }, (_, at) => [`192.0.2.${at + 1}`, `2001:db8:2::${at + 1}`]).flat();
    const stage = new SourceStage(await new AddressServer({ addresses, ...options }).start());
    stage.pool = pool('a', { size: 64, sizeV6: 64, source: { http: { url: stage.server.url } } });
    return stage;
  }

  async close(): Promise<void> {
    await this.kill();
    await this.server.stop();
  }

  get leader(): Process {
    if (!this.#leader) throw new Error('nobody leads');
    return this.#leader;
  }

  /** Another leads; what the one before it has sent is still on its way. */
  replaceLeader(): void {
    const former = this.#leader;
    if (former) former.isDeposed = true;
    this.lead();
    if (former) this.#former.push(former);
  }

  lead(): void {
    this.#term += 1;
    this.#leader = new Process(this, this.#term);
  }

  async kill(): Promise<void> {
    const leaders = [...this.#former.splice(0), ...(this.#leader ? [this.#leader] : [])];
    this.#leader = undefined;
    await Promise.all(leaders.map((leader) => leader.kill()));
  }

  create(name: string, more: Partial<Pick<Stored, 'families' | 'asked' | 'addresses'>> = {}): void {
    const key = `shop/${name}`;
    this.#uid += 1;
    const uid = `uid-${this.#uid}`;
    this.services.set(key, { uid, families: [4], addresses: [], ...more });
    const metadata = { namespace: 'shop', name, uid };
    this.stores.services.put(key, { metadata, spec: { type: 'LoadBalancer' } });
    this.#leader?.want(key);
  }

  remove(name: string): void {
    this.services.delete(`shop/${name}`);
    this.stores.services.put(`shop/${name}`, undefined);
    this.#leader?.letGo(`shop/${name}`);
  }

  write(key: string, addresses: readonly IpAddress[]): void {
    const stored = this.services.get(key);
    if (stored && !this.isWriteLost) stored.addresses = addresses.map(formatIp);
  }

  /** 'web 192.0.2.1', sorted: what Services have, and what is claimed at the source. */
  get assigned(): readonly string[] {
    return [...this.services]
      .flatMap(([key, { addresses }]) => addresses.map((address) => `${key.slice(5)} ${address}`))
      .sort();
  }
  get claimed(): readonly string[] {
    return [...this.server.claims.values()].map(({ service, address }) => `${service.name} ${address}`).sort();
  }

  reasonOf(name: string): string {
    const { reason, message } = this.leader.sources.worded(`shop/${name}`, PENDING);
    return `${reason}: ${message}`;
  }
}
