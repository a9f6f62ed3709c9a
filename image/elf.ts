/** What the dynamic loader asks of a program or library (ELF64, little-endian): its machine, its loader, what it needs. */

export interface Elf {
  readonly machine: 'amd64' | 'arm64' | 'other';
  /** PT_INTERP: absent in a library. */
  readonly interpreter?: string;
  /** DT_NEEDED. */
  readonly needed: readonly string[];
}

const MACHINES: Readonly<Record<number, Elf['machine']>> = { 62: 'amd64', 183: 'arm64' };
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Undefined for what is no ELF file of that sort. */
export function readElf(file: Buffer): Elf | undefined {
  const isElf64 = file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1;
  if (!isElf64) return undefined;
  const segments = segmentsOf(file);
  const of = (type: number): Segment | undefined => segments.find((segment) => segment.type === type);
  const interp = of(PT_INTERP);
  const dynamic = entriesOf(file, of(PT_DYNAMIC));
  const names = offsetOf(segments, dynamic.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0);
  return {
    machine: MACHINES[file.readUInt16LE(18)] ?? 'other',
    needed: dynamic.filter(([tag]) => tag === DT_NEEDED).map(([, value]) => textAt(file, names + value)),
    ...(interp && { interpreter: textAt(file, interp.offset) }),
  };
}

function segmentsOf(file: Buffer): Segment[] {
  const [start, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    const [offset, address, length] = [8, 16, 32].map((field) => Number(file.readBigUInt64LE(at + field)));
    return { type: file.readUInt32LE(at), offset: offset ?? 0, address: address ?? 0, size: length ?? 0 };
  });
}

/** Tags and values of the dynamic section, 16 octets each. */
function entriesOf(file: Buffer, dynamic: Segment | undefined): (readonly [tag: bigint, value: number])[] {
  if (!dynamic) return [];
  return Array.from({ length: Math.floor(dynamic.size / 16) }, (_, index) => {
    const at = dynamic.offset + index * 16;
    return [file.readBigUInt64LE(at), Number(file.readBigUInt64LE(at + 8))] as const;
  });
}

/** Addresses of the running program, as places in the file. */
function offsetOf(segments: readonly Segment[], address: number): number {
  const within = segments.find(
    (segment) => segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.size,
  );
  return within ? address - within.address + within.offset : address;
}

function textAt(file: Buffer, at: number): string {
  return file.toString('latin1', at, file.indexOf(0, at));
}
