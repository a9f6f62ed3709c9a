import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { QUIET } from './quiet.ts';

const SCENARIOS = join(import.meta.dirname, '../scenarios');
/** What breaks or counts something that other scenarios look at. */
const LOUD =
  /lib\/(faults|write-counts|many-services|answer-watch|undisturbed)\.ts|\b(cut|unplug|scaleOperators|crashed|killed)\(/;

spec('quiet scenarios', (test) => {
  for (const name of QUIET)
    test(`${name} is there and breaks nothing`, () => {
      const file = join(SCENARIOS, `${name}.e2e.ts`);
      assert.ok(existsSync(file));
      assert.not.match(readFileSync(file, 'utf8'), LOUD);
    });
});
