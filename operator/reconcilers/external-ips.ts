/**
 * Decides which external IPs speakers announce: grants them in the PoolSet, and keeps them from everybody else.
 *
 *   Service, pool, node or address changed -> decideExternalIps -> allocator told -> PoolSet written -> Services told
 */

import { POOL_SET_NAME, type PoolSet } from '../../crds/pool-set.ts';
import { externalIpClaimOf } from '../advertising/announced-service.ts';
import {
  decideExternalIps,
  type ExternalIpClaim,
  type ExternalIpDecision,
  type ExternalIpGrant,
  type ExternalIpVerdict,
} from '../advertising/external-ips.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { keyOf, splitKey } from '../cluster/objects.ts';
import { isSame } from '../cluster/status-writer.ts';
import { ClusterRanges } from '../config/cluster-ranges.ts';
import { formatIp, parseIp } from '../net/address.ts';
import type { AddressBook } from './address-book.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { Scope, World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };

export class ExternalIps implements Reconciler {
  readonly name = 'external-ips';
  readonly #world: World;
  readonly #book: AddressBook;
  readonly #keeper: ConfigKeeper;
  readonly #scope: Scope;
  readonly #told: (keys: Iterable<string>) => void;
  /** By key of the Service. */
  readonly #claims = new Map<string, ExternalIpClaim>();
  #verdicts: ReadonlyMap<string, ExternalIpVerdict> = new Map();
  /** The newest PoolSet that we know to be stored. */
  #stored: PoolSet | undefined;
  #isDecided = false;

  /** @param told Services of which there is something else to say */
  constructor(
    world: World,
    book: AddressBook,
    keeper: ConfigKeeper,
    scope: Scope,
    told: (keys: Iterable<string>) => void,
  ) {
    this.#world = world;
    this.#book = book;
    this.#keeper = keeper;
    this.#scope = scope;
    this.#told = told;
    const { services, externalServices } = world.stores;
    for (const service of [...services.list(), ...externalServices.list()]) this.serviceChanged(keyOf(service));
  }

  /** Whether there is, or was a moment ago, anything to decide about; at first nobody knows. */
  get isConcerned(): boolean {
    return !this.isDecided || this.#claims.size > 0 || this.#verdicts.size > 0 || this.#grants().length > 0;
  }

  /** Whether verdicts are those of this term. */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  verdictOf(key: string): ExternalIpVerdict | undefined {
    return this.#verdicts.get(key);
  }

  /** A Service came, changed or went. */
  serviceChanged(key: string): void {
    const { services, externalServices } = this.#world.stores;
    const service = services.get(key) ?? externalServices.get(key);
    const claim = service && externalIpClaimOf(service, this.#scope.lbClass);
    if (claim) this.#claims.set(key, claim);
    else this.#claims.delete(key);
  }

  async reconcile(): Promise<Outcome> {
    if (!this.#keeper.isLoaded || !this.isConcerned) return DONE;
    const before = this.#grants();
    const { grants, verdicts } = this.#decide(before);
    // Nobody gets an address between here and the moment when its announcement is stored.
    this.#book.reserve(grants);
    if (!isSame(before, grants)) this.#stored = await this.#world.storeExternalIps(grants);
    const former = this.#verdicts;
    this.#verdicts = verdicts;
    this.#isDecided = true;
    const keys = new Set([...former.keys(), ...verdicts.keys()]);
    this.#told([...keys].filter((key) => !isSame(former.get(key), verdicts.get(key))));
    return DONE;
  }

  #decide(before: readonly ExternalIpGrant[]): ExternalIpDecision {
    const { pools, reservations } = this.#keeper.config;
    const { nodes, serviceCidrs } = this.#world.stores;
    const surroundings = { nodes: nodes.list(), serviceRanges: serviceCidrs.list(), podAddresses: [] };
    const cluster = new ClusterRanges(surroundings);
    const shown = this.#shownBy();
    return decideExternalIps([...this.#claims.values()], {
      pools,
      before,
      clusterUseOf: (address) => cluster.useOf(address),
      holdersOf: (address) => {
        const holder = this.#book.holderOf(address);
        return [...(shown.get(formatIp(address)) ?? []), ...(holder === undefined ? [] : [holder])];
      },
      keptFor: (address, claim) => {
        const applicant = { ...claim, name: splitKey(claim.key).name };
        return reservations.find(({ addresses, isFor }) => addresses.has(address) && !isFor(applicant))?.key;
      },
    });
  }

  /** Of what is claimed, the addresses in the status of load balancers, of whatever class. */
  #shownBy(): ReadonlyMap<string, readonly string[]> {
    const claimed = new Set([...this.#claims.values()].flatMap(({ addresses }) => addresses.map(formatIp)));
    const shown = new Map<string, readonly string[]>();
    if (claimed.size === 0) return shown;
    for (const service of this.#world.stores.services.list())
      for (const { ip = '' } of service.status?.loadBalancer?.ingress ?? []) {
        const text = canonical(ip);
        if (claimed.has(text)) shown.set(text, [...(shown.get(text) ?? []), keyOf(service)]);
      }
    return shown;
  }

  /** What is stored: by our own last write, or what somebody else did to it since. */
  #grants(): readonly ExternalIpGrant[] {
    const seen = this.#world.stores.poolSets.get(`${this.#scope.ownNamespace}/${POOL_SET_NAME}`);
    if (seen && revisionOf(seen) > revisionOf(this.#stored)) this.#stored = seen;
    return this.#stored?.externalIPs ?? [];
  }
}

const revisionOf = (object: PoolSet | undefined): number => Number(object?.metadata.resourceVersion ?? -1);

/** IPv4 has one spelling; there may be ten thousand of them. */
function canonical(text: string): string {
  const address = text.includes(':') ? parseIp(text) : undefined;
  return address ? formatIp(address) : text;
}
