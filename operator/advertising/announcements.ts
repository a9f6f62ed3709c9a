/** Which addresses this node may have to answer for, decided as MetalLB does (speaker/layer2_controller.go), one Service at a time. */

import type { Reason } from '../../crds/reasons.ts';
import type { DesiredAnnouncements, L2Announcement, Refusal } from './announcement.ts';
import { Coverage, type CoveringAdvertisement } from './coverage.ts';
import type { AdvertisingConfig, AnnouncedService } from './snapshot.ts';

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
  const sharers = sharersOf(holders);
  const older = sharers[0];
  if (older && !sharers.some(({ key }) => key === service.key))
    return refuse(service, 'AddressInUse', `${address} is held by ${older.key}, which is older and does not share it`);
  const own = reachOf(service, address, coverage);
  if ('reason' in own) return own;
  // One owner per address: all who share it follow the oldest of them that can be announced at all.
  const lead = sharers.map((sharer) => reachOf(sharer, address, coverage)).find((reach) => !('reason' in reach)) ?? own;
  const { candidates, covering } = 'reason' in lead ? own : { ...own, candidates: lead.candidates };
  if (!candidates.includes(coverage.config.node)) return refuseHere(service, coverage, candidates);
  return {
    service: service.key,
    address,
    candidates,
    interfaces: interfacesOf(covering, coverage.config.node),
  };
}

/** Those of the holders that may hold it together: the oldest, and all who share with it and with each other. */
function sharersOf(holders: readonly AnnouncedService[]): readonly AnnouncedService[] {
  const sharers: AnnouncedService[] = [];
  for (const holder of holders.toSorted(byAgeThenKey)) {
    const { sharingKey } = holder;
    if (sharers.every((other) => sharingKey !== '' && other.sharingKey === sharingKey)) sharers.push(holder);
  }
  return sharers;
}

const byAgeThenKey = (a: AnnouncedService, b: AnnouncedService): number =>
  compareText(a.createdAt, b.createdAt) || compareText(a.key, b.key);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Where an address could be announced from; never without candidates. */
interface Reach {
  readonly candidates: readonly string[];
  readonly covering: readonly CoveringAdvertisement[];
}

function reachOf(service: AnnouncedService, address: string, coverage: Coverage): Reach | Refusal {
  const pool = coverage.poolOf(address);
  if (!pool) return refuse(service, 'NoPool', `${address} lies in no pool that is in force`);
  const covering = coverage.coveringOf(pool, service.labels);
  if (covering.length === 0)
    return refuse(service, 'NoAdvertisement', `no L2Advertisement covers pool ${pool.name} for this Service`);
  if (!isServed(service)) return refuse(service, 'NoEndpoints', 'no endpoint serves');
  const eligible = (node: string): boolean => covering.some(({ nodes }) => nodes.has(node));
  const able = coverage.orderFor(service.addresses[0] ?? address).filter(eligible);
  if (able.length === 0) return refuse(service, 'NoEligibleNode', 'labels, selectors or conditions exclude every node');
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

/** Why other nodes are candidates and this one is not. */
function refuseHere(service: AnnouncedService, coverage: Coverage, candidates: readonly string[]): Refusal {
  const name = coverage.config.node;
  const node = coverage.node(name);
  const others = `candidates: ${candidates.join(', ')}`;
  if (!node)
    return refuse(service, 'NodeNotSelected', `node ${name} is not known yet, or has no InternalIP; ${others}`);
  if (coverage.isExcluded(node))
    return refuse(service, 'NodeExcluded', `node ${name} is excluded by its label; ${others}`);
  if (node.isNetworkUnavailable)
    return refuse(service, 'NodeNetworkUnavailable', `node ${name} has no network yet; ${others}`);
  if (service.externalTrafficPolicy === 'Local' && !service.endpoints.nodes.has(name))
    return refuse(service, 'NoLocalEndpoints', `node ${name} has no endpoint that serves; ${others}`);
  return refuse(service, 'NodeNotSelected', `no L2Advertisement selects node ${name}; ${others}`);
}

/** Of the advertisements that select this node: one without interfaces means all, else what they name together. */
function interfacesOf(covering: readonly CoveringAdvertisement[], node: string): readonly string[] | 'all' {
  const here = covering.filter(({ nodes }) => nodes.has(node)).map(({ advertisement }) => advertisement.interfaces);
  // A sharer may be led to a node that none of its own advertisements selects.
  if (here.length === 0 || here.some((names) => names.length === 0)) return 'all';
  return [...new Set(here.flat())].toSorted();
}

const refuse = (service: AnnouncedService, reason: Reason, message: string): Refusal => ({
  service: service.key,
  reason,
  message,
});
