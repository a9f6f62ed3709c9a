import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { decodeObject, linkedInstructions, ObjectFileError } from './object-file.ts';

const HEADER = 64;
const SECTION = 64;
const [SYMTAB, STRTAB, PROGBITS, REL, RELA] = [2, 3, 1, 9, 4];
/** `lddw r1, 0` and `exit`. */
const CODE = Buffer.from('18010000000000000000000000000000' + '9500000000000000', 'hex');
const SHAPES = Buffer.concat([u32(1, 20, 16, 1000, 1), u32(2, 4, 8, 1, 0)]);

function u32(...numbers: readonly number[]): Buffer {
  const octets = Buffer.alloc(numbers.length * 4);
  for (const [at, number] of numbers.entries()) octets.writeUInt32LE(number, at * 4);
  return octets;
}

function symbol(name: number, section: number, value: number): Buffer {
  const octets = Buffer.alloc(24);
  octets.writeUInt32LE(name);
  octets.writeUInt16LE(section, 6);
  octets.writeBigUInt64LE(BigInt(value), 8);
  return octets;
}

/** An object with one program that loads the second of two maps. */
function object({ relocation = REL, kind = 1, symbolIndex = 2, program = 'tcx/ingress' } = {}): Buffer {
  const names = Buffer.from(`\0${program}\0maps\0.symtab\0.strtab\0.rel\0first\0second\0`);
  const nameAt = (name: string): number => names.indexOf(`\0${name}\0`) + 1;
  const entry = Buffer.alloc(relocation === RELA ? 24 : 16);
  entry.writeUInt32LE(kind, 8);
  entry.writeUInt32LE(symbolIndex, 12);
  const sections = [
    { name: '', type: 0, content: Buffer.alloc(0) },
    { name: program, type: PROGBITS, content: CODE },
    { name: 'maps', type: PROGBITS, content: SHAPES },
    {
      name: '.symtab',
      type: SYMTAB,
      link: 4,
      content: Buffer.concat([symbol(0, 0, 0), symbol(nameAt('first'), 2, 0), symbol(nameAt('second'), 2, 20)]),
    },
    { name: '.strtab', type: STRTAB, content: names },
    { name: '.rel', type: relocation, info: 1, content: entry },
  ];
  const file = Buffer.alloc(HEADER + sections.length * SECTION + 1024);
  file.write('\x7fELF\x02\x01', 0, 'latin1');
  file.writeUInt16LE(247, 18);
  file.writeBigUInt64LE(BigInt(HEADER), 40);
  file.writeUInt16LE(sections.length, 60);
  file.writeUInt16LE(4, 62);
  let end = HEADER + sections.length * SECTION;
  for (const [n, { name, type, content, link = 0, info = 0 }] of sections.entries()) {
    const at = HEADER + n * SECTION;
    file.writeUInt32LE(name === '' ? 0 : nameAt(name), at);
    file.writeUInt32LE(type, at + 4);
    file.writeBigUInt64LE(BigInt(end), at + 24);
    file.writeBigUInt64LE(BigInt(content.length), at + 32);
    file.writeUInt32LE(link, at + 40);
    file.writeUInt32LE(info, at + 44);
    content.copy(file, end);
    end += content.length;
  }
  return file;
}

spec('object files of BPF programs', (test) => {
  for (const relocation of [REL, RELA])
    test(`give the program, the shapes of its maps and where it loads them (section type ${relocation})`, () => {
      const { maps, instructions, references } = decodeObject(object({ relocation }));
      assert.equal(maps.get('first'), { type: 1, keySize: 20, valueSize: 16, maxEntries: 1000, flags: 1 });
      assert.equal(maps.get('second'), { type: 2, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 });
      assert.equal(Buffer.from(instructions), CODE);
      assert.equal(references, [{ instruction: 0, map: 'second' }]);
    });

  test('get the descriptors of their maps into the instructions', () => {
    const linked = linkedInstructions(decodeObject(object()), new Map([['second', 77]]));
    // source register 1: BPF_PSEUDO_MAP_FD
    assert.is(
      Buffer.from(linked).toString('hex'),
      '18110000 4d000000 0000000000000000 9500000000000000'.replaceAll(' ', ''),
    );
  });

  const bad: Readonly<Record<string, Buffer>> = {
    'no ELF': Buffer.alloc(100),
    'for another machine': Buffer.from(object().fill(62, 18, 19)),
    'without the program': object({ program: 'xdp' }),
    'with another sort of relocation': object({ kind: 10 }),
    'that refers to no map': object({ symbolIndex: 0 }),
    'cut short': object().subarray(0, 200),
  };
  for (const [what, file] of Object.entries(bad))
    test(`are refused in a sentence: ${what}`, () => {
      assert.throws(
        () => decodeObject(file),
        (error: unknown) => error instanceof ObjectFileError,
      );
    });

  test('are not linked without one of their maps', () => {
    assert.throws(() => linkedInstructions(decodeObject(object()), new Map()), /does not load the map second/);
  });
});
