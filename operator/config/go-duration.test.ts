import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { parseDurationMs } from './go-duration.ts';

spec('parseDurationMs', (test) => {
  for (const [text, ms] of [
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1500ms', 1_500],
    ['250µs', 0.25],
    ['250μs', 0.25],
    ['0', 0],
    ['-3s', -3_000],
    ['+3s', 3_000],
  ] as const)
    test(`reads ${text}`, () => assert.is(parseDurationMs(text), ms));
  for (const text of ['', '3', 's', '3 s', '1m30', 'a minute', '1d', '3s ', '--3s'])
    test(`does not read "${text}"`, () => assert.is(parseDurationMs(text), undefined));
});
