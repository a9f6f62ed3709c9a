/**
 * Keeps what is in force: decides it from all configuration, stores it in the PoolSet, and only then acts on it.
 *
 *   change -> resolveConfig -> PoolSet written -> allocator has the new pools -> every object is told
 */

import type { ObjectMeta } from '../../crds/object-meta.ts';
import { POOL_SET_NAME, type PoolSet, type PoolSetEntry } from '../../crds/pool-set.ts';
import type { WithheldAddress } from '../allocator/circumstances.ts';
import { ConflictError } from '../cluster/api-error.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { isSame } from '../cluster/status-writer.ts';
import type { Pool } from '../config/pool.ts';
import { type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts';
import { entriesInForce } from '../config/stored-state.ts';
import type { Surroundings } from '../config/surroundings.ts';
import { isRefused, type ObjectRef, objectRef, type Verdict } from '../config/verdict.ts';
import type { AddressBook } from './address-book.ts';
import { judgedKinds } from './judged-kinds.ts';
import { Surveyor } from './surveyor.ts';
import type { Scope, World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
/** Services let go of addresses in bursts; what waits for that is decided once for the burst. */
const GATHER_RELEASES_MS = 50;
/** Pools that nothing waits for: an address may lie in several. */
const GATHER_OTHERS_MS = 1_000;
/** Deciding for this reason alone may take one part in so many of the time. */
const DECIDING_COST = 20;
/** What objects are told, and about which spec of theirs. */
interface Told extends Pick<ResolvedConfig, 'verdicts' | 'coverage'> {
  readonly specs: ReadonlyMap<ObjectRef, string>;
}
const NOTHING: ResolvedConfig & Told = {
  inForce: [],
  pools: [],
  l2Advertisements: [],
  reservations: [],
  quotas: [],
  coverage: new Map(),
  verdicts: new Map(),
  specs: new Map(),
};

export class ConfigKeeper implements Reconciler {
  readonly name = 'pool-set';
  readonly #world: World;
  readonly #book: AddressBook;
  readonly #scope: Scope;
  readonly #surveyor: Surveyor;
  readonly #resolved: () => void;
  readonly #resume: (stored: Pick<PoolSet, 'resting'>) => readonly WithheldAddress[];
  #config: ResolvedConfig = NOTHING;
  #shown: Told = NOTHING;
  /** Of what is decided and not stored yet, the part that can be told. */
  #early: Told = NOTHING;
  #entries: ReadonlyMap<string, PoolSetEntry> = new Map();
  #pools: ReadonlyMap<string, Pool> = new Map();
  /** The pools that wait for Services to let go of addresses. */
  #waiting: ReadonlySet<string> = new Set();
  /** How long deciding took the last time, milliseconds. */
  #tookMs = 0;
  /** The newest PoolSet that we know to be stored. */
  #stored: PoolSet | undefined;
  /** A write failed because something else is stored than we and the informer knew. */
  #isStoredInDoubt = false;
  #isLoaded = false;

  /**
   * @param resolved called whenever objects may have to be told something else
   * @param resume what of the stored state is withheld from the start
   */
  constructor(
    world: World,
    book: AddressBook,
    scope: Scope,
    resolved: () => void,
    resume: (stored: Pick<PoolSet, 'resting'>) => readonly WithheldAddress[] = () => [],
  ) {
    this.#world = world;
    this.#book = book;
    this.#scope = scope;
    this.#surveyor = new Surveyor(world, scope);
    this.#resolved = resolved;
    this.#resume = resume;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }
  get config(): ResolvedConfig {
    return this.#config;
  }

  /**
   * What an object is told: at once where that is no promise, else when what is in force was stored. Undefined while
   * this spec of it was not looked at.
   */
  verdictOf(ref: ObjectRef, metadata: ObjectMeta): Verdict | undefined {
    const { verdicts, specs } = this.#early.verdicts.has(ref) ? this.#early : this.#shown;
    return specs.get(ref) === specOf(metadata) ? verdicts.get(ref) : undefined;
  }
  /** The pools that an advertisement covers, for its status. */
  coverageOf(ref: ObjectRef): string | undefined {
    return this.#early.coverage.get(ref) ?? this.#shown.coverage.get(ref);
  }
  entryOf(key: string): PoolSetEntry | undefined {
    return this.#entries.get(key);
  }
  poolOf(key: string): Pool | undefined {
    return this.#pools.get(key);
  }

  /**
   * Milliseconds until it is worth deciding again because Services took or let go of addresses of these pools;
   * undefined where nothing waits for that. However large the configuration, deciding takes a small part of the time.
   */
  decideAfterUse(pools: Iterable<string>): number | undefined {
    if (this.#waiting.size === 0) return undefined;
    const isWaitedFor = [...pools].some((key) => this.#waiting.has(key));
    return Math.max(isWaitedFor ? GATHER_RELEASES_MS : GATHER_OTHERS_MS, DECIDING_COST * this.#tookMs);
  }

  async reconcile(): Promise<Outcome> {
    if (!this.#isLoaded) {
      this.#stored = await this.#world.readPoolSet();
      this.#book.reserve(this.#stored?.externalIPs ?? []);
    }
    const { surroundings, againMs } = await this.#surveyor.survey(this.#stored?.pools ?? []);
    // Nothing is given out between what is decided here and the moment when it is stored.
    this.#book.close();
    try {
      const beganAt = this.#world.clock();
      const config = this.#resolve(surroundings);
      this.#tookMs = this.#world.clock() - beganAt;
      const specs = this.#specs();
      this.#tellEarly(config, specs);
      await this.#store(config.inForce);
      this.#act(config, specs);
    } finally {
      if (this.#isLoaded) this.#book.reopen();
    }
    this.#resolved();
    if (againMs === undefined) return DONE;
    return { next: 'RetryAfter', milliseconds: againMs, because: 'pods and Secrets are not watched' };
  }

  #resolve(surroundings: Surroundings): ResolvedConfig {
    const { stores } = this.#world;
    const { ownNamespace, configNamespaces, breakingChanges } = this.#scope;
    const heldAddresses = this.#book.held(this.#isLoaded);
    const pools = stores.pools.list();
    const inForce = this.#isLoaded
      ? this.#config.inForce
      : entriesInForce(this.#stored, { ownNamespace, configNamespaces, pools, held: heldAddresses });
    return resolveConfig({
      ownNamespace,
      configNamespaces,
      pools,
      inForce,
      heldAddresses,
      l2Advertisements: stores.l2Advertisements.list(),
      bgpAdvertisements: stores.bgpAdvertisements.list(),
      bgpPeers: stores.bgpPeers.list(),
      bfdProfiles: stores.bfdProfiles.list(),
      communities: stores.communities.list(),
      reservations: stores.reservations.list(),
      quotas: stores.quotas.list(),
      namespaces: stores.namespaces.list(),
      surroundings,
      breakingChanges,
    });
  }

  /** A store of the PoolSet takes a request's time, and only pools that come into force wait for it. */
  #tellEarly(config: ResolvedConfig, specs: Told['specs']): void {
    if (!this.#isLoaded || (this.#stored && isSame(this.#stored.pools, config.inForce))) return;
    const isPromise = ([ref, verdict]: readonly [ObjectRef, Verdict]): boolean =>
      ref.startsWith('IPAddressPool/') && !isRefused(verdict);
    const verdicts = [...config.verdicts].filter((one) => !isPromise(one));
    this.#early = { verdicts: new Map(verdicts), coverage: config.coverage, specs };
    this.#resolved();
  }

  async #store(pools: readonly PoolSetEntry[]): Promise<void> {
    const seen = this.#world.stores.poolSets.get(`${this.#scope.ownNamespace}/${POOL_SET_NAME}`);
    // After its definition came back the informer goes on showing a PoolSet that is gone: then only a read can tell.
    if (this.#isStoredInDoubt || (!seen && this.#isLoaded)) this.#stored = await this.#world.readPoolSet();
    else if (seen && revisionOf(seen) > revisionOf(this.#stored)) this.#stored = seen;
    this.#isStoredInDoubt = false;
    if (this.#stored && isSame(this.#stored.pools, pools)) return;
    try {
      this.#stored = await this.#world.storePoolSet(this.#stored, pools);
    } catch (error) {
      this.#isStoredInDoubt = error instanceof ConflictError;
      throw error;
    }
  }

  /** Which spec of each object the stores have now. */
  #specs(): Told['specs'] {
    return new Map(
      judgedKinds(this.#world.stores).flatMap(({ resource, store }) =>
        store.list().map(({ metadata }) => [objectRef(resource.kind, metadata), specOf(metadata)] as const),
      ),
    );
  }

  #act(config: ResolvedConfig, specs: Told['specs']): void {
    const hasChanged = !isSame(comparableRules(this.#config), comparableRules(config));
    this.#config = config;
    this.#shown = { ...config, specs };
    this.#early = NOTHING;
    this.#entries = new Map(config.inForce.map((entry) => [nameOf(entry), entry]));
    this.#pools = byKey(config.pools);
    this.#waiting = waitingPools(config);
    if (!this.#isLoaded) {
      this.#isLoaded = true;
      this.#book.load(config, this.#resume(this.#stored ?? {}));
    } else if (hasChanged) this.#book.setConfig(config);
  }
}

const revisionOf = (object: PoolSet | undefined): number => Number(object?.metadata.resourceVersion ?? -1);

/** A new spec has another generation, and an object that was made again another uid. */
const specOf = ({ uid = '', generation = 0 }: ObjectMeta): string => `${uid} ${generation}`;

const nameOf = ({ namespace, name }: Pick<Pool, 'namespace' | 'name'>): string => `${namespace}/${name}`;

/** Of a remnant and a live pool of one name the live one, which comes first. */
const byKey = (pools: readonly Pool[]): ReadonlyMap<string, Pool> =>
  new Map(pools.toReversed().map((pool) => [nameOf(pool), pool]));

/** Remnants, and pools whose change would break Services. */
function waitingPools({ pools, verdicts }: ResolvedConfig): ReadonlySet<string> {
  const waiting = new Set(pools.filter(({ isRemnant }) => isRemnant).map((pool) => nameOf(pool)));
  for (const [ref, { conditions }] of verdicts) {
    const isWaiting = conditions.some(({ reason }) => reason === 'WouldBreakServices');
    if (isWaiting) waiting.add(ref.slice(ref.indexOf('/') + 1));
  }
  return waiting;
}

/** What the allocator looks at, as plain data. */
const comparableRules = ({ pools, reservations, quotas }: ResolvedConfig): object => ({
  pools: pools.map(comparable),
  rules: [...reservations, ...quotas].map(({ key, content }) => `${key} ${content}`),
});

/** What of a pool the allocator looks at. */
const comparable = ({ ranges, addresses: _, declaredRanges: __, namespaces, ...rest }: Pool): object => ({
  ...rest,
  ranges: ranges.map(({ first, last }) => `${first.family} ${first.value} ${last.value}`),
  namespaces: namespaces && [...namespaces].sort(),
  isOpen: namespaces === undefined,
});
