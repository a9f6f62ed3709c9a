import * as assert from 'uvu/assert';
import * as z from 'zod';
import { spec } from '../testing/spec.ts';
import { int32, int64, intOrString, kubernetes, type OpenApiSchema, structuralSchema } from './structural.ts';

/** The schema of one field `x`, without the object around it. */
const field = (x: z.ZodType): OpenApiSchema | undefined => structuralSchema(z.object({ x })).properties?.['x'];

spec('structural schema', (test) => {
  const cases: { name: string; given: z.ZodType; gives: OpenApiSchema }[] = [
    {
      name: 'a text',
      given: z.string().max(5).describe('d'),
      gives: { type: 'string', maxLength: 5, description: 'd' },
    },
    {
      name: 'a whole number of 64 bits',
      given: int64().min(0),
      gives: { type: 'integer', minimum: 0, format: 'int64' },
    },
    {
      name: 'a whole number of 32 bits',
      given: int32().max(9),
      gives: { type: 'integer', maximum: 9, format: 'int32' },
    },
    { name: 'a number or a text', given: intOrString(), gives: { 'x-kubernetes-int-or-string': true } },
    { name: 'a default', given: z.boolean().default(true), gives: { type: 'boolean', default: true } },
    { name: 'null beside a text', given: z.string().nullable(), gives: { type: 'string', nullable: true } },
    { name: 'one of some words', given: z.enum(['a', 'b']), gives: { type: 'string', enum: ['a', 'b'] } },
    {
      name: 'a map',
      given: z.record(z.string(), z.string()),
      gives: { type: 'object', additionalProperties: { type: 'string' } },
    },
    {
      name: 'a list map',
      given: z.array(z.object({ k: z.string() })).register(kubernetes, { list: { type: 'map', keys: ['k'] } }),
      gives: {
        type: 'array',
        items: { type: 'object', properties: { k: { type: 'string' } }, required: ['k'] },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
    },
    {
      name: 'a rule',
      given: z.string().register(kubernetes, { rules: [{ rule: "self != ''", message: 'm' }] }),
      gives: { type: 'string', 'x-kubernetes-validations': [{ rule: "self != ''", message: 'm' }] },
    },
  ];
  for (const { name, given, gives } of cases) test(`says ${name}`, () => assert.equal(field(given), gives));

  test('requires neither an optional field nor one with a default', () => {
    const schema = z.object({ a: z.string(), b: z.string().optional(), c: z.string().default('') });
    assert.equal(structuralSchema(schema).required, ['a']);
  });

  test('says the same schema twice where it is used twice, because $ref is not structural', () => {
    const shared = z.object({ k: z.string() });
    const { properties } = structuralSchema(z.object({ a: shared, b: shared }));
    assert.equal(properties?.['a'], properties?.['b']);
    assert.is(properties?.['a']?.type, 'object');
  });

  const refused: { name: string; given: z.ZodType; says: RegExp }[] = [
    { name: 'a union', given: z.union([z.string(), z.boolean()]), says: /^\$\.x: a union needs one type/ },
    { name: 'an object that forbids other fields', given: z.strictObject({}), says: /the API server prunes/ },
    { name: 'two patterns', given: z.string().regex(/a/).regex(/b/), says: /^\$\.x: one schema cannot/ },
    { name: 'a date', given: z.date(), says: /Date cannot be represented/ },
    { name: 'a tuple', given: z.tuple([z.string()]), says: /^\$\.x\[\]: a union/ },
    { name: 'a literal null', given: z.null(), says: /^\$\.x: use nullable/ },
  ];
  for (const { name, given, says } of refused) test(`refuses ${name}`, () => assert.throws(() => field(given), says));
});
