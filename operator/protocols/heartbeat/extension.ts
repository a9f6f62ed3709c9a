/**
 * What a heartbeat of version 2 carries beyond version 1: fields of `type 1, length 2, value`, in any order, each at most once.
 *
 *  1 relayed  entries of 12 octets: nodeId 4, incarnation 4 (low 32 bits), sequence 2 (low 16 bits), flags 1, algorithmVersion 1
 *  2 taken    entries of 4 octets: addressId
 *  3 claims   revision 4, page 2, pages 2, then entries of 4 octets: addressId; from a speaker with sticky ownership
 *  4 registers  what nodes say of themselves, from a node of more than 64 (register-codec.ts)
 *
 * A type that this version does not know is skipped, so that a later one may add some.
 */

import { createHash } from 'node:crypto';
import { ByteReader } from '../../net/bytes.ts';
import type { ClaimsPage } from './claims.ts';
import type { RegisterEntry } from './dissemination.ts';
import { decodeRegisters, encodeRegisters } from './register-codec.ts';

/** A peer that the sender does not hear, or that does not hear the sender, while others prove that it lives. */
export interface RelayedPeer {
  /** `nodeIdOf` the peer. */
  readonly nodeId: number;
  /** Low 32 bits. */
  readonly incarnation: number;
  /** Low 16 bits of the last heartbeat that proved it. */
  readonly sequence: number;
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly algorithmVersion: number;
}

export interface Extensions {
  readonly relayed: readonly RelayedPeer[];
  /** `addressIdOf` the addresses that the sender has begun to answer for a short time ago. */
  readonly taken: readonly number[];
  /** Present while the sender is set to sticky ownership. */
  readonly claims?: ClaimsPage;
  /** Present where not everybody hears everybody. */
  readonly registers?: readonly RegisterEntry[];
}

/** What a heartbeat of version 1 says. */
export const NO_EXTENSIONS: Extensions = { relayed: [], taken: [] };

/** So many addresses fit into one heartbeat; who takes more says so in the following ones. */
export const MAX_TAKEN = 64;

const TYPE = { relayed: 1, taken: 2, claims: 3, registers: 4 } as const;
const HEAD_LENGTH = 3;
const RELAYED_LENGTH = 12;
const TAKEN_LENGTH = 4;
const CLAIMS_HEAD_LENGTH = 8;
const FLAG = { ready: 1, leaving: 2 } as const;

/** An address in heartbeats: the first 32 bits of sha256(canonical text). Two that collide are confirmed together. */
export const addressIdOf = (address: string): number => createHash('sha256').update(address).digest().readUInt32BE(0);

/** The octets between the receipts and the seal; a field without entries is left out. */
export function encodeExtensions({ relayed, taken, claims, registers }: Extensions): Uint8Array {
  return Buffer.concat([
    field(TYPE.relayed, RELAYED_LENGTH, relayed, (value, at, entry) => {
      value.writeUInt32BE(entry.nodeId, at);
      value.writeUInt32BE(entry.incarnation, at + 4);
      value.writeUInt16BE(entry.sequence, at + 8);
      value.writeUInt8((entry.ready ? FLAG.ready : 0) | (entry.leaving ? FLAG.leaving : 0), at + 10);
      value.writeUInt8(entry.algorithmVersion, at + 11);
    }),
    field(TYPE.taken, TAKEN_LENGTH, taken, (value, at, id) => void value.writeUInt32BE(id, at)),
    ...(claims ? [encodeClaims(claims)] : []),
    ...(registers ? [headed(TYPE.registers, encodeRegisters(registers))] : []),
  ]);
}

function headed(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_LENGTH);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

function encodeClaims({ revision, page, pages, addresses }: ClaimsPage): Buffer {
  const length = CLAIMS_HEAD_LENGTH + addresses.length * TAKEN_LENGTH;
  const value = Buffer.alloc(HEAD_LENGTH + length);
  value.writeUInt8(TYPE.claims, 0);
  value.writeUInt16BE(length, 1);
  value.writeUInt32BE(revision, HEAD_LENGTH);
  value.writeUInt16BE(page, HEAD_LENGTH + 4);
  value.writeUInt16BE(pages, HEAD_LENGTH + 6);
  for (const [index, id] of addresses.entries())
    value.writeUInt32BE(id, HEAD_LENGTH + CLAIMS_HEAD_LENGTH + index * TAKEN_LENGTH);
  return value;
}

/** Undefined when the field is none; no field is no claims. */
function decodeClaims(value: Uint8Array | undefined): Pick<Extensions, 'claims'> | undefined {
  if (!value) return {};
  if (value.length < CLAIMS_HEAD_LENGTH) return undefined;
  const reader = new ByteReader(value, outOfBounds);
  const [revision, page, pages] = [reader.u32(), reader.u16(), reader.u16()];
  const addresses = entriesOf(value.subarray(CLAIMS_HEAD_LENGTH), TAKEN_LENGTH, (entry) => entry.u32());
  return addresses && { claims: { revision, page, pages, addresses } };
}

function field<T>(
  type: number,
  entryLength: number,
  entries: readonly T[],
  write: (value: Buffer, at: number, entry: T) => void,
): Buffer {
  if (entries.length === 0) return Buffer.alloc(0);
  const value = Buffer.alloc(HEAD_LENGTH + entries.length * entryLength);
  value.writeUInt8(type, 0);
  value.writeUInt16BE(entries.length * entryLength, 1);
  for (const [index, entry] of entries.entries()) write(value, HEAD_LENGTH + index * entryLength, entry);
  return value;
}

/** Undefined when the octets are no fields. Never throws. */
export function decodeExtensions(octets: Uint8Array): Extensions | undefined {
  const fields = fieldsOf(octets);
  if (!fields) return undefined;
  const relayed = entriesOf(fields.get(TYPE.relayed), RELAYED_LENGTH, (reader) => {
    const [nodeId, incarnation, sequence, flags] = [reader.u32(), reader.u32(), reader.u16(), reader.u8()];
    const [ready, leaving] = [(flags & FLAG.ready) !== 0, (flags & FLAG.leaving) !== 0];
    return { nodeId, incarnation, sequence, ready, leaving, algorithmVersion: reader.u8() };
  });
  const taken = entriesOf(fields.get(TYPE.taken), TAKEN_LENGTH, (reader) => reader.u32());
  const claims = decodeClaims(fields.get(TYPE.claims));
  const given = fields.get(TYPE.registers);
  const registers = given && decodeRegisters(given);
  if (given && !registers) return undefined;
  return relayed && taken && claims && { relayed, taken, ...claims, ...(registers && { registers }) };
}

function fieldsOf(octets: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const fields = new Map<number, Uint8Array>();
  const reader = new ByteReader(octets, outOfBounds);
  while (reader.remaining >= HEAD_LENGTH) {
    const [type, length] = [reader.u8(), reader.u16()];
    if (length > reader.remaining || fields.has(type)) return undefined;
    fields.set(type, reader.bytes(length));
  }
  return reader.remaining === 0 ? fields : undefined;
}

function entriesOf<T>(
  value: Uint8Array | undefined,
  entryLength: number,
  read: (reader: ByteReader) => T,
): readonly T[] | undefined {
  if (!value) return [];
  if (value.length % entryLength !== 0) return undefined;
  const reader = new ByteReader(value, outOfBounds);
  return Array.from({ length: value.length / entryLength }, () => read(reader));
}

/** Unreachable: every length was compared before the first read. */
function outOfBounds(): never {
  throw new RangeError('a heartbeat was read past its end');
}
