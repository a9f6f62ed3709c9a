import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { outagesOf, type Sample, summaryOf } from './outage.ts';

/** Probes 10 ms apart, each answered after 1 ms where the pattern says '!', lost where it says '.'. */
const series = (pattern: string): Sample[] =>
  [...pattern].map((mark, number) => {
    const sentAt = 1000 + number * 10;
    return mark === '!' ? { number, sentAt, answeredAt: sentAt + 1, node: 'a' } : { number, sentAt };
  });

spec('outage', (test) => {
  test('a series without a loss has no outage', () => {
    const { outageMs, lost, outages, isServedAtEnd } = summaryOf(series('!!!!'));
    assert.equal(
      { outageMs, lost, outages, isServedAtEnd },
      { outageMs: 0, lost: 0, outages: [], isServedAtEnd: true },
    );
  });

  test('an outage lasts from the last answer before to the first answer after', () => {
    assert.equal(outagesOf(series('!!...!')), [{ from: 1011, to: 1051, ms: 40, lost: 3, isOver: true }]);
  });

  test('the longest of several outages counts, and all losses', () => {
    const { outageMs, lost, outages } = summaryOf(series('!.!...!.!'));
    assert.equal([outageMs, lost, outages.length], [40, 5, 3]);
  });

  test('what never comes back is not over', () => {
    const { isServedAtEnd, outages } = summaryOf(series('!!....'));
    assert.is(isServedAtEnd, false);
    assert.equal(outages, [{ from: 1011, to: 1050, ms: 39, lost: 4, isOver: false }]);
  });

  test('what was never answered is an outage from its first probe', () => {
    assert.equal(outagesOf(series('...')), [{ from: 1000, to: 1020, ms: 20, lost: 3, isOver: false }]);
  });

  test('nothing sent is not served', () => assert.is(summaryOf([]).isServedAtEnd, false));

  test('samples may come in the order of their answers', () => {
    assert.equal(outagesOf(series('!!...!').toReversed()), outagesOf(series('!!...!')));
  });

  test('a prober that stood still shows', () => {
    const samples = [...series('!!!'), { number: 3, sentAt: 2000, answeredAt: 2001, node: 'b' }];
    const { longestSendGapMs, answersByNode } = summaryOf(samples);
    assert.equal([longestSendGapMs, answersByNode], [980, { a: 3, b: 1 }]);
  });
});
