/**
 * Keys and values of the program's maps, as responder.bpf.c lays them out (little-endian).
 *
 *  addresses   key    0 interface index (4)   4 address (16), IPv4 as ::ffff:a.b.c.d
 *              value  0 flags (8)             8 answered (8)
 *  interfaces  key    0 interface index (4)   value  0 MAC address (6), unused (2)
 *  counters    key    0 which (4)             value  0 count (8)
 */

import { type IpAddress, ipOctets } from '../../net/address.ts';
import { type MacAddress, macOctets } from '../../net/mac.ts';
import type { KernelCounters } from '../in-kernel-responder.ts';
import { lookupBatch, lookupElement } from './system-call.ts';

export const ADDRESS_KEY = 20;
export const ADDRESS_VALUE = 16;
export const OWNED = 1;
export const GUARDED = 2;
const IPV4_MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const PAGE = 4096;

/** The 16 octets of an address as text of as many characters: something that a Map can find. */
const texts = new WeakMap<IpAddress, string>();
export function addressText(ip: IpAddress): string {
  const known = texts.get(ip);
  if (known !== undefined) return known;
  const octets = ipOctets(ip);
  const text = Buffer.from(ip.family === 4 ? [...IPV4_MAPPED, ...octets] : octets).toString('latin1');
  texts.set(ip, text);
  return text;
}

export function addressKey(interfaceIndex: number, text: string): Uint8Array {
  const key = Buffer.alloc(ADDRESS_KEY);
  key.writeUInt32LE(interfaceIndex);
  key.write(text, 4, 'latin1');
  return key;
}

export function addressValue(flags: number, answered: bigint): Uint8Array {
  const value = Buffer.alloc(ADDRESS_VALUE);
  value.writeUInt32LE(flags);
  value.writeBigUInt64LE(answered, 8);
  return value;
}

export interface StoredAddress {
  readonly interfaceIndex: number;
  readonly text: string;
  readonly flags: number;
  readonly answered: number;
}

/** Everything in the map of addresses; one system call for 4,096 of them. @throws {HostError} */
export function* storedAddresses(map: number): Generator<StoredAddress> {
  const keys = Buffer.alloc(PAGE * ADDRESS_KEY);
  const values = Buffer.alloc(PAGE * ADDRESS_VALUE);
  let from: Uint8Array | undefined;
  do {
    const { count, next } = lookupBatch(map, from, keys, values, PAGE);
    for (let n = 0; n < count; n++)
      yield {
        interfaceIndex: keys.readUInt32LE(n * ADDRESS_KEY),
        text: keys.toString('latin1', n * ADDRESS_KEY + 4, (n + 1) * ADDRESS_KEY),
        flags: values.readUInt32LE(n * ADDRESS_VALUE),
        answered: Number(values.readBigUInt64LE(n * ADDRESS_VALUE + 8)),
      };
    from = next;
  } while (from);
}

export function interfaceKey(interfaceIndex: number): Uint8Array {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(interfaceIndex);
  return key;
}

export const interfaceValue = (mac: MacAddress): Uint8Array => Uint8Array.of(...macOctets(mac), 0, 0);

/** @throws {HostError} */
export function readCounters(map: number): KernelCounters {
  const value = Buffer.alloc(8);
  const [arpAnswered = 0, ndpAnswered = 0, guarded = 0, passed = 0, unleased = 0] = [0, 1, 2, 3, 4].map((which) => {
    lookupElement(map, interfaceKey(which), value);
    return Number(value.readBigUInt64LE());
  });
  return { arpAnswered, ndpAnswered, guarded, passed, unleased };
}
