import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { kinds } from '../crds/kinds.ts';
import { type Health, healthOf } from '../testing/lua-health.ts';
import { spec } from '../testing/spec.ts';
import { argoCdConfigMap, healthScript } from './argocd.ts';

const FOLDER = new URL('argocd/', import.meta.url);
const read = (path: string) => parse(readFileSync(new URL(path, FOLDER), 'utf8'));
const { tests: cases } = read('health_test.yaml') as { tests: { healthStatus: Health; inputPath: string }[] };

spec('health of Argo CD', (test) => {
  for (const { inputPath, healthStatus } of cases)
    test(`of ${inputPath} is ${healthStatus.status}`, async () =>
      assert.equal(await healthOf(healthScript, read(inputPath)), healthStatus));

  test('is tested for every kind, and every object of testdata is used', () => {
    const inputs = cases.map(({ inputPath }) => inputPath);
    assert.equal(
      readdirSync(new URL('testdata', FOLDER))
        .map((file) => `testdata/${file}`)
        .sort(),
      inputs.toSorted(),
    );
    const tested = new Set(inputs.map((path) => read(path).kind));
    assert.equal(
      kinds.map(({ kind }) => kind).filter((kind) => !tested.has(kind)),
      [],
    );
  });

  test('of an object without status is Progressing where a verdict will come, else Healthy', async () => {
    for (const { group, version, kind } of kinds) {
      const object = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'a', generation: 1 } };
      const { status } = await healthOf(healthScript, object);
      const hasVerdict = JSON.stringify(kinds.find((one) => one.kind === kind)?.schema.shape).includes('conditions');
      assert.is(status, hasVerdict ? 'Progressing' : 'Healthy', kind);
    }
  });

  test('is set for both groups, by patterns that match the groups of our kinds and no others', () => {
    const { data } = argoCdConfigMap();
    const customizations = parse(data['resource.customizations']) as Record<string, { 'health.lua': string }>;
    assert.equal(Object.keys(customizations), [...new Set(kinds.map(({ group }) => `${group}/*`))]);
    for (const { 'health.lua': script } of Object.values(customizations)) assert.is(script, healthScript);
  });
});

spec('a health script', (test) => {
  const failure = async (script: string): Promise<string> => {
    try {
      return JSON.stringify(await healthOf(script, {}));
    } catch (error) {
      return String(error);
    }
  };
  test('that returns no table fails, as it does in Argo CD', async () =>
    assert.match(await failure('return "Healthy"'), 'the script returned string'));
  test('finds no library that Argo CD keeps closed', async () =>
    assert.match(await failure('return string.upper("x")'), "attempt to index global 'string'"));
  test('sees text as it is', async () => {
    const text = 'quotes "\\", line\nbreaks and ümlauts 1';
    assert.equal(await healthOf('return { status = "Healthy", message = obj.text }', { text }), {
      status: 'Healthy',
      message: text,
    });
  });
});
