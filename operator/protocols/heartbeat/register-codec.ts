/**
 * Registers in heartbeats, one after the other:
 *
 *  0 nodeId   4 incarnation, 8 octets   12 version   16 flags   17 algorithmVersion   18 lost count   19 nodeIds of the lost, 4 octets each
 */

import { ByteReader } from '../../net/bytes.ts';
import type { RegisterEntry } from './dissemination.ts';

const FIXED_LENGTH = 19;
const LOST_LENGTH = 4;
const FLAG = { ready: 1, leaving: 2 } as const;
/** A count is one octet; who has lost more is cut off anyway. */
const MAX_LOST = 255;

export function encodeRegisters(entries: readonly RegisterEntry[]): Buffer {
  return Buffer.concat(entries.map(encodeRegister));
}

function encodeRegister(entry: RegisterEntry): Buffer {
  const lost = entry.lost.slice(0, MAX_LOST);
  const octets = Buffer.alloc(FIXED_LENGTH + lost.length * LOST_LENGTH);
  octets.writeUInt32BE(entry.nodeId, 0);
  octets.writeBigUInt64BE(BigInt(entry.incarnation), 4);
  octets.writeUInt32BE(entry.version, 12);
  octets.writeUInt8((entry.ready ? FLAG.ready : 0) | (entry.leaving ? FLAG.leaving : 0), 16);
  octets.writeUInt8(entry.algorithmVersion, 17);
  octets.writeUInt8(lost.length, 18);
  for (const [index, id] of lost.entries()) octets.writeUInt32BE(id, FIXED_LENGTH + index * LOST_LENGTH);
  return octets;
}

/** Undefined when the octets are no registers. Never throws. */
export function decodeRegisters(octets: Uint8Array): readonly RegisterEntry[] | undefined {
  const reader = new ByteReader(octets, outOfBounds);
  const entries: RegisterEntry[] = [];
  while (reader.remaining >= FIXED_LENGTH) {
    const nodeId = reader.u32();
    const incarnation = reader.u32() * 2 ** 32 + reader.u32();
    const [version, flags, algorithmVersion, count] = [reader.u32(), reader.u8(), reader.u8(), reader.u8()];
    if (reader.remaining < count * LOST_LENGTH || !Number.isSafeInteger(incarnation)) return undefined;
    const lost = Array.from({ length: count }, () => reader.u32());
    const [ready, leaving] = [(flags & FLAG.ready) !== 0, (flags & FLAG.leaving) !== 0];
    entries.push({ nodeId, incarnation, version, ready, leaving, algorithmVersion, lost });
  }
  return reader.remaining === 0 ? entries : undefined;
}

/** Unreachable: every length was compared before the read. */
function outOfBounds(): never {
  throw new RangeError('a heartbeat was read past its end');
}
