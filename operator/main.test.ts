import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';

/** Runs the product outside of any pod. */
function herald(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['operator/main.ts', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  return { code: status, out: stdout, err: stderr };
}

spec(
  'herald',
  (test) => {
    test('prints its roles, its commands and its version', () => {
      const { code, out } = herald('--help');
      assert.is(code, 0);
      for (const role of ['herald operator', 'herald speaker', 'herald status']) assert.match(out, role);
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      assert.equal(herald('version'), { code: 0, out: `herald ${version}\n`, err: '' });
    });

    test('lists the settings of a role, whatever else is wrong', () => {
      const { code, out } = herald('speaker', '--port=x', '--help');
      assert.is(code, 0);
      assert.match(out, '--node-name=NAME');
    });

    test('ends with 2 when no role or an unknown one is given', () => {
      assert.is(herald().code, 2);
      const { code, err } = herald('speeker');
      assert.is(code, 2);
      assert.match(err, 'there is no role or command speeker: did you mean speaker?');
    });

    for (const role of ['operator', 'speaker'])
      test(`ends with 2 and every mistake when the settings of ${role} are wrong`, () => {
        const { code, out, err } = herald(role, '--bad', '--port=x');
        assert.is(code, 2);
        assert.is(out, '');
        for (const mistake of ['--bad does not exist', '--port=x must be', '--namespace is missing', '--kubeconfig is'])
          assert.match(err, mistake);
      });
  },
  { timeoutMs: 30_000 },
);
