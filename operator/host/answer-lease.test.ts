import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { AnswerLease } from './answer-lease.ts';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

spec('the lease for answering', (test) => {
  test('has ended before it was renewed, runs as long as it says, and ends', async () => {
    const lease = new AnswerLease();
    assert.is(lease.hasEndedFor(0), true);
    lease.renew(60);
    assert.is(lease.hasEndedFor(0), false);
    await pause(80);
    assert.is(lease.hasEndedFor(0), true);
    assert.is(lease.hasEndedFor(10_000), false);
  });

  test('is one for all who have its memory', () => {
    const renewed = new AnswerLease();
    const asked = new AnswerLease(renewed.shared);
    renewed.renew(10_000);
    assert.is(asked.hasEndedFor(0), false);
    renewed.renew(0);
    assert.is(asked.hasEndedFor(0), true);
  });

  test('is not shortened any more once it was extended for a restart', () => {
    const lease = new AnswerLease();
    lease.extendForRestart(10_000);
    lease.renew(0);
    assert.is(lease.hasEndedFor(0), false);
  });
});
