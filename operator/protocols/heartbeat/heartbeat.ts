/**
 * The heartbeat of one speaker: an authenticated UDP datagram, sealed once per interval and sent to every peer.
 *
 *  0 magic 'HRLD'        8 incarnation, 8 octets      26 heard count, 2 octets
 *  4 version            16 sequence, 8 octets         28 node name, then `heard count` entries of 11 octets:
 *  5 algorithmVersion   24 interval ms, 2 octets         0 nodeId  4 incarnation (low 32 bits)
 *  6 flags                                               8 sequence (low 16 bits)  10 flags
 *  7 name length                                      last 32 octets: HMAC-SHA256(member key, domain | all before)
 *
 * All numbers in network order. There is no standard for this; README.md says why it is not memberlist's protocol.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader } from '../../net/bytes.ts';

/** What a speaker says of itself and of those it hears. */
export interface Heartbeat {
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
}

/** Why a datagram was dropped before it was believed. */
export type HeartbeatDropReason = 'Truncated' | 'NotAHeartbeat' | 'UnsupportedVersion' | 'BadSeal' | 'Malformed';

/** The length of a member key, octets. */
export const MEMBER_KEY_LENGTH = 32;
/** The longest datagram in octets: UDP's bound over IPv4 (RFC 768, RFC 791). */
export const MAX_HEARTBEAT_LENGTH = 65_507;

const DOMAIN = 'herald-speaker-heartbeat-v1';
const MAGIC = 0x48524c44; // 'HRLD'
const VERSION = 1;
const FIXED_LENGTH = 28;
const ENTRY_LENGTH = 11;
const SEAL_LENGTH = 32;
const FLAG = { ready: 1, leaving: 2 } as const;
const HEARD_FLAG = { leavingSeen: 1 } as const;

/** A node's number in receipts: the first 32 bits of sha256(name). Two names that collide still differ by incarnation. */
export const nodeIdOf = (node: string): number => createHash('sha256').update(node).digest().readUInt32BE(0);

/** The low 32 bits of an incarnation, as receipts carry it. */
export const lowIncarnation = (incarnation: number): number => incarnation % 2 ** 32;

/** The low 16 bits of a sequence, as receipts carry it. */
export const lowSequence = (sequence: number): number => sequence % 2 ** 16;

/**
 * Writes and seals `heartbeat` into `buffer`, which is reused from one interval to the next.
 *
 * @returns the part of `buffer` to send
 * @throws {RangeError} when `buffer` is too short
 */
export function encodeHeartbeat(heartbeat: Heartbeat, key: Uint8Array, buffer: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(heartbeat.node);
  const sealAt = FIXED_LENGTH + name.length + heartbeat.heard.length * ENTRY_LENGTH;
  const length = sealAt + SEAL_LENGTH;
  if (length > buffer.length) throw new RangeError(`a heartbeat of ${length} octets into ${buffer.length}`);
  const view = new DataView(buffer.buffer, buffer.byteOffset, length);
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(5, heartbeat.algorithmVersion);
  view.setUint8(6, (heartbeat.ready ? FLAG.ready : 0) | (heartbeat.leaving ? FLAG.leaving : 0));
  view.setUint8(7, name.length);
  view.setBigUint64(8, BigInt(heartbeat.incarnation));
  view.setBigUint64(16, BigInt(heartbeat.sequence));
  view.setUint16(24, heartbeat.intervalMs);
  view.setUint16(26, heartbeat.heard.length);
  buffer.set(name, FIXED_LENGTH);
  let at = FIXED_LENGTH + name.length;
  for (const { nodeId, incarnation, sequence, leavingSeen } of heartbeat.heard) {
    view.setUint32(at, nodeId);
    view.setUint32(at + 4, incarnation);
    view.setUint16(at + 8, sequence);
    view.setUint8(at + 10, leavingSeen ? HEARD_FLAG.leavingSeen : 0);
    at += ENTRY_LENGTH;
  }
  buffer.set(sealOf(buffer.subarray(0, sealAt), key), sealAt);
  return buffer.subarray(0, length);
}

/**
 * Reads a datagram from the network, or says why it is dropped. Nothing but its length, magic and version is looked at before its seal
 * fits one of `keys` (two during a rotation). Never throws.
 */
export function decodeHeartbeat(datagram: Uint8Array, keys: readonly Uint8Array[]): Heartbeat | HeartbeatDropReason {
  if (datagram.length < FIXED_LENGTH + SEAL_LENGTH) return 'Truncated';
  const head = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  if (head.getUint32(0) !== MAGIC) return 'NotAHeartbeat';
  if (head.getUint8(4) !== VERSION) return 'UnsupportedVersion';
  const body = datagram.subarray(0, datagram.length - SEAL_LENGTH);
  const seal = datagram.subarray(datagram.length - SEAL_LENGTH);
  if (!keys.some((key) => timingSafeEqual(sealOf(body, key), seal))) return 'BadSeal';
  return decodeBody(body);
}

function decodeBody(body: Uint8Array): Heartbeat | HeartbeatDropReason {
  const nameLength = body[7] ?? 0;
  const heardCount = ((body[26] ?? 0) << 8) | (body[27] ?? 0);
  // A key holder of another build: the seal fits, the layout does not.
  if (nameLength === 0 || body.length !== FIXED_LENGTH + nameLength + heardCount * ENTRY_LENGTH) return 'Malformed';
  const reader = new ByteReader(body.subarray(5), outOfBounds);
  const algorithmVersion = reader.u8();
  const flags = reader.u8();
  reader.u8();
  const incarnation = reader.u32() * 2 ** 32 + reader.u32();
  const sequence = reader.u32() * 2 ** 32 + reader.u32();
  const intervalMs = reader.u16();
  reader.u16();
  if (!Number.isSafeInteger(incarnation) || !Number.isSafeInteger(sequence)) return 'Malformed';
  return {
    node: new TextDecoder().decode(reader.bytes(nameLength)),
    incarnation,
    sequence,
    algorithmVersion,
    intervalMs,
    ready: (flags & FLAG.ready) !== 0,
    leaving: (flags & FLAG.leaving) !== 0,
    heard: Array.from({ length: heardCount }, () => decodeHeard(reader)),
  };
}

function decodeHeard(reader: ByteReader): HeardPeer {
  return {
    nodeId: reader.u32(),
    incarnation: reader.u32(),
    sequence: reader.u16(),
    leavingSeen: (reader.u8() & HEARD_FLAG.leavingSeen) !== 0,
  };
}

const sealOf = (body: Uint8Array, key: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(DOMAIN).update(body).digest();

/** Unreachable: the length was compared with the counts before the first read. */
function outOfBounds(): never {
  throw new RangeError('a heartbeat was read past its end');
}
