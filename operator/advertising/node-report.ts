/** What a speaker reports about its node, kept up to date change by change. */

import {
  MAX_EXCEPTIONS,
  type NodeAnnouncement,
  type NodeReason,
  type ProbeResult,
  REPORT_BUCKETS,
  type ReportBucket,
  type ReportException,
  type ReportInputs,
  type ReportResponder,
} from '../../crds/node-announcement.ts';
import type { Reason } from '../../crds/reasons.ts';
import { BucketDigests, bucketOf } from './report-digest.ts';

/** An address that the node owns. */
export interface OwnedHere {
  /** 'namespace/name' */
  readonly service: string;
  readonly address: string;
  /** Where it is answered now; empty when nowhere. */
  readonly interfaces: readonly string[];
}

/** A NodeAnnouncement without its name. */
export type ReportContent = Omit<NodeAnnouncement, 'apiVersion' | 'kind' | 'metadata'>;

const UNANSWERED: Reason = 'NoInterface';

export class NodeReport {
  readonly #digests = new BucketDigests();
  /** Whether each owned address is answered, by 'namespace/name address'. */
  #owned: ReadonlyMap<string, OwnedHere> = new Map();
  readonly #versions = new Float64Array(REPORT_BUCKETS);
  #inputs: ReportInputs;
  #reasons: readonly NodeReason[] = [];
  #probes: readonly ProbeResult[] = [];
  #responder: ReportResponder | undefined;

  constructor(inputs: ReportInputs) {
    this.#inputs = inputs;
  }

  get inputs(): ReportInputs {
    return this.#inputs;
  }

  setInputs(inputs: ReportInputs): void {
    this.#inputs = inputs;
  }

  setReasons(reasons: readonly NodeReason[]): void {
    this.#reasons = reasons;
  }

  setResponder(responder: ReportResponder): void {
    this.#responder = responder;
  }

  /** The answers to the AddressProbes that are there; at rest there is none. */
  setProbes(probes: readonly ProbeResult[]): void {
    this.#probes = probes;
  }

  /** Takes the whole set in; only what changed is hashed. */
  setOwned(owned: readonly OwnedHere[]): void {
    const next = new Map(owned.map((each) => [`${each.service} ${each.address}`, each]));
    for (const [id, each] of this.#owned)
      if (isAnswered(each) && !isAnswered(next.get(id))) this.#digests.remove(each.service, each.address);
    for (const [id, each] of next)
      if (isAnswered(each) && !isAnswered(this.#owned.get(id))) this.#digests.add(each.service, each.address);
    this.#owned = next;
  }

  /** A Service was seen at this resourceVersion. */
  sawService(key: string, resourceVersion: string | undefined): void {
    const bucket = bucketOf(key);
    this.#versions[bucket] = Math.max(this.#versions[bucket] ?? 0, Number(resourceVersion ?? 0));
  }

  content(): ReportContent {
    const exceptions = [...this.#owned.values()].filter((each) => !isAnswered(each)).toSorted(byServiceThenAddress);
    return {
      // One that several Services share counts once.
      announced: new Set([...this.#owned.values()].filter(isAnswered).map(({ address }) => address)).size,
      inputs: this.#inputs,
      reasons: this.#reasons,
      buckets: this.#buckets(),
      exceptions: exceptions.slice(0, MAX_EXCEPTIONS).map(exceptionOf),
      exceptionCount: exceptions.length,
      ...(this.#responder && { responder: this.#responder }),
      ...(this.#probes.length > 0 && { probes: this.#probes }),
    };
  }

  #buckets(): readonly ReportBucket[] {
    return Array.from({ length: REPORT_BUCKETS }, (_, bucket) => ({
      bucket,
      digest: this.#digests.digest(bucket),
      count: this.#digests.count(bucket),
      resourceVersion: String(this.#versions[bucket]),
    })).filter(({ count, resourceVersion }) => count > 0 || resourceVersion !== '0');
  }
}

/**
 * What makes two reports worth a write. The versions alone do not: every change of any Service, our own writes of its
 * status included, would then be a write of every node.
 */
export function reportSignature(content: ReportContent): string {
  const { inputs, reasons, buckets, exceptions, exceptionCount, responder, probes = [] } = content;
  const digests = buckets.filter(({ count }) => count > 0).map(({ bucket, digest }) => `${bucket} ${digest}`);
  return JSON.stringify([inputs, reasons, digests, exceptions, exceptionCount, responder, probes]);
}

const isAnswered = (owned: OwnedHere | undefined): boolean => (owned?.interfaces.length ?? 0) > 0;

const exceptionOf = ({ service, address }: OwnedHere): ReportException => ({
  service,
  address,
  reason: UNANSWERED,
  message: 'none of the interfaces of its advertisements can announce on this node',
});

const byServiceThenAddress = (a: OwnedHere, b: OwnedHere): number =>
  a.service === b.service ? compareText(a.address, b.address) : compareText(a.service, b.service);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
