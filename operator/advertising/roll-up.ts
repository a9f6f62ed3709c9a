/**
 * What the reports of all nodes together say about each Service.
 *
 * A report has digests, no names. From its inputs the same result is computed here as on the node (`ExpectedView`);
 * where the digest of a bucket agrees, every Service of the bucket is announced by that node just as computed. Where it
 * does not, one of both has not seen yet what the other has: then nothing is said, and what was said before stays.
 */

import type { NodeAnnouncement } from '../../crds/node-announcement.ts';
import type { ReasonOf } from '../../crds/reasons.ts';
import { claimOf } from './announcements.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { Coverage } from './coverage.ts';
import { type AddressClaim, type ExpectedOwner, ExpectedView, viewKeyOf } from './expected-view.ts';
import { type Prospect, prospectOf } from './prospect.ts';
import { bucketOf } from './report-digest.ts';
import { ReportingNode } from './reporting-node.ts';
import { ServiceTable } from './service-table.ts';
import type { AnnouncedService } from './snapshot.ts';

export interface Announcer {
  readonly node: string;
  readonly address: string;
}

export type RollUpOutcome =
  /** Every address is announced; one announcer for each, in order of the addresses. */
  | { readonly state: 'Announced'; readonly announcers: readonly Announcer[] }
  /** Some address is not: the first such one says why. */
  | {
      readonly state: 'NotAnnounced' | 'Unknown';
      readonly reason: ReasonOf<'heraldlb.io/Announced'>;
      readonly message: string;
      readonly announcers: readonly Announcer[];
    }
  /** The reports do not say it yet. */
  | { readonly state: 'Pending'; readonly message: string };

/** What nodes with equal --ignore-exclude-lb decide alike. */
interface Decisions {
  coverage: Coverage;
  readonly claims: Map<string, readonly AddressClaim[]>;
}

const NO_REPORT = 'no living speaker reports what it announces';

export class RollUp {
  readonly #services = new ServiceTable();
  readonly #byBucket = new Map<number, Set<string>>();
  /** By `ignoresExcludeLabel`; normally one. */
  readonly #decisions = new Map<boolean, Decisions>();
  /** By key; normally one, two while nodes learn of a lost or a new one. */
  readonly #views = new Map<string, ExpectedView>();
  readonly #nodes = new Map<string, ReportingNode>();
  /** With sticky ownership: by node, the addresses that it keeps. */
  readonly #keeps = new Map<string, ReadonlySet<string>>();
  readonly #concerned = new Set<string>();
  #config: ClusterConfig;
  #leading: ExpectedView | undefined;

  constructor(config: ClusterConfig) {
    this.#config = config;
  }

  setConfig(config: ClusterConfig): void {
    this.#config = config;
    for (const [ignores, decisions] of this.#decisions) decisions.coverage = this.#coverage(ignores);
    this.#services.touchAll();
  }

  /** Replaces one Service; undefined when it is gone, is not ours, or holds no address. */
  setService(key: string, service: AnnouncedService | undefined): void {
    this.#services.set(key, service);
    const bucket = bucketOf(key);
    const keys = this.#byBucket.get(bucket) ?? new Set();
    if (service) this.#byBucket.set(bucket, keys.add(key));
    else keys.delete(key);
  }

  /** Takes in what a node reports; undefined: it reports no more. */
  setReport(name: string, report: NodeAnnouncement | undefined): void {
    const node = this.#nodes.get(name) ?? new ReportingNode(name);
    this.#nodes.set(name, node);
    this.#setKeeps(name, new Set(report?.inputs.keeps));
    const view = report && this.#viewOf(report);
    for (const bucket of node.setReport(report, view)) this.#concernBucket(bucket);
    if (!report) this.#nodes.delete(name);
    this.#dropUnusedViews();
    this.#lead();
  }

  /** What a node keeps is decided anew in every view. */
  #setKeeps(name: string, keeps: ReadonlySet<string>): void {
    const before: ReadonlySet<string> = this.#keeps.get(name) ?? new Set();
    if (keeps.size === 0) this.#keeps.delete(name);
    else this.#keeps.set(name, keeps);
    const changed = [...keeps].filter((address) => !before.has(address));
    for (const address of [...changed, ...[...before].filter((address) => !keeps.has(address))])
      this.#services.touchHoldersOf(address);
  }

