/** The role as a process: what it says when it cannot work. Needs root, because it gives a capability away. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const ARGS = ['speaker', '--namespace', 'herald-system', '--node-name', 'a', '--kubeconfig', '/no/such/file'];

spec(
  'herald speaker',
  (test) => {
    test('without NET_RAW says which capability it lacks and why, and ends with 2', () => {
      const { status, stdout, stderr } = spawnSync(
        'setpriv',
        ['--bounding-set=-net_raw', '--no-new-privs', process.execPath, MAIN, ...ARGS],
        { encoding: 'utf8' },
      );
      assert.is(status, 2, stderr);
      assert.is(stdout, '');
      assert.match(stderr, /^herald speaker: the capability NET_RAW is missing; it is needed to answer ARP .*\n$/);
    });
  },
  { timeoutMs: 20_000 },
);
