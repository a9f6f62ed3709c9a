import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';
import { generatedPages, metricFiles } from './docs.ts';

const sources = readdirSync('operator', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/(\.test|-lab)\.ts$/.test(name))
  .map((name) => join('operator', name));

spec('documents', (test) => {
  test('say what the product says: run `make docs` after a change of a flag, a metric or a reason', async () => {
    for (const [path, text] of Object.entries(await generatedPages()))
      assert.is(readFileSync(path, 'utf8'), text, path);
  });

  test('know of every metric, because metrics are made in files named metrics.ts alone', () => {
    const known = metricFiles();
    const makers = sources.filter((path) => /new (Gauge|Counter|Histogram|Summary)\(/.test(readFileSync(path, 'utf8')));
    assert.equal(
      makers.filter((path) => !known.includes(path)),
      [],
    );
    assert.equal(
      known.filter((path) => !makers.includes(path)),
      [],
    );
  });

  test('name a test for each difference from MetalLB, and one that is there', () => {
    const lines = readFileSync('docs/differences-from-metallb.md', 'utf8').split('\n');
    const rows = lines.filter((line, at) => line.startsWith('| ') && !lines[at + 1]?.startsWith('|---'));
    assert.ok(rows.length > 50);
    for (const row of rows) {
      const tests = [...row.matchAll(/`([\w/.-]+\.(?:test|e2e)\.ts)`/g)].map(([, path = '']) => path);
      assert.ok(tests.length > 0, row);
      for (const path of tests) assert.ok(existsSync(path), path);
    }
  });

  test('know of every variable, because the environment is read through settings alone', () => {
    const readers = sources.filter((path) => /\b(METALLB|HERALD)_[A-Z]/.test(readFileSync(path, 'utf8')));
    assert.equal(
      readers.filter((path) => !path.startsWith('operator/settings/')),
      [],
    );
    assert.ok(readers.length > 0);
  });
});
