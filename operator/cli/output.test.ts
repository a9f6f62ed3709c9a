import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { ageOf, bar, paintOf, structured, table, widthOf } from './output.ts';

spec('output', (test) => {
  test('has colours on a terminal alone, and not where NO_COLOR or a dumb terminal forbid them', () => {
    const painted = (isTerminal: boolean, env: Record<string, string>): string =>
      paintOf({ isTerminal, env })('bad', 'x');
    assert.is(painted(true, {}), '\u001B[31mx\u001B[39m');
    for (const plain of [painted(false, {}), painted(true, { NO_COLOR: '1' }), painted(true, { TERM: 'dumb' })])
      assert.is(plain, 'x');
  });

  test('lines up columns by what is seen, whatever its colour', () => {
    const red = paintOf({ isTerminal: true, env: {} })('bad', 'no');
    assert.is(
      table(
        ['A', 'LONGER'],
        [
          [red, '1'],
          ['yes', '2'],
        ],
      ),
      `A    LONGER\n${red}   1\nyes  2\n`,
    );
    assert.is(table([], [['a', 'b']], '  '), '  a  b\n');
    assert.is(table(['A'], []), '');
  });

  test('is JSON or YAML for programs', () => {
    assert.is(structured('json', { a: [1] }), '{\n  "a": [\n    1\n  ]\n}\n');
    assert.is(structured('yaml', { a: [1] }), 'a:\n  - 1\n');
  });

  const bars: [share: number, text: string][] = [
    [0, '░░░░'],
    [0.0001, '▏░░░'],
    [0.5, '██░░'],
    [0.99, '███▉'],
    [1, '████'],
    [7, '████'],
  ];
  for (const [share, text] of bars) test(`draws ${share} as ${text}`, () => assert.is(bar(share, 4), text));

  test('draws bars of the width that was asked for', () =>
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 60 }), (share, width) => {
        assert.is(widthOf(bar(share, width)), width);
      }),
    ));

  const ages: [seconds: number, text: string][] = [
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7_199, '119m'],
    [172_800, '2d'],
    [-5, '0s'],
  ];
  for (const [seconds, text] of ages)
    test(`says ${seconds} s ago as ${text}`, () => {
      const now = new Date('2026-03-01T12:00:00Z');
      assert.is(ageOf(new Date(now.getTime() - seconds * 1000).toISOString(), now), text);
    });

  test('says that a time is unknown', () => {
    assert.is(ageOf(undefined, new Date()), 'unknown');
    assert.is(ageOf('soon', new Date()), 'unknown');
  });
});
