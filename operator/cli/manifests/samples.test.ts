import * as assert from 'uvu/assert';
import { kinds } from '../../../crds/kinds.ts';
import { ABSENT, placeOf, sampleObject } from '../../../crds/samples/field.ts';
import { samples } from '../../../crds/samples/samples.ts';
import { accepted, refused } from '../../../e2e/scenarios/corpus/cases.ts';
import { spec } from '../../../testing/spec.ts';
import { checkObject } from './checked-object.ts';
import { isConfigKind, kindOf } from './known-kinds.ts';
import { type Manifest, readManifests } from './manifest.ts';

/** What is said against an object, `field: message`, as the API server puts it. */
function complaints(apiVersion: string, kind: string, fields: object): readonly string[] {
  const object = { apiVersion, kind, metadata: { name: 'sample', namespace: 'herald-system' }, ...fields };
  const { manifests } = readManifests([{ name: 'f', text: JSON.stringify(object) }]);
  const definition = kindOf(manifests[0] as Manifest);
  if (!definition || 'severity' in definition) throw new Error(`${kind} is no kind of the configuration`);
  return checkObject(manifests[0] as Manifest, definition).problems.map(({ field, message }) => `${field}: ${message}`);
}

const shown = (value: unknown): string => (value === ABSENT ? 'no value' : `${JSON.stringify(value)}`.slice(0, 60));
const apiVersionOf = (name: string): string => {
  const found = kinds.find(({ kind }) => kind === name);
  return `${found?.group}/${found?.version}`;
};

// The same tables that scenarios send to a real API server.
spec('what the API server takes and refuses', (test) => {
  for (const sample of samples.filter(({ kind }) => isConfigKind(kind.kind)))
    test(`is taken and refused of ${sample.kind.kind}, field by field`, () => {
      const { group, version, kind } = sample.kind;
      const wrong = sample.fields
        .filter(({ path }) => !path.startsWith('status'))
        .flatMap((row) => {
          const said = (value: unknown): readonly string[] =>
            complaints(`${group}/${version}`, kind, sampleObject(sample, row, value));
          const takes = row.takes.filter((value) => said(value).length > 0);
          const refuses = row.refuses.filter((value) => !said(value).some((one) => one.startsWith(placeOf(row.path))));
          return [
            ...takes.map((value) => `${row.path}: refuses ${shown(value)}: ${said(value).join()}`),
            ...refuses.map((value) => `${row.path}: takes ${shown(value)}, or says: ${said(value).join()}`),
          ];
        });
      assert.equal(wrong, []);
    });
  test('is refused by the rules of the definitions', () => {
    const taken = refused.filter(({ kind, spec }) => complaints(apiVersionOf(kind), kind, { spec }).length === 0);
    assert.equal(
      taken.map(({ name }) => name),
      [],
    );
  });
  test('is accepted at their very edge', () => {
    const said = accepted.map(
      ({ name, kind, spec }) => [name, complaints(apiVersionOf(kind), kind, { spec })] as const,
    );
    assert.equal(
      said.filter(([, complaints]) => complaints.length > 0),
      [],
    );
  });
});
