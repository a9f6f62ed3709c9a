/** One node as its report shows it, beside what is expected of it: where both agree, the report proves what is announced. */

import type { NodeAnnouncement, ReportBucket, ReportException } from '../../crds/node-announcement.ts';
import { REPORT_BUCKETS } from '../../crds/node-announcement.ts';
import type { ExpectedOwner, ExpectedView } from './expected-view.ts';
import { BucketDigests, bucketOf } from './report-digest.ts';

export class ReportingNode {
  readonly name: string;
  /** Whether the Lease of the node is renewed. */
  isFresh = true;
  /** The view in which the node computes; undefined without a report. */
  view: ExpectedView | undefined;
  #report: NodeAnnouncement | undefined;
  #reported: ReadonlyMap<number, ReportBucket> = new Map();
  #exceptions: ReadonlyMap<string, ReportException> = new Map();
  /** Names of the interfaces whose link is up. */
  #interfaces: ReadonlySet<string> = new Set();
  #expected = new BucketDigests();
  /** What is expected to be announced, as 'namespace/name address'. */
  #inForce = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  get report(): NodeAnnouncement | undefined {
    return this.#report;
  }

  /** Ascends with every write of a report. */
  get revision(): number {
    return Number(this.#report?.metadata.resourceVersion ?? 0);
  }

  /** Takes a report in. @returns the buckets of which it may say something else than before */
  setReport(report: NodeAnnouncement | undefined, view: ExpectedView | undefined): ReadonlySet<number> {
    const [before, matched] = [this.#reported, this.#matches()];
    const exceptions = new Map((report?.exceptions ?? []).map((each) => [idOf(each), each]));
    const named = [...this.#exceptions.values(), ...exceptions.values()].map(({ service }) => bucketOf(service));
    this.#report = report;
    this.#reported = new Map((report?.buckets ?? []).map((bucket) => [bucket.bucket, bucket]));
    this.#exceptions = exceptions;
    this.#interfaces = new Set((report?.inputs.interfaces ?? []).filter(({ carrier }) => carrier).map(nameOf));
    this.view = view;
    this.#expectAnew();
    const changed = this.#matches().flatMap((matches, bucket) => {
      const isSame = matches === matched[bucket] && before.get(bucket)?.digest === this.#reported.get(bucket)?.digest;
      return isSame ? [] : [bucket];
    });
    return new Set([...changed, ...named]);
  }

  /** Takes in who owned and who owns addresses of one Service in the view of this node. @returns whether `bucket` matches only now */
  changeExpected(bucket: number, before: readonly ExpectedOwner[], after: readonly ExpectedOwner[]): boolean {
    const matched = this.matches(bucket);
    for (const owner of before)
      if (this.#inForce.delete(idOf(owner))) this.#expected.remove(owner.service, owner.address);
    for (const owner of after) this.#expect(owner);
    return !matched && this.matches(bucket);
  }

  /** Whether the report says of a bucket what is expected. */
  matches(bucket: number): boolean {
    return this.#report !== undefined && this.#expected.isSame(bucket, this.#reported.get(bucket));
  }

  /** Whether the node is expected to announce an address of a Service. */
  isExpected(service: string, address: string): boolean {
    return this.#inForce.has(idOf({ service, address }));
  }

  /** Why the node does not announce an address that it owns. */
  exceptionOf(service: string, address: string): ReportException | undefined {
    return this.#exceptions.get(idOf({ service, address }));
  }

  #matches(): boolean[] {
    return Array.from({ length: REPORT_BUCKETS }, (_, bucket) => this.matches(bucket));
  }

  /** Another view, other interfaces or other exceptions: all that the node owns is looked at, which is its share. */
  #expectAnew(): void {
    this.#expected = new BucketDigests();
    this.#inForce = new Set();
    for (const owner of this.view?.ownedBy(this.name) ?? []) this.#expect(owner);
  }

  #expect(owner: ExpectedOwner): void {
    if (owner.node !== this.name || !this.#canAnswer(owner) || this.#inForce.has(idOf(owner))) return;
    this.#inForce.add(idOf(owner));
    this.#expected.add(owner.service, owner.address);
  }

  /** More exceptions than a report names follow from its interfaces. */
  #canAnswer(owner: ExpectedOwner): boolean {
    if (this.#exceptions.has(idOf(owner))) return false;
    const { interfaces } = owner;
    return interfaces === 'all' ? this.#interfaces.size > 0 : interfaces.some((name) => this.#interfaces.has(name));
  }
}

const idOf = ({ service, address }: { readonly service: string; readonly address: string }): string =>
  `${service} ${address}`;
const nameOf = ({ name }: { readonly name: string }): string => name;
