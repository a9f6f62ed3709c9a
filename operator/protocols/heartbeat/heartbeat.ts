/**
 * The heartbeat of one speaker: an authenticated UDP datagram, sealed once per interval and sent to every peer.
 *
 *  0 magic 'HRLD'        8 incarnation, 8 octets      26 heard count, 2 octets
 *  4 version            16 sequence, 8 octets         28 node name, then `heard count` entries of 11 octets:
 *  5 algorithmVersion   24 interval ms, 2 octets         0 nodeId  4 incarnation (low 32 bits)
 *  6 flags                                               8 sequence (low 16 bits)  10 flags
 *  7 name length                                      then, in version 2, extensions (extension.ts)
 *                                                     last 32 octets: HMAC-SHA256(member key, domain | all before)
 *
 * All numbers in network order. A speaker that reads version 2 says so by a flag; whoever has not said so is sent version 1, which every
 * speaker reads. There is no standard for this; README.md says why it is not memberlist's protocol.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader } from '../../net/bytes.ts';
import { decodeExtensions, type Extensions, encodeExtensions, NO_EXTENSIONS } from './extension.ts';

/** What a speaker says of itself and of those it hears. */
export interface Heartbeat extends Extensions {
  readonly node: string;
  /** When this speaker started, milliseconds since the Unix epoch, above every earlier one of this node. */
  readonly incarnation: number;
  /** Ascends by one per datagram within an incarnation. */
  readonly sequence: number;
  /** The highest version of the shared decisions (election, advertising) that this speaker can compute, 1 to 255. */
  readonly algorithmVersion: number;
  /** The sender's own interval, milliseconds: its peers wait as many of these. */
  readonly intervalMs: number;
  /** Its desired state is loaded and its packets are answered: it may own addresses. */
  readonly ready: boolean;
  /** It is about to stop: its successors announce now. */
  readonly leaving: boolean;
  /** Its own timers run late: it does not claim to be well. */
  readonly slow: boolean;
  /** It reads version 2. */
  readonly readsExtensions: boolean;
  /** Everybody whose heartbeat arrived within the detection time. */
  readonly heard: readonly HeardPeer[];
}

/** The sender's receipt for one peer. */
export interface HeardPeer {
  /** `nodeIdOf` the peer. */
  readonly nodeId: number;
  /** Low 32 bits. */
  readonly incarnation: number;
  /** Low 16 bits of the last sequence that arrived: proves that this datagram is no old recording. */
  readonly sequence: number;
  /** The peer's leaving was seen and its addresses have a successor. */
  readonly leavingSeen: boolean;
  /** The heartbeat of that sequence said that the peer hears the sender: a proof for others that it lives. */
  readonly alive: boolean;
  /** The peer said in it that it may own addresses. */
  readonly ready: boolean;
  /** The peer's, at most 31; 0 from a sender that does not tell. */
  readonly algorithmVersion: number;
}

/** Why a datagram was dropped before it was believed. */
export type HeartbeatDropReason = 'Truncated' | 'NotAHeartbeat' | 'UnsupportedVersion' | 'BadSeal' | 'Malformed';

/** The length of a member key, octets. */
export const MEMBER_KEY_LENGTH = 32;
/** The longest datagram in octets: UDP's bound over IPv4 (RFC 768, RFC 791). */
export const MAX_HEARTBEAT_LENGTH = 65_507;

const DOMAIN = 'herald-speaker-heartbeat-v1';
const MAGIC = 0x48524c44; // 'HRLD'
const BASE_VERSION = 1;
const EXTENDED_VERSION = 2;
const FIXED_LENGTH = 28;
const ENTRY_LENGTH = 11;
const SEAL_LENGTH = 32;
const FLAG = { ready: 1, leaving: 2, readsExtensions: 4, slow: 8 } as const;
const HEARD_FLAG = { leavingSeen: 1, alive: 2, ready: 4 } as const;
/** The octet of flags ends with the algorithmVersion. */
const HEARD_VERSION = { shift: 3, max: 31 } as const;

/** The low 32 bits of an incarnation, as receipts carry it. */
export const lowIncarnation = (incarnation: number): number => incarnation % 2 ** 32;

/** The low 16 bits of a sequence, as receipts carry it. */
export const lowSequence = (sequence: number): number => sequence % 2 ** 16;

/**
 * Writes and seals `heartbeat` into `buffer`, which is reused from one interval to the next.
 *
 * @param format what the receivers read: `Base` leaves the extensions out
 * @returns the part of `buffer` to send
 * @throws {RangeError} when `buffer` is too short
 */
