import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { waitFor } from './wait-for.ts';

spec('waitFor', (test) => {
  test('returns what it waited for', async () => {
    let looks = 0;
    const seen = await waitFor(
      'three looks',
      { withinMs: 1000, everyMs: 1 },
      () => ++looks,
      (count) => count === 3,
    );
    assert.is(seen, 3);
  });

  test('a look that throws is one that failed, not the end', async () => {
    let looks = 0;
    const look = (): boolean => {
      looks += 1;
      if (looks < 3) throw new Error('not yet');
      return true;
    };
    assert.is(await waitFor('a look', { withinMs: 1000, everyMs: 1 }, look), true);
  });

  test('tells what it saw last when the time is over', async () => {
    const error = await rejection(Error, () =>
      waitFor(
        'the moon',
        { withinMs: 5, everyMs: 1 },
        () => ({ seen: 7 }),
        () => false,
      ),
    );
    assert.match(error.message, /the moon: not within 5 ms; last seen: \{"seen":7\}/);
  });

  test('tells the last error when the time is over', async () => {
    const look = (): never => {
      throw new Error('refused');
    };
    assert.match((await rejection(Error, () => waitFor('it', { withinMs: 5, everyMs: 1 }, look))).message, /refused/);
  });
});
