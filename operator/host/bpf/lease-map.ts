/** The lease in the kernel: a map of one element, CLOCK_MONOTONIC nanoseconds until which the program acts. */

import { lookupElement, updateElement } from './system-call.ts';

const ONLY_KEY = new Uint8Array(4);

/** Writes until when the program acts. @throws {HostError} */
export function writeLease(map: number, until: bigint): void {
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(until);
  updateElement(map, ONLY_KEY, value);
}

/** Until when the program acts. @throws {HostError} */
export function readLease(map: number): bigint {
  const value = Buffer.alloc(8);
  lookupElement(map, ONLY_KEY, value);
  return value.readBigUInt64LE();
}
