/** Which addresses this node may have to answer for, decided as MetalLB does (speaker/layer2_controller.go), one Service at a time. */

import { labels } from '../../crds/annotations.ts';
import type { Reason } from '../../crds/reasons.ts';
import { sharingConflict } from '../config/sharing.ts';
import { parseIp } from '../net/address.ts';
import type { DesiredAnnouncements, L2Announcement, Refusal } from './announcement.ts';
import { Coverage, type CoveringAdvertisement } from './coverage.ts';
import type { AdvertisingConfig, AnnouncedService, PoolInForce } from './snapshot.ts';

/** The Services that hold an address, in any order, the asking one included. */
export type HoldersOf = (address: string) => readonly AnnouncedService[];

/** Decides about all Services: the specification of what `announcementsOf` gives one by one. */
export function desiredAnnouncements(
  config: AdvertisingConfig,
  services: readonly AnnouncedService[],
): DesiredAnnouncements {
  const coverage = new Coverage(config);
  const holders = new Map<string, AnnouncedService[]>();
  for (const service of services)
    for (const address of service.addresses) holders.set(address, [...(holders.get(address) ?? []), service]);
  const holdersOf: HoldersOf = (address) => holders.get(address) ?? [];
  const parts = services.map((service) => announcementsOf(service, coverage, holdersOf));
  return { l2: parts.flatMap(({ l2 }) => l2), refusals: parts.flatMap(({ refusals }) => refusals) };
}

/**
 * Decides about one Service. Pure; the cost does not depend on how many other Services there are.
 *
 * A change of a Service concerns also those that hold one of its addresses: decide about them again.
 */
export function announcementsOf(
  service: AnnouncedService,
  coverage: Coverage,
  holdersOf: HoldersOf,
): DesiredAnnouncements {
  const l2: L2Announcement[] = [];
  const refusals: Refusal[] = [];
  for (const address of service.addresses) {
    const decided = decide(service, address, coverage, holdersOf(address));
    if ('reason' in decided) refusals.push(decided);
    else l2.push(decided);
  }
  return { l2, refusals };
}

function decide(
  service: AnnouncedService,
  address: string,
  coverage: Coverage,
  holders: readonly AnnouncedService[],
): L2Announcement | Refusal {
  const claim = claimOf(service, address, coverage, holders);
  if ('reason' in claim) return claim;
  const { candidates } = claim;
  const { node } = coverage.config;
  if (!candidates.includes(node)) return { ...refuseHere(service, coverage, claim), elsewhere: address };
  return { service: service.key, address, candidates, interfaces: interfacesOf(claim, node) };
}

/** From where an address could be announced; never without candidates. */
export interface Claim {
  /** Best first. */
  readonly candidates: readonly string[];
  readonly covering: readonly CoveringAdvertisement[];
  /** Of the Service that the others who share the address follow; missing where it is this one. */
  readonly leading?: readonly CoveringAdvertisement[];
}

/** The part of a decision that is alike on every node: who may own `address` of `service`, or why nobody may. */
export function claimOf(
  service: AnnouncedService,
  address: string,
  coverage: Coverage,
  holders: readonly AnnouncedService[],
): Claim | Refusal {
  const pool = coverage.poolOf(address);
  const sharers = sharersOf(holders, address, pool);
  if (holders.length > 0 && !sharers.some(({ key }) => key === service.key))
    return inUse(service, address, sharers, pool);
  const own = reachOf(service, address, coverage, pool);
  if ('reason' in own) return own;
  // One owner per address: all who share it follow the oldest of them that can be announced at all.
  for (const sharer of sharers) {
    if (sharer.key === service.key) return own;
    const lead = reachOf(sharer, address, coverage, pool);
    if (!('reason' in lead)) return { ...own, candidates: lead.candidates, leading: lead.covering };
  }
  return own;
}

/** Those of the holders that may hold it together: the first in right, and all who share with it and with each other. */
function sharersOf(
  holders: readonly AnnouncedService[],
  address: string,
  pool: PoolInForce | undefined,
): readonly AnnouncedService[] {
  const sharers: AnnouncedService[] = [];
  const isHeld = (holder: AnnouncedService): boolean => holder.addresses.indexOf(address) < holder.held;
  const byRight = (a: AnnouncedService, b: AnnouncedService): number => Number(isHeld(b)) - Number(isHeld(a));
  for (const holder of holders.toSorted((a, b) => byRight(a, b) || byAgeThenKey(a, b))) {
    // Whoever was given an address shares it with nobody who merely names it.
    const mayShare = (other: AnnouncedService): boolean =>
      isHeld(other) === isHeld(holder) && !sharingConflict(holder, other, pool ?? {});
    if (sharers.every(mayShare)) sharers.push(holder);
  }
  return sharers;
}

const byAgeThenKey = (a: AnnouncedService, b: AnnouncedService): number =>
  compareText(a.createdAt, b.createdAt) || compareText(a.key, b.key);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function inUse(
  service: AnnouncedService,
  address: string,
  sharers: readonly AnnouncedService[],
  pool: PoolInForce | undefined,
): Refusal {
  const why = sharers.flatMap((sharer) => sharingConflict(service, sharer, pool ?? {})?.message ?? [])[0];
  const holder = sharers[0]?.key ?? '';
  return refuse(service, 'AddressInUse', `${address} is held by ${holder}, which comes first${why ? `: ${why}` : ''}`);
}