export function encodeHeartbeat(
  heartbeat: Heartbeat,
  key: Uint8Array,
  buffer: Uint8Array,
  format: 'Base' | 'Extended' = 'Extended',
): Uint8Array {
  const name = new TextEncoder().encode(heartbeat.node);
  const extensions = format === 'Extended' ? encodeExtensions(heartbeat) : new Uint8Array();
  const extensionsAt = FIXED_LENGTH + name.length + heartbeat.heard.length * ENTRY_LENGTH;
  const sealAt = extensionsAt + extensions.length;
  const length = sealAt + SEAL_LENGTH;
  if (length > buffer.length) throw new RangeError(`a heartbeat of ${length} octets into ${buffer.length}`);
  const view = new DataView(buffer.buffer, buffer.byteOffset, length);
  view.setUint32(0, MAGIC);
  view.setUint8(4, format === 'Extended' ? EXTENDED_VERSION : BASE_VERSION);
  view.setUint8(5, heartbeat.algorithmVersion);
  view.setUint8(6, bitsOf(heartbeat, FLAG));
  view.setUint8(7, name.length);
  view.setBigUint64(8, BigInt(heartbeat.incarnation));
  view.setBigUint64(16, BigInt(heartbeat.sequence));
  view.setUint16(24, heartbeat.intervalMs);
  view.setUint16(26, heartbeat.heard.length);
  buffer.set(name, FIXED_LENGTH);
  for (const [index, entry] of heartbeat.heard.entries())
    encodeHeard(view, FIXED_LENGTH + name.length + index * ENTRY_LENGTH, entry);
  buffer.set(extensions, extensionsAt);
  buffer.set(sealOf(buffer.subarray(0, sealAt), key), sealAt);
  return buffer.subarray(0, length);
}

function encodeHeard(view: DataView, at: number, entry: HeardPeer): void {
  view.setUint32(at, entry.nodeId);
  view.setUint32(at + 4, entry.incarnation);
  view.setUint16(at + 8, entry.sequence);
  const version = Math.min(entry.algorithmVersion, HEARD_VERSION.max) << HEARD_VERSION.shift;
  view.setUint8(at + 10, bitsOf(entry, HEARD_FLAG) | version);
}

const bitsOf = <Name extends string>(
  from: { readonly [N in NoInfer<Name>]: boolean },
  bits: { readonly [N in Name]: number },
): number => (Object.keys(bits) as Name[]).reduce((sum, name) => sum | (from[name] ? bits[name] : 0), 0);

/**
 * Reads a datagram from the network, or says why it is dropped. Nothing but its length, magic and version is looked at before its seal
 * fits one of `keys` (two during a rotation). Never throws.
 */
export function decodeHeartbeat(datagram: Uint8Array, keys: readonly Uint8Array[]): Heartbeat | HeartbeatDropReason {
  if (datagram.length < FIXED_LENGTH + SEAL_LENGTH) return 'Truncated';
  const head = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  if (head.getUint32(0) !== MAGIC) return 'NotAHeartbeat';
  const version = head.getUint8(4);
  if (version !== BASE_VERSION && version !== EXTENDED_VERSION) return 'UnsupportedVersion';
  const body = datagram.subarray(0, datagram.length - SEAL_LENGTH);
  const seal = datagram.subarray(datagram.length - SEAL_LENGTH);
  if (!keys.some((key) => timingSafeEqual(sealOf(body, key), seal))) return 'BadSeal';
  return decodeBody(body, version === EXTENDED_VERSION);
}

function decodeBody(body: Uint8Array, isExtended: boolean): Heartbeat | HeartbeatDropReason {
  const nameLength = body[7] ?? 0;
  const heardCount = ((body[26] ?? 0) << 8) | (body[27] ?? 0);
  const extensionsAt = FIXED_LENGTH + nameLength + heardCount * ENTRY_LENGTH;
  // A key holder of another build: the seal fits, the layout does not.
  const fits = isExtended ? body.length >= extensionsAt : body.length === extensionsAt;
  if (nameLength === 0 || !fits) return 'Malformed';
  const extensions = isExtended ? decodeExtensions(body.subarray(extensionsAt)) : NO_EXTENSIONS;
  const reader = new ByteReader(body.subarray(5), outOfBounds);
  const algorithmVersion = reader.u8();
  const flags = reader.u8();
  reader.u8();
  const incarnation = reader.u32() * 2 ** 32 + reader.u32();
  const sequence = reader.u32() * 2 ** 32 + reader.u32();
  const intervalMs = reader.u16();
  reader.u16();
  if (!extensions || !Number.isSafeInteger(incarnation) || !Number.isSafeInteger(sequence)) return 'Malformed';
  return {
    node: new TextDecoder().decode(reader.bytes(nameLength)),
    incarnation,
    sequence,
    algorithmVersion,
    intervalMs,
    ready: (flags & FLAG.ready) !== 0,
    leaving: (flags & FLAG.leaving) !== 0,
    slow: (flags & FLAG.slow) !== 0,
    readsExtensions: (flags & FLAG.readsExtensions) !== 0,
    heard: Array.from({ length: heardCount }, () => decodeHeard(reader)),
    ...extensions,
  };
}

function decodeHeard(reader: ByteReader): HeardPeer {
  const [nodeId, incarnation, sequence, flags] = [reader.u32(), reader.u32(), reader.u16(), reader.u8()];
  return {
    nodeId,
    incarnation,
    sequence,
    leavingSeen: (flags & HEARD_FLAG.leavingSeen) !== 0,
    alive: (flags & HEARD_FLAG.alive) !== 0,
    ready: (flags & HEARD_FLAG.ready) !== 0,
    algorithmVersion: flags >> HEARD_VERSION.shift,
  };
}

const sealOf = (body: Uint8Array, key: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(DOMAIN).update(body).digest();

/** Unreachable: the length was compared with the counts before the first read. */
function outOfBounds(): never {
  throw new RangeError('a heartbeat was read past its end');
}
