import { readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { spec } from '../testing/spec.ts';
import { customResourceDefinition, definitionName } from './definition.ts';
import { ipAddressPoolSpec } from './ip-address-pool.ts';
import { kinds } from './kinds.ts';
import type { OpenApiSchema } from './structural.ts';

const goldenFile = (plural: string) => new URL(`testdata/${plural}.crd.golden.yaml`, import.meta.url);

/** Every node of a schema with its path. */
function* nodes(schema: OpenApiSchema, path = '$'): Generator<[path: string, node: OpenApiSchema]> {
  yield [path, schema];
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield* nodes(child, `${path}.${name}`);
  if (schema.items) yield* nodes(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* nodes(schema.additionalProperties, `${path}{}`);
}
const schemaOf = (kind: (typeof kinds)[number]) => {
  const { versions } = customResourceDefinition(kind).spec as {
    versions: { schema: { openAPIV3Schema: OpenApiSchema } }[];
  };
  const schema = versions.at(-1)?.schema.openAPIV3Schema;
  if (!schema) throw new Error(`${kind.kind} has no version`);
  return schema;
};

spec('kinds', (test) => {
  for (const kind of kinds) {
    test(`${kind.kind}: the definition is the golden one (UPDATE_GOLDEN=1 rewrites it)`, () => {
      const text = stringify(customResourceDefinition(kind), { lineWidth: 0, aliasDuplicateObjects: false });
      if (process.env['UPDATE_GOLDEN']) writeFileSync(goldenFile(kind.plural), text);
      assert.is(readFileSync(goldenFile(kind.plural), 'utf8'), text);
    });

    test(`${kind.kind}: every node of the schema is described`, () => {
      for (const [path, node] of nodes(schemaOf(kind))) {
        if (path === '$.metadata') continue; // the API server puts its own schema there, with descriptions
        assert.ok(node.description, `${kind.kind} ${path}`);
      }
    });

    test(`${kind.kind}: every column shows a field of the schema`, () => {
      const fields = new Set([...nodes(schemaOf(kind))].map(([path]) => path));
      for (const { name, jsonPath } of kind.columns) {
        if (jsonPath.startsWith('.metadata.')) continue;
        assert.ok(fields.has(`$${jsonPath.replace(/\[[^\]]*\]/g, '[]')}`), `${name}: ${jsonPath}`);
      }
    });

    test(`${kind.kind}: has its conditions where kubectl wait and kstatus look for them`, () => {
      for (const [path] of nodes(schemaOf(kind))) {
        if (path.endsWith('.conditions')) assert.is(path, '$.status.conditions');
      }
    });

    test(`${kind.kind}: every rule speaks to a person`, () => {
      for (const [path, node] of nodes(schemaOf(kind))) {
        const rules = (node['x-kubernetes-validations'] ?? []) as { rule: string; message: string }[];
        for (const { message } of rules) assert.match(message, /\w+ \w+ \w+/, path);
      }
    });
  }

  test('that users write are in progress from birth and show Ready, Reason and Age', () => {
    for (const kind of kinds.filter(
      ({ categories, schema }) => categories.includes('herald') && 'spec' in schema.shape,
    )) {
      const status = schemaOf(kind).properties?.['status'] as { default?: { conditions: { type: string }[] } };
      assert.equal(
        status.default?.conditions.map(({ type }) => type),
        ['Ready', 'Reconciling'],
      );
      const names = kind.columns.filter(({ priority = 0 }) => priority === 0).map(({ name }) => name);
      assert.equal([names[0], names[1], names.at(-1)], ['Ready', 'Reason', 'Age'], definitionName(kind));
    }
  });

  test('have names of their own', () => {
    assert.is(new Set(kinds.map(definitionName)).size, kinds.length);
  });

  test('fill in the defaults that the API server fills in', () => {
    assert.equal(ipAddressPoolSpec.parse({ addresses: ['192.0.2.0/24'] }), {
      addresses: ['192.0.2.0/24'],
      autoAssign: true,
      avoidBuggyIPs: false,
    });
  });
});
