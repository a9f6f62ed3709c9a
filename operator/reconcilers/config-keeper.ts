/**
 * Keeps what is in force: decides it from all configuration, stores it in the PoolSet, and only then acts on it.
 *
 *   change -> resolveConfig -> PoolSet written -> allocator has the new pools -> every object is told
 */

import { POOL_SET_NAME, type PoolSet, type PoolSetEntry } from '../../crds/pool-set.ts';
import { ConflictError } from '../cluster/api-error.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { isSame } from '../cluster/status-writer.ts';
import type { Pool } from '../config/pool.ts';
import { type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts';
import { entriesInForce } from '../config/stored-state.ts';
import type { Surroundings } from '../config/surroundings.ts';
import type { Verdict } from '../config/verdict.ts';
import type { AddressBook } from './address-book.ts';
import { Surveyor } from './surveyor.ts';
import type { Scope, World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
const NOTHING: ResolvedConfig = {
  inForce: [],
  pools: [],
  l2Advertisements: [],
  coverage: new Map(),
  verdicts: new Map(),
};

export class ConfigKeeper implements Reconciler {
  readonly name = 'pool-set';
  readonly #world: World;
  readonly #book: AddressBook;
  readonly #scope: Scope;
  readonly #surveyor: Surveyor;
  readonly #resolved: () => void;
  #config: ResolvedConfig = NOTHING;
  /** The newest PoolSet that we know to be stored. */
  #stored: PoolSet | undefined;
  /** A write failed because something else is stored than we and the informer knew. */
  #isStoredInDoubt = false;
  #isLoaded = false;

  /** @param resolved called whenever objects may have to be told something else */
  constructor(world: World, book: AddressBook, scope: Scope, resolved: () => void) {
    this.#world = world;
    this.#book = book;
    this.#scope = scope;
    this.#surveyor = new Surveyor(world, scope);
    this.#resolved = resolved;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }
  get config(): ResolvedConfig {
    return this.#config;
  }

  verdictOf(ref: string): Verdict | undefined {
    return this.#config.verdicts.get(ref);
  }
  entryOf(key: string): PoolSetEntry | undefined {
    return this.#config.inForce.find(({ namespace, name }) => `${namespace}/${name}` === key);
  }
  poolOf(key: string): Pool | undefined {
    return this.#config.pools.find(({ namespace, name }) => `${namespace}/${name}` === key);
  }

  /** Whether something waits for Services to let go of addresses. */
  get waitsForServices(): boolean {
    const isWaiting = ({ conditions }: Verdict): boolean => conditions.some((c) => c.reason === 'WouldBreakServices');
    return this.#config.pools.some((pool) => pool.isRemnant) || [...this.#config.verdicts.values()].some(isWaiting);
  }

  async reconcile(): Promise<Outcome> {
    if (!this.#isLoaded) this.#stored = await this.#world.readPoolSet();
    const { surroundings, againMs } = await this.#surveyor.survey(this.#stored?.pools ?? []);
    // Nothing is given out between what is decided here and the moment when it is stored.
    this.#book.close();
    try {
      const config = this.#resolve(surroundings);
      await this.#store(config.inForce);
      this.#act(config);
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
      namespaces: stores.namespaces.list(),
      surroundings,
      breakingChanges,
    });
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

  #act(config: ResolvedConfig): void {
    const havePoolsChanged = !isSame(this.#config.pools.map(comparable), config.pools.map(comparable));
    this.#config = config;
    if (!this.#isLoaded) {
      this.#isLoaded = true;
      this.#book.load(config.pools);
    } else if (havePoolsChanged) this.#book.setPools(config.pools);
  }
}

const revisionOf = (object: PoolSet | undefined): number => Number(object?.metadata.resourceVersion ?? -1);

/** What of a pool the allocator looks at, as plain data. */
const comparable = ({ ranges, addresses: _, namespaces, ...rest }: Pool): object => ({
  ...rest,
  ranges: ranges.map(({ first, last }) => `${first.family} ${first.value} ${last.value}`),
  namespaces: namespaces && [...namespaces].sort(),
  isOpen: namespaces === undefined,
});
