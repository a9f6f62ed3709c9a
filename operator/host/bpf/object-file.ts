/** Reads the relocatable ELF file (gABI 4.1, EM_BPF) that a compiler makes of responder.bpf.c: one program and its maps. */

/** What BPF_MAP_CREATE wants to know: `struct map` of responder.bpf.c. */
export interface MapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** A program before it knows its maps. */
export interface BpfObject {
  readonly maps: ReadonlyMap<string, MapShape>;
  /** 8 octets each; an instruction that loads a 64-bit constant takes two. */
  readonly instructions: Uint8Array;
  /** Where an instruction loads a map, by number of the instruction. */
  readonly references: readonly { readonly instruction: number; readonly map: string }[];
}

/** The file is not what responder.bpf.c compiles to. */
export class ObjectFileError extends Error {
  override readonly name = 'ObjectFileError';
  readonly reason = 'ObjectFileInvalid';
}

const PROGRAM_SECTION = 'tcx/ingress';
const MAPS_SECTION = 'maps';
const EM_BPF = 247;
const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_REL = 9;
/** R_BPF_64_64, which binutils call R_BPF_INSN_64. */
const RELOCATE_LOAD = 1;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const MAP = 20;
const INSTRUCTION = 8;
/** BPF_LD | BPF_IMM | BPF_DW */
const LOAD_CONSTANT = 0x18;
/** BPF_PSEUDO_MAP_FD in the source register says that the constant is the descriptor of a map. */
const PSEUDO_MAP_FD = 1;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly content: Buffer;
  readonly link: number;
  readonly info: number;
}

/** @throws {ObjectFileError} saying what is missing */
export function decodeObject(octets: Uint8Array): BpfObject {
  const file = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  try {
    return decode(file);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ObjectFileError('the file ends early', { cause });
  }
}

function decode(file: Buffer): BpfObject {
  // e_ident: 64 bits, little-endian
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1 || file.readUInt16LE(18) !== EM_BPF)
    throw new ObjectFileError('it is no ELF file for little-endian BPF');
  const sections = sectionsOf(file);
  const program = sections.findIndex(({ name }) => name === PROGRAM_SECTION);
  const maps = sections.findIndex(({ name }) => name === MAPS_SECTION);
  const [code, shapes] = [sections[program], sections[maps]];
  if (!code || !shapes) throw new ObjectFileError(`it has no section ${code ? MAPS_SECTION : PROGRAM_SECTION}`);
  const symbols = symbolsOf(sections);
  const named = symbols.filter(({ section, name }) => section === maps && name !== '');
  return {
    maps: new Map(named.map(({ name, value }) => [name, mapShape(shapes.content, value)])),
    instructions: Uint8Array.from(code.content),
    references: sections
      .filter(({ type, info }) => (type === SHT_REL || type === SHT_RELA) && info === program)
      .flatMap((section) => referencesOf(section, symbols, maps)),
  };
}

function sectionsOf(file: Buffer): readonly Section[] {
  const start = Number(file.readBigUInt64LE(40));
  const count = file.readUInt16LE(60);
  const headers = Array.from({ length: count }, (_, n) => {
    const header = file.subarray(start + n * SECTION_HEADER, start + (n + 1) * SECTION_HEADER);
    const offset = Number(header.readBigUInt64LE(24));
    const size = Number(header.readBigUInt64LE(32));
    const type = header.readUInt32LE(4);
    const content = file.subarray(offset, offset + size);
    return {
      name: header.readUInt32LE(0),
      type,
      content,
      link: header.readUInt32LE(40),
      info: header.readUInt32LE(44),
    };
  });
  const names = headers[file.readUInt16LE(62)]?.content ?? Buffer.alloc(0);
  return headers.map((header) => ({ ...header, name: textAt(names, header.name) }));
}

function symbolsOf(sections: readonly Section[]) {
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const names = sections[table?.link ?? 0]?.content ?? Buffer.alloc(0);
  return Array.from({ length: Math.floor((table?.content.length ?? 0) / SYMBOL) }, (_, n) => {
    const symbol = (table?.content ?? names).subarray(n * SYMBOL);
    return {
      name: textAt(names, symbol.readUInt32LE(0)),
      section: symbol.readUInt16LE(6),
      value: Number(symbol.readBigUInt64LE(8)),
    };
  });
}

function referencesOf({ content, type }: Section, symbols: ReturnType<typeof symbolsOf>, maps: number) {
  const size = type === SHT_RELA ? 24 : 16;
  return Array.from({ length: content.length / size }, (_, n) => {
    const at = Number(content.readBigUInt64LE(n * size));
    const kind = content.readUInt32LE(n * size + 8);
    const symbol = symbols[content.readUInt32LE(n * size + 12)];
    if (kind !== RELOCATE_LOAD || symbol?.section !== maps || symbol.name === '')
      throw new ObjectFileError(`octet ${at} of the program refers to something that is no map`);
    return { instruction: at / INSTRUCTION, map: symbol.name };
  });
}

function mapShape(maps: Buffer, at: number): MapShape {
  const [type, keySize, valueSize, maxEntries, flags] = Array.from({ length: MAP / 4 }, (_, n) =>
    maps.readUInt32LE(at + n * 4),
  ) as [number, number, number, number, number];
  return { type, keySize, valueSize, maxEntries, flags };
}

/** The instructions with the descriptors of the maps in their places. @throws {ObjectFileError} */
export function linkedInstructions(object: BpfObject, descriptors: ReadonlyMap<string, number>): Uint8Array {
  const instructions = Buffer.from(object.instructions);
  for (const { instruction, map } of object.references) {
    const at = instruction * INSTRUCTION;
    const descriptor = descriptors.get(map);
    if (descriptor === undefined || instructions[at] !== LOAD_CONSTANT)
      throw new ObjectFileError(`instruction ${instruction} does not load the map ${map}`);
    instructions[at + 1] = ((instructions[at + 1] ?? 0) & 0x0f) | (PSEUDO_MAP_FD << 4);
    instructions.writeInt32LE(descriptor, at + 4);
  }
  return instructions;
}

function textAt(strings: Buffer, at: number): string {
  const end = strings.indexOf(0, at);
  return strings.toString('latin1', at, end < 0 ? strings.length : end);
}
