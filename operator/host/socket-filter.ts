/** Classic BPF socket filters (Linux Documentation/networking/filter.rst): a small assembler, and an interpreter for tests. */

/** One instruction: struct sock_filter. */
export interface FilterInstruction {
  readonly code: number;
  /** Instructions to skip when a jump's condition holds, or does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}
export type FilterProgram = readonly FilterInstruction[];

const LD_W = 0x20;
const LD_H = 0x28;
const LD_B = 0x30;
const JEQ = 0x15;
const JGT = 0x25;
const JGE = 0x35;
const RET = 0x06;
/** SKF_AD_OFF + SKF_AD_IFINDEX: the interface that the kernel thinks the frame came in by. */
const ANCILLARY_IFINDEX = 0xfffff008;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: PACKET_* of linux/if_packet.h. */
const ANCILLARY_PACKET_TYPE = 0xfffff004;
const PACKET_OTHERHOST = 3;
const WHOLE_FRAME = 0xffff;

const make = (code: number, k: number, jt = 0, jf = 0): FilterInstruction => ({ code, jt, jf, k });

/** Loads 1, 2 or 4 octets of the frame at `offset`, network order. */
export const load = (octets: 1 | 2 | 4, offset: number): FilterInstruction =>
  make({ 1: LD_B, 2: LD_H, 4: LD_W }[octets], offset);
/** Loads the index of the receiving interface. */
export const loadInterfaceIndex = (): FilterInstruction => make(LD_W, ANCILLARY_IFINDEX);
/** Drops what the kernel takes to be for another station: by its address, or by a VLAN tag that no device of this host takes off. */
export const dropForOthers = (): FilterProgram => [
  make(LD_W, ANCILLARY_PACKET_TYPE),
  make(JEQ, PACKET_OTHERHOST, 0, 1),
  drop(),
];
/** Accepts the whole frame. */
export const accept = (): FilterInstruction => make(RET, WHOLE_FRAME);
/** Drops the frame in the kernel. */
export const drop = (): FilterInstruction => make(RET, 0);
/** Goes on when the loaded value is `value`, else drops. */
export const require = (value: number): FilterProgram => [make(JEQ, value, 1, 0), drop()];
/** Accepts when the loaded value is in `first`..`last`, else goes on. */
export const acceptBetween = (first: number, last: number): FilterProgram => [
  make(JGE, first, 0, 2),
  make(JGT, last, 1, 0),
  accept(),
];

/** The octets that SO_ATTACH_FILTER takes: struct sock_filter[], the machine's byte order (little-endian on all we support). */
export function encodeFilter(program: FilterProgram): Uint8Array {
  const octets = Buffer.alloc(program.length * 8);
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    octets.writeUInt16LE(code, at * 8);
    octets.writeUInt8(jt, at * 8 + 2);
    octets.writeUInt8(jf, at * 8 + 3);
    octets.writeUInt32LE(k >>> 0, at * 8 + 4);
  }
  return octets;
}

/** Whether `program` accepts `frame` received on interface `interfaceIndex`, as the kernel would decide it. */
export function accepts(program: FilterProgram, frame: Uint8Array, interfaceIndex: number): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at] as FilterInstruction;
    const { code, k } = instruction;
    if (code === RET) return k !== 0;
    const skip = jumpOf(instruction, accumulator);
    const loaded = ancillaryOf(k, interfaceIndex) ?? readAt(view, code, k);
    if (skip === undefined && loaded === undefined) return false; // as the kernel does with a frame too short for a load
    at += skip ?? 0;
    if (skip === undefined) accumulator = loaded ?? 0;
  }
  throw new RangeError('the program ends without a verdict');
}

/** A fake has no station of its own: every frame is for it. */
const ancillaryOf = (offset: number, interfaceIndex: number): number | undefined =>
  offset === ANCILLARY_IFINDEX ? interfaceIndex : offset === ANCILLARY_PACKET_TYPE ? 0 : undefined;

/** How many instructions a jump skips; undefined when the instruction is a load. */
function jumpOf({ code, jt, jf, k }: FilterInstruction, accumulator: number): number | undefined {
  switch (code) {
    case JEQ:
      return accumulator === k ? jt : jf;
    case JGT:
      return accumulator > k ? jt : jf;
    case JGE:
      return accumulator >= k ? jt : jf;
    default:
      return undefined;
  }
}

function readAt(view: DataView, code: number, offset: number): number | undefined {
  const width = code === LD_B ? 1 : code === LD_H ? 2 : 4;
  if (offset + width > view.byteLength) return undefined;
  return width === 1 ? view.getUint8(offset) : width === 2 ? view.getUint16(offset) : view.getUint32(offset);
}
