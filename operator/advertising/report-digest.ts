/** Digests of what a node announces, by bucket of Services: what a report says in place of ten thousand names. */

import { createHash } from 'node:crypto';
import { REPORT_BUCKETS, type ReportBucket } from '../../crds/node-announcement.ts';

/** The bucket of a Service: the first octet of the sha256 of its key. */
export const bucketOf = (service: string): number => octetsOf(service).readUInt8(0);

const octetsOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * One digest and one count for each bucket. An entry is put in and taken out by exclusive or with the first 64 bits of
 * sha256('namespace/name address'), so that a change costs the same however many entries there are, in whatever order
 * they come.
 */
export class BucketDigests {
  readonly #words = new Uint32Array(2 * REPORT_BUCKETS);
  readonly #counts = new Int32Array(REPORT_BUCKETS);

  /** The entry must not be there yet. @returns its bucket */
  add(service: string, address: string): number {
    return this.#toggle(service, address, 1);
  }

  /** The entry must be there. @returns its bucket */
  remove(service: string, address: string): number {
    return this.#toggle(service, address, -1);
  }

  count(bucket: number): number {
    return this.#counts[bucket] ?? 0;
  }

  /** 16 hex digits. */
  digest(bucket: number): string {
    return this.#hex(2 * bucket) + this.#hex(2 * bucket + 1);
  }

  /** Whether a report says the same of `bucket`; a bucket that is missing in it is empty. */
  isSame(bucket: number, reported: Pick<ReportBucket, 'digest' | 'count'> | undefined): boolean {
    const { count, digest } = reported ?? { count: 0, digest: EMPTY };
    return count === this.count(bucket) && digest === this.digest(bucket);
  }

  #hex(word: number): string {
    return (this.#words[word] ?? 0).toString(16).padStart(8, '0');
  }

  #toggle(service: string, address: string, by: 1 | -1): number {
    const bucket = bucketOf(service);
    const octets = octetsOf(`${service} ${address}`);
    this.#xor(2 * bucket, octets.readUInt32BE(0));
    this.#xor(2 * bucket + 1, octets.readUInt32BE(4));
    this.#counts[bucket] = this.count(bucket) + by;
    return bucket;
  }

  #xor(word: number, value: number): void {
    this.#words[word] = (this.#words[word] ?? 0) ^ value;
  }
}

/** The digest of nothing. */
const EMPTY = '0'.repeat(16);
