/** Gathers what configuration meets in its cluster. Stores are at hand; pods and Secrets are asked for only where they decide. */

import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import type { PoolSetEntry } from '../../crds/pool-set.ts';
import { ClusterRanges, podsIn } from '../config/cluster-ranges.ts';
import { secretsNamedBy } from '../config/password-secret.ts';
import { wantedEntry } from '../config/pool-content.ts';
import type { PodAddress, SecretFact, Surroundings } from '../config/surroundings.ts';
import type { Scope, World } from './world.ts';

/** How old what is known may be, milliseconds. */
const AGES = {
  /** Pods, while a pool waits for them to go. */
  podsWhileUndecided: 60_000,
  /** Pods, once every pool that meets a range of theirs is in force. */
  podsWhileDecided: 600_000,
  unusableSecret: 5_000,
  usableSecret: 60_000,
} as const;
/** Pods may also be so many times as old as asking for them took: of a large cluster they are megabytes. */
const PODS_COST = 100;

export interface Survey {
  readonly surroundings: Surroundings;
  /** When it should be made again although nothing that is watched changed; undefined: never. */
  readonly againMs?: number;
}

/** Pods as they were seen. */
interface SeenPods {
  readonly pods: readonly PodAddress[];
  /** The pools that they were looked for in. */
  readonly pools: string;
  readonly at: number;
  readonly tookMs: number;
}

type SurveyWorld = Pick<World, 'stores' | 'clock' | 'readPodAddresses' | 'readSecretFact'>;
type SurveyScope = Pick<Scope, 'ownNamespace' | 'configNamespaces'>;

export class Surveyor {
  readonly #world: SurveyWorld;
  readonly #scope: SurveyScope;
  #seen: SeenPods | undefined;
  #secrets: ReadonlyMap<string, { readonly fact: SecretFact; readonly at: number }> = new Map();

  constructor(world: SurveyWorld, scope: SurveyScope) {
    this.#world = world;
    this.#scope = scope;
  }

  /** @param inForce what was in force so far: a pool that already is does not wait for pods */
  async survey(inForce: readonly PoolSetEntry[]): Promise<Survey> {
    const { stores } = this.#world;
    const known = { nodes: stores.nodes.list(), serviceRanges: stores.serviceCidrs.list() };
    const pools = this.#poolsAmongPods({ ...known, podAddresses: [] });
    const [pods, secrets] = await Promise.all([this.#podsAmong(pools, inForce), this.#secretFacts()]);
    const waits = [...(pods ? [pods.againMs] : []), ...[...secrets.values()].map(mayBeMs)];
    return {
      surroundings: { ...known, podAddresses: pods?.pods ?? [], secrets },
      ...(waits.length > 0 && { againMs: Math.min(...waits) }),
    };
  }

  #poolsAmongPods(surroundings: Surroundings): readonly IpAddressPool[] {
    const { ownNamespace, configNamespaces } = this.#scope;
    const ranges = new ClusterRanges(surroundings);
    const isRead = ({ metadata: { namespace = '' } }: IpAddressPool): boolean =>
      namespace === ownNamespace || configNamespaces.includes(namespace);
    return this.#world.stores.pools.list().filter((pool) => isRead(pool) && ranges.meetsPodRange(pool));
  }

  /** The pods that live in `pools`; undefined where there is no pool to look into. */
  async #podsAmong(
    pools: readonly IpAddressPool[],
    inForce: readonly PoolSetEntry[],
  ): Promise<{ readonly pods: readonly PodAddress[]; readonly againMs: number } | undefined> {
    if (pools.length === 0) {
      this.#seen = undefined;
      return undefined;
    }
    const wanted = pools.map((pool) => contentOf(wantedEntry(pool)));
    const decided = new Set(inForce.map(contentOf));
    const isDecided = wanted.every((content) => decided.has(content));
    const ageMs = isDecided ? AGES.podsWhileDecided : AGES.podsWhileUndecided;
    const now = this.#world.clock();
    const mayServe = this.#seen?.pools === wanted.join() && now - this.#seen.at < this.#ageOf(ageMs);
    if (!mayServe) {
      const pods = podsIn(pools, await this.#world.readPodAddresses());
      this.#seen = { pods, pools: wanted.join(), at: now, tookMs: this.#world.clock() - now };
    }
    return { pods: this.#seen?.pods ?? [], againMs: this.#ageOf(ageMs) };
  }

  #ageOf(ageMs: number): number {
    return Math.max(ageMs, PODS_COST * (this.#seen?.tookMs ?? 0));
  }

  async #secretFacts(): Promise<ReadonlyMap<string, SecretFact>> {
    const named = secretsNamedBy(this.#world.stores.bgpPeers.list(), this.#scope);
    const now = this.#world.clock();
    const seen = await Promise.all(
      named.map(async (secret) => {
        const key = `${secret.namespace}/${secret.name}`;
        const known = this.#secrets.get(key);
        if (known && now - known.at < mayBeMs(known.fact)) return [key, known] as const;
        return [key, { fact: await this.#world.readSecretFact(secret), at: now }] as const;
      }),
    );
    this.#secrets = new Map(seen);
    return new Map(seen.map(([key, { fact }]) => [key, fact]));
  }
}

const mayBeMs = (fact: SecretFact): number => (fact === 'Usable' ? AGES.usableSecret : AGES.unusableSecret);
const contentOf = ({ namespace, name, hash }: PoolSetEntry): string => `${namespace}/${name} ${hash}`;
