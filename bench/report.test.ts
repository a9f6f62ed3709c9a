import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';
import { type Bar, type Entry, entryOf, merged, statisticsOf, tableOf } from './report.ts';

const bar: Bar = { text: 'median <= 20', holds: ({ median }) => median <= 20 };

spec('bench report', (test) => {
  test('orders samples as numbers, and p99 of few is their worst', () => {
    assert.equal(statisticsOf([100, 9, 20]), { min: 9, median: 20, p99: 100, max: 100 });
  });
  test('the median of an even count lies between', () => assert.is(statisticsOf([1, 2, 3, 10]).median, 2.5));
  test('p99 of 200 leaves the two worst out', () => {
    const samples = Array.from({ length: 200 }, (_, at) => at + 1);
    assert.is(statisticsOf(samples).p99, 198);
  });
  test('without a sample there is nothing to say', () => assert.throws(() => statisticsOf([]), /no sample/));

  test('an entry has the fields of the format, and no other', () => {
    const entry = entryOf('x', 'ms', bar, { samples: [10, 30], floor: { name: 'f 1.0', median: 10 } }, 'abc');
    assert.equal(entry, {
      name: 'x',
      unit: 'ms',
      runs: 2,
      min: 10,
      median: 20,
      p99: 30,
      max: 30,
      floor: { name: 'f 1.0', median: 10 },
      ratio: 2,
      bar: 'median <= 20',
      holds: true,
      commit: 'abc',
      samples: [10, 30],
    });
  });
  test('a bar that does not hold says so, and so does a run that was not sound', () => {
    assert.is(entryOf('x', 'ms', bar, { samples: [21], floor: null }, 'abc').holds, false);
    assert.is(entryOf('x', 'ms', bar, { samples: [1], floor: null, isSound: false }, 'abc').holds, false);
  });
  test('a floor that could not be measured has no ratio', () => {
    assert.is(entryOf('x', 'ms', bar, { samples: [1], floor: { name: 'not there' } }, 'abc').ratio, null);
  });

  test('a run replaces its own entries and keeps the others', () => {
    const one = (name: string, commit: string): Entry =>
      entryOf(name, 'ms', bar, { samples: [1], floor: null }, commit);
    const both = merged([one('a', 'old'), one('b', 'old')], [one('b', 'new')]);
    assert.equal(
      both.map(({ name, commit }) => `${name} ${commit}`),
      ['a old', 'b new'],
    );
    assert.is(tableOf(both).trim().split('\n').length, 4);
  });
});
