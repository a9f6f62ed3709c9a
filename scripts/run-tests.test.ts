import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';
import { resultOf } from './run-tests.ts';

spec('the test runner', (test) => {
  const totals = (total: number, passed: number, skipped = 0): string =>
    `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1ms\n`;
  const cases: { name: string; exitCode: number | null; output: string; gives: [passed: number, failed: number] }[] = [
    { name: 'a file that passed', exitCode: 0, output: totals(3, 3), gives: [3, 0] },
    { name: 'a file with one failure', exitCode: 1, output: totals(3, 2), gives: [2, 1] },
    { name: 'a file that registered no test', exitCode: 0, output: totals(0, 0), gives: [0, 1] },
    { name: 'a file that printed nothing', exitCode: 0, output: '', gives: [0, 1] },
    { name: 'a file that skipped a test', exitCode: 0, output: totals(3, 2, 1), gives: [2, 1] },
    { name: 'a file that passed and then crashed', exitCode: 7, output: totals(3, 3), gives: [3, 1] },
    { name: 'a file that was killed', exitCode: null, output: totals(3, 3), gives: [3, 1] },
  ];
  for (const { name, exitCode, output, gives } of cases)
    test(`counts ${name} as ${gives.join(' passed, ')} failed`, () => {
      const { passed, failed } = resultOf('x.test.ts', exitCode, output);
      assert.equal([passed, failed], gives);
    });
});
