import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { findGo, goTools } from './go-tools.ts';
import { places } from './places.ts';
import { Problem } from './problem.ts';

/** A directory with a `go` that says it is of that version. */
async function withGo(version: string, body: (directory: string) => unknown): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'herald-go-'));
  try {
    writeFileSync(join(directory, 'go'), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

spec('go tools', (test) => {
  test('a machine without Go is told what it needs it for', async () => {
    const problem = await rejection(Problem, () => findGo(['/nonexistent']));
    assert.is(problem.reason, 'NoGo');
    assert.match(problem.message, /needs Go 1\.24 or newer: install it/);
  });
  test('an old or broken Go is named with its version', async () => {
    for (const version of ['go1.19.8', 'go1.23.9', '']) {
      await withGo(version, async (directory) => {
        const problem = await rejection(Problem, () => findGo([directory]));
        assert.is(problem.reason, 'OldGo');
        assert.match(problem.message, `${directory}/go is ${version || 'unusable'}`);
      });
    }
  });
  test('the first Go of the list that is new enough is taken', async () => {
    for (const version of ['go1.24', 'go1.26.8', 'go2.0']) {
      await withGo(version, async (directory) => {
        assert.is(await findGo(['/nonexistent', directory]), join(directory, 'go'));
      });
    }
  });
  test('binaries live in the cache under a key of their own', () => {
    const { directory, key, kind } = goTools();
    assert.is(directory, join(places.binaries, key));
    assert.is(kind, join(directory, 'kind'));
  });
});
