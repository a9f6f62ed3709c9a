/** The health script in the engine that Argo CD runs it in, which is none of npm's: the same answers. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { goTool } from '../e2e/cluster/go-tool.ts';
import { run } from '../e2e/cluster/process.ts';
import { spec } from '../testing/spec.ts';

const FOLDER = join(import.meta.dirname, 'argocd');
const FIVE_MINUTES = 300_000;
const read = (path: string) => parse(readFileSync(join(FOLDER, path), 'utf8'));

spec(
  'health of Argo CD in gopher-lua',
  (test) => {
    test('is what the tests beside the script say', async () => {
      const { tests } = read('health_test.yaml') as { tests: { healthStatus: object; inputPath: string }[] };
      const program = await goTool({ name: 'argocd-lua', package: '.' });
      const objects = tests.map(({ inputPath }) => read(inputPath));
      const { stdout } = await run([program, join(FOLDER, 'health.lua')], { input: JSON.stringify(objects) });
      assert.equal(
        JSON.parse(stdout),
        tests.map(({ healthStatus }) => healthStatus),
      );
    });
  },
  { timeoutMs: FIVE_MINUTES },
);
