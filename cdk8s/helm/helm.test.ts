import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { spec } from '../../testing/spec.ts';
import { asTemplate, block, inline, optional, scalar } from './template.ts';
import { defaultValues, values, valuesSchema } from './values.ts';

spec('a template', (test) => {
  const template = (object: unknown): string => asTemplate(stringify(object, { lineWidth: 0 }));

  test('has a scalar without quotes behind its key', () =>
    assert.is(template({ spec: { replicas: scalar('.Values.n') } }), 'spec:\n  replicas: {{ .Values.n }}\n'));
  test('has a value within a text', () =>
    assert.is(template({ name: `${inline('.A')}:${inline('.B')}` }), 'name: {{ .A }}:{{ .B }}\n'));
  test('has a block below its key, two deeper', () =>
    assert.is(template({ a: { b: block('.B') } }), 'a:\n  b:\n    {{- toYaml .B | nindent 4 }}\n'));
  test('has a block in a list two deeper than its key', () =>
    assert.is(template({ a: [{ b: block('.B') }] }), 'a:\n  - b:\n      {{- toYaml .B | nindent 6 }}\n'));
  test('leaves an optional block out with its key', () =>
    assert.is(
      template({ a: { b: optional('.B') } }),
      'a:\n  {{- with .B }}\n  b:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n',
    ));
  test('refuses a mark that it cannot place', () => {
    assert.throws(() => template({ a: [scalar('.A')] }), 'no template for');
    assert.throws(() => template({ a: [{ b: optional('.B') }] }), 'b begins an entry of a list');
  });
});

spec('values', (test) => {
  const workload = { resources: { requests: { cpu: '1' } }, tolerations: [{ operator: 'Exists' }], nodeSelector: {} };
  const defaults = defaultValues({
    image: 'registry:5000/herald:1.0.0',
    pullPolicy: 'Always',
    replicas: 2,
    operator: workload,
    speaker: workload,
  });

  test("leave the tag to the chart, whose appVersion is the product's", () =>
    assert.equal(defaults.image, { repository: 'registry:5000/herald', tag: '', pullPolicy: 'Always' }));
  test('refuse what they do not know', () => {
    assert.not.ok(values.safeParse({ ...defaults, operators: {} }).success);
    assert.not.ok(values.safeParse({ ...defaults, speaker: { ...defaults.speaker, replicas: 3 } }).success);
  });
  test('may come from a chart above, with its globals', () =>
    assert.ok(values.safeParse({ ...defaults, global: { anything: 1 } }).success));
  test('have a schema of the draft that every Helm reads, closed to unknown keys', () => {
    const schema = JSON.parse(valuesSchema());
    assert.is(schema.$schema, 'http://json-schema.org/draft-07/schema#');
    assert.is(schema.additionalProperties, false);
    assert.is(schema.properties.speaker.additionalProperties, false);
  });
});
