import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';

/** Runs .ci/run where `make test` prints `prints` and ends with `status`. */
function runCi(prints: string, status: number): { lastLine: string | undefined; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'herald-ci-'));
  try {
    mkdirSync(join(folder, '.ci'));
    mkdirSync(join(folder, 'bin'));
    cpSync('.ci/run', join(folder, '.ci/run'));
    const make = join(folder, 'bin/make');
    writeFileSync(
      make,
      `#!/bin/sh\n[ "$1" = test ] || { echo removed; exit 0; }\nprintf '${prints}'\nexit ${status}\n`,
    );
    chmodSync(make, 0o755);
    const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, TMPDIR: folder };
    const run = spawnSync(join(folder, '.ci/run'), { encoding: 'utf8', env });
    return { lastLine: run.stdout.trimEnd().split('\n').at(-1), status: run.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

spec('.ci/run', (test) => {
  const rows: [name: string, prints: string, status: number, lastLine: string, ends: number][] = [
    ['passes what passed', '3 passed, 0 failed\\nall\\n9 passed, 0 failed\\n', 0, '9 passed, 0 failed', 0],
    ['fails what failed', '9 passed, 2 failed\\n', 2, '9 passed, 2 failed', 2],
    ['counts a failure when the run broke off after a good suite', '3 passed, 0 failed\\n', 2, '3 passed, 1 failed', 2],
    ['fails a run that counted nothing', 'hello\\n', 0, '0 passed, 1 failed', 1],
    ['fails a run that ran nothing', '0 passed, 0 failed\\n', 0, '0 passed, 1 failed', 1],
    ['fails a run that hides a failure', '9 passed, 1 failed\\n', 0, '9 passed, 1 failed', 1],
  ];
  for (const [name, prints, status, lastLine, ends] of rows)
    test(name, () => assert.equal(runCi(prints, status), { lastLine, status: ends }));
});