  /** How many Services hold addresses. */
  get size(): number {
    return this.#services.size;
  }

  /** What a Service holds or may have announced, canonical texts. */
  addressesOf(key: string): readonly string[] {
    return this.#services.get(key)?.addresses ?? [];
  }

  /** Whether the Lease of a node is renewed; a report counts only while it is. */
  setFresh(name: string, isFresh: boolean): void {
    const node = this.#nodes.get(name);
    if (!node || node.isFresh === isFresh) return;
    node.isFresh = isFresh;
    this.#concernAll();
    this.#lead();
  }

  /** The Services whose outcome may be another than before, those that are gone included. Settles what is left. */
  take(): ReadonlySet<string> {
    this.settle();
    const keys = new Set(this.#concerned);
    this.#concerned.clear();
    return keys;
  }

  /** As of what was settled. Undefined for a Service that is none of ours or holds no address. */
  outcomeOf(key: string): RollUpOutcome | undefined {
    const service = this.#services.get(key);
    if (!service) return undefined;
    const counted = this.#counted();
    const announcers = service.addresses.flatMap((address) => this.#announcerOf(key, address, counted));
    const missing = service.addresses.find((address) => !announcers.some((each) => each.address === address));
    if (missing === undefined) return { state: 'Announced', announcers };
    return this.#whyNot(key, missing, counted, announcers);
  }

  /** The node that would own an address if the Service had it, as most nodes would decide now. */
  prospectOf(service: AnnouncedService, address: string): Prospect {
    const leading = this.#leading;
    const decisions = leading && this.#decisions.get(leading.ignoresExcludeLabel);
    if (!decisions) return { node: undefined, reason: 'NoReport', message: NO_REPORT };
    return prospectOf(service, address, decisions.coverage, (node) => leading.alive.has(node));
  }

  #whyNot(
    key: string,
    address: string,
    counted: readonly ReportingNode[],
    announcers: readonly Announcer[],
  ): RollUpOutcome {
    const leading = this.#leading;
    if (!leading || counted.length === 0)
      return {
        state: 'Unknown',
        reason: 'NoReport',
        message: NO_REPORT,
        announcers,
      };
    const bucket = bucketOf(key);
    const behind = counted.filter((node) => !node.matches(bucket)).map(({ name }) => name);
    if (behind.length > 0) return { state: 'Pending', message: `${behind.join(', ')} reported another state` };
    const no = (reason: ReasonOf<'heraldlb.io/Announced'>, message: string): RollUpOutcome => ({
      state: 'NotAnnounced',
      reason,
      message: `${address}: ${message}`,
      announcers,
    });
    const claim = this.#claimOf(leading, key, address);
    if (!claim) return { state: 'Pending', message: 'it was not looked at yet' };
    if ('reason' in claim) return no(claim.reason as ReasonOf<'heraldlb.io/Announced'>, claim.message);
    const owner = leading.ownersOf(key).find((each) => each.address === address);
    if (!owner) return no('NoSpeaker', `no speaker is alive on ${claim.candidates.join(', ')}`);
    const exception = this.#nodes.get(owner.node)?.exceptionOf(key, address);
    if (exception) return no('NoInterface', `${exception.message} (${owner.node})`);
    if (this.#nodes.has(owner.node) && !this.#nodes.get(owner.node)?.isExpected(key, address))
      return no('NoInterface', `none of the interfaces of its advertisements can announce on node ${owner.node}`);
    return { state: 'Pending', message: `${owner.node} has not reported yet` };
  }

  #claimOf({ ignoresExcludeLabel }: ExpectedView, key: string, address: string): AddressClaim['claim'] | undefined {
    const claims = this.#decisions.get(ignoresExcludeLabel)?.claims.get(key) ?? [];
    return claims.find((each) => each.address === address)?.claim;
  }

  /** While nodes disagree about who is alive, two may announce: the view that leads names one. */
  #announcerOf(key: string, address: string, counted: readonly ReportingNode[]): readonly Announcer[] {
    const bucket = bucketOf(key);
    const announcing = counted.filter((node) => node.isExpected(key, address) && node.matches(bucket));
    const best = announcing.find(({ view }) => view === this.#leading) ?? announcing[0];
    return best ? [{ node: best.name, address }] : [];
  }

  /** Nodes whose reports count: their Lease is renewed, and most others see them alive. */
  #counted(): readonly ReportingNode[] {
    return [...this.#nodes.values()].filter((node) => node.isFresh && this.#leading?.alive.has(node.name));
  }

  /** The view that most nodes share; of two, the one that was reported last: who died reports no more. */
  #lead(): void {
    const votes = new Map<ExpectedView, { count: number; newest: number }>();
    for (const { view, isFresh, revision } of this.#nodes.values()) {
      if (!view || !isFresh) continue;
      const { count, newest } = votes.get(view) ?? { count: 0, newest: 0 };
      votes.set(view, { count: count + 1, newest: Math.max(newest, revision) });
    }
    const [first] = [...votes].toSorted(([, a], [, b]) => b.count - a.count || b.newest - a.newest);
    if (first?.[0] === this.#leading) return;
    this.#leading = first?.[0];
    this.#concernAll();
  }

  /**
   * Decides again about up to `limit` Services that a change concerns, in every view.
   *
   * @returns whether there are more: after a change of the configuration all are concerned, which takes a while
   */
  settle(limit?: number): boolean {
    for (const key of this.#services.takeDirty(limit)) {
      this.#concerned.add(key);
      for (const [ignores, decisions] of this.#decisions) this.#decideIn(ignores, decisions, key);
    }
    return this.#services.isDirty;
  }

  #decideIn(ignores: boolean, { coverage, claims }: Decisions, key: string): void {
    const decided = this.#decide(key, coverage);
    if (decided.length === 0) claims.delete(key);
    else claims.set(key, decided);
    for (const view of this.#views.values())
      if (view.ignoresExcludeLabel === ignores) this.#tellNodes(view, key, view.set(key, decided));
  }

  #tellNodes(
    view: ExpectedView,
    key: string,
    [before, after]: readonly [readonly ExpectedOwner[], readonly ExpectedOwner[]],
  ): void {
    const bucket = bucketOf(key);
    for (const name of new Set([...before, ...after].map(({ node }) => node))) {
      const node = this.#nodes.get(name);
      if (node?.view === view && node.changeExpected(bucket, before, after)) this.#concernBucket(bucket);
    }
  }

  #decide(key: string, coverage: Coverage): readonly AddressClaim[] {
    const service = this.#services.get(key);
    return (service?.addresses ?? []).map((address) => ({
      address,
      claim: claimOf(service as AnnouncedService, address, coverage, this.#services.holdersOf(address)),
    }));
  }

  #viewOf({ inputs }: NodeAnnouncement): ExpectedView {
    const known = this.#views.get(viewKeyOf(inputs));
    if (known) return known;
    const view = new ExpectedView(inputs, (node, address) => this.#keeps.get(node)?.has(address) === true);
    this.#views.set(view.key, view);
    for (const [key, claims] of this.#decisionsFor(inputs.ignoresExcludeLabel).claims) view.set(key, claims);
    return view;
  }

  #decisionsFor(ignores: boolean): Decisions {
    const known = this.#decisions.get(ignores);
    if (known) return known;
    const decisions: Decisions = { coverage: this.#coverage(ignores), claims: new Map() };
    this.#decisions.set(ignores, decisions);
    this.#services.touchAll();
    return decisions;
  }

  #coverage(ignoresExcludeLabel: boolean): Coverage {
    return new Coverage({ ...this.#config, node: '', ignoresExcludeLabel });
  }

  #dropUnusedViews(): void {
    const used = new Set([...this.#nodes.values()].map(({ view }) => view));
    for (const [key, view] of this.#views) if (!used.has(view)) this.#views.delete(key);
    const flags = new Set([...this.#views.values()].map(({ ignoresExcludeLabel }) => ignoresExcludeLabel));
    for (const flag of this.#decisions.keys()) if (!flags.has(flag)) this.#decisions.delete(flag);
  }

  #concernBucket(bucket: number): void {
    for (const key of this.#byBucket.get(bucket) ?? []) this.#concerned.add(key);
  }

  #concernAll(): void {
    for (const key of this.#services.keys()) this.#concerned.add(key);
  }
}
