import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { kinds } from '../kinds.ts';
import { type OpenApiSchema, structuralSchema } from '../structural.ts';
import { ABSENT, type FieldSamples, placeOf, sampleObject, withValue } from './field.ts';
import { samples } from './samples.ts';

/** Every node below the root with its path, and whether the object around it must have it. */
function* nodes(schema: OpenApiSchema, path = ''): Generator<[path: string, required: boolean]> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const at = path ? `${path}.${name}` : name;
    yield [at, schema.required?.includes(name) ?? false];
    yield* nodes(child, at);
  }
  for (const [mark, child] of [
    ['[]', schema.items],
    ['{}', schema.additionalProperties],
  ] as const) {
    if (!child) continue;
    yield [`${path}${mark}`, false];
    yield* nodes(child, `${path}${mark}`);
  }
}

/** What the rows of one field do not show. */
function lackOf(rows: readonly FieldSamples[], required: boolean): string[] {
  const refuses = rows.flatMap((row) => row.refuses);
  return [
    ...(rows.some(({ takes }) => takes.length > 0) ? [] : ['no value that it takes']),
    ...(refuses.some((value) => value !== ABSENT) ? [] : ['no value that it refuses']),
    ...(required && !refuses.includes(ABSENT) ? ['not refused when it is absent'] : []),
  ];
}

spec('samples', (test) => {
  test('are there for every kind', () => {
    const plurals = (all: readonly { plural: string }[]) => all.map(({ plural }) => plural).toSorted();
    assert.equal(plurals(samples.map(({ kind }) => kind)), plurals(kinds));
  });

  for (const sample of samples) {
    const { kind, base, fields } = sample;
    test(`${kind.kind}: every field has a value that it takes and one that it refuses`, () => {
      const lacking = [...nodes(structuralSchema(kind.schema))].flatMap(([path, required]) => {
        const rows = fields.filter((row) => row.path === path);
        return lackOf(rows, required).map((lack) => `${path}: ${lack}`);
      });
      assert.equal(lacking, []);
    });

    test(`${kind.kind}: has no row for a field that does not exist, and none twice`, () => {
      const known = new Set([...nodes(structuralSchema(kind.schema))].map(([path]) => path));
      const paths = fields.map(({ path }) => path);
      assert.equal(
        paths.filter((path, at) => !known.has(path) || paths.indexOf(path) !== at),
        [],
      );
    });

    test(`${kind.kind}: what is taken is an object of the kind in TypeScript too`, () => {
      assert.ok(kind.schema.safeParse(base).success, 'the base');
      for (const row of fields) {
        for (const value of row.takes) {
          const { error } = kind.schema.safeParse(sampleObject(sample, row, value));
          assert.is(error, undefined, `${row.path} ${String(value)}: ${error}`);
        }
      }
    });
  }

  test('are put in their place, and what is missing on the way is made', () => {
    assert.equal(withValue({ spec: { a: 1 } }, 'spec.b[].c{}', 2), { spec: { a: 1, b: [{ c: { a: 2 } }] } });
    assert.equal(withValue({ spec: { l: [{ x: 1, y: 2 }] } }, 'spec.l[].x', ABSENT), { spec: { l: [{ y: 2 }] } });
    assert.equal(withValue({}, 'spec.l[]', 3), { spec: { l: [3] } });
    assert.is(placeOf('spec.b[].c{}'), 'spec.b[0].c.a');
  });
});
