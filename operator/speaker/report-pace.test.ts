import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { ReportPace } from './report-pace.ts';

spec('report pace', (test) => {
  test('gathers what comes together', () => {
    assert.is(new ReportPace().dueAt(1_000, false), 1_050);
  });

  test('writes twice a second at most', () => {
    const pace = new ReportPace();
    pace.wrote(1_000);
    assert.is(pace.dueAt(1_010, false), 1_500);
    assert.is(pace.dueAt(2_000, false), 2_050);
  });

  test('writes at once after a loss, and then not for three seconds, whatever happens', () => {
    const pace = new ReportPace();
    pace.wrote(1_000);
    assert.is(pace.dueAt(1_100, true), 1_150);
    pace.wrote(1_150);
    assert.is(pace.dueAt(1_200, false), 4_150);
    assert.is(pace.dueAt(1_300, true), 4_150);
    pace.wrote(4_150);
    assert.is(pace.dueAt(4_200, false), 4_650);
  });
});