/**
 * The address whose hash elects the owner, MetalLB's way: the first one, so that both families go to one node. A second
 * address of a family begins another set, which finds an owner of its own; MetalLB knows no such Services.
 */
function electingAddress({ addresses, held }: AnnouncedService, address: string): string {
  const at = addresses.indexOf(address);
  let elects = address;
  let families = new Set<number>();
  // What was given and what is merely named are apart.
  for (const each of at < held ? addresses.slice(0, held) : addresses.slice(held)) {
    const family = parseIp(each)?.family ?? 0;
    if (families.size === 0 || families.has(family)) {
      elects = each;
      families = new Set();
    }
    families.add(family);
    if (each === address) break;
  }
  return elects;
}

function reachOf(
  service: AnnouncedService,
  address: string,
  coverage: Coverage,
  pool: PoolInForce | undefined,
): Claim | Refusal {
  if (!pool) return refuse(service, 'NoPool', `${address} lies in no pool that is in force`);
  const covering = coverage.coveringOf(pool, service.labels);
  if (covering.length === 0)
    return refuse(service, 'NoAdvertisement', `no L2Advertisement covers pool ${pool.name} for this Service`);
  if (!isServed(service)) return refuse(service, 'NoEndpoints', 'no endpoint serves');
  const eligible = (node: string): boolean => covering.some(({ nodes }) => nodes.has(node));
  const able = coverage.orderFor(electingAddress(service, address)).filter(eligible);
  if (able.length === 0) return refuseEverywhere(service, coverage);
  if (service.externalTrafficPolicy === 'Cluster') return { candidates: able, covering };
  const candidates = able.filter((node) => service.endpoints.nodes.has(node));
  if (candidates.length > 0) return { candidates, covering };
  return refuse(
    service,
    'NoLocalEndpoints',
    'externalTrafficPolicy is Local and no eligible node has an endpoint that serves',
  );
}

/** Who keeps the endpoints of a Service without selector may keep none: traffic to any node is then meant. */
const isServed = ({ endpoints, hasSelector, externalTrafficPolicy }: AnnouncedService): boolean =>
  endpoints.anywhere || (!hasSelector && externalTrafficPolicy === 'Cluster');

/** Why no node is a candidate: one word where the same keeps all of them out. */
function refuseEverywhere(service: AnnouncedService, coverage: Coverage): Refusal {
  const { nodes } = coverage.config;
  if (nodes.length > 0 && nodes.every((node) => coverage.isExcluded(node)))
    return refuse(service, 'NodeExcluded', `every node has the label ${labels.excludeFromExternalLoadBalancers}`);
  if (nodes.length > 0 && nodes.every(({ isNetworkUnavailable }) => isNetworkUnavailable))
    return refuse(service, 'NodeNetworkUnavailable', 'no node has its network yet');
  return refuse(service, 'NoEligibleNode', 'labels, selectors or conditions exclude every node');
}

/** Why other nodes are candidates and this one is not. */
function refuseHere(service: AnnouncedService, coverage: Coverage, { candidates, covering }: Claim): Refusal {
  const name = coverage.config.node;
  const refusal = nodeRefusal(service, coverage, covering, name) ?? notSelected(name);
  return refuse(service, refusal.reason, `${refusal.message}; candidates: ${candidates.join(', ')}`);
}

/** Why a node may not announce a Service, whatever other nodes may; undefined where it may. */
export function nodeRefusal(
  service: AnnouncedService,
  coverage: Coverage,
  covering: readonly CoveringAdvertisement[],
  name: string,
): Pick<Refusal, 'reason' | 'message'> | undefined {
  const node = coverage.node(name);
  if (!node) return { reason: 'NodeNotSelected', message: `node ${name} is not known yet, or has no InternalIP` };
  if (coverage.isExcluded(node)) return { reason: 'NodeExcluded', message: `node ${name} is excluded by its label` };
  if (node.isNetworkUnavailable)
    return { reason: 'NodeNetworkUnavailable', message: `node ${name} has no network yet` };
  if (service.externalTrafficPolicy === 'Local' && !service.endpoints.nodes.has(name))
    return { reason: 'NoLocalEndpoints', message: `node ${name} has no endpoint that serves` };
  return covering.some(({ nodes }) => nodes.has(name)) ? undefined : notSelected(name);
}

const notSelected = (name: string): Pick<Refusal, 'reason' | 'message'> => ({
  reason: 'NodeNotSelected',
  message: `no L2Advertisement selects node ${name}`,
});

/**
 * Of the advertisements that select this node: one without interfaces means all, else what they name together. A sharer
 * may be led to a node that none of its own advertisements selects: then those of who leads it count.
 */
export function interfacesOf(
  { covering, leading = [] }: Omit<Claim, 'candidates'>,
  node: string,
): readonly string[] | 'all' {
  const selecting = (all: readonly CoveringAdvertisement[]) => all.filter(({ nodes }) => nodes.has(node));
  const own = selecting(covering);
  const here = (own.length > 0 ? own : selecting(leading)).map(({ advertisement }) => advertisement.interfaces);
  if (here.length === 0 || here.some((names) => names.length === 0)) return 'all';
  return [...new Set(here.flat())].toSorted();
}

const refuse = (service: AnnouncedService, reason: Reason, message: string): Refusal => ({
  service: service.key,
  reason,
  message,
});
