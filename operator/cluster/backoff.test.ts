import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { Backoff } from './backoff.ts';

spec('backoff', (test) => {
  const waits = (random: number, nowMs: (at: number) => number, count: number): number[] => {
    let at = 0;
    const backoff = new Backoff({ random: () => random, now: () => nowMs(at) });
    return Array.from({ length: count }, () => {
      const wait = backoff.nextMs();
      at += 1;
      return wait;
    });
  };

  test('doubles up to a second in the first half minute of an outage', () => {
    assert.equal(
      waits(1, () => 0, 6),
      [100, 200, 400, 800, 1_000, 1_000],
    );
  });

  test('goes on to ten seconds after that', () => {
    const later = (at: number) => (at === 0 ? 0 : 30_000);
    assert.equal(waits(1, later, 9), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  test('half of each wait is chance', () => {
    assert.equal(
      waits(0, () => 0, 3),
      [50, 100, 200],
    );
  });

  test('begins anew after a success', () => {
    const backoff = new Backoff({ random: () => 1 });
    for (let failure = 0; failure < 5; failure += 1) backoff.nextMs();
    backoff.reset();
    assert.is(backoff.nextMs(), 100);
  });
});
