import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { conditionOf, timestampOf, withCondition } from './conditions.ts';

const before = new Date('2026-01-01T00:00:00.500Z');
const later = new Date('2026-01-02T00:00:00.500Z');
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Serving',
  message: 'all is well',
  observedGeneration: 1,
} as const;

spec('conditions', (test) => {
  test('the same condition again is the same array', () => {
    const conditions = withCondition([], ready, before);
    assert.is(withCondition(conditions, ready, later), conditions);
  });

  test('the time moves only with the status', () => {
    const conditions = withCondition([], ready, before);
    const other = withCondition(conditions, { ...ready, reason: 'Other', observedGeneration: 2 }, later);
    assert.is(conditionOf(other, 'Ready')?.lastTransitionTime, '2026-01-01T00:00:00Z');
    assert.is(conditionOf(other, 'Ready')?.reason, 'Other');
    const down = withCondition(other, { ...ready, status: 'False' }, later);
    assert.is(conditionOf(down, 'Ready')?.lastTransitionTime, '2026-01-02T00:00:00Z');
  });

  test('conditions are sorted by type, one for each', () => {
    const conditions = ['Ready', 'Accepted', 'Ready'].reduce(
      (all, type) => withCondition(all, { ...ready, type }, before),
      [] as ReturnType<typeof withCondition>,
    );
    assert.equal(
      conditions.map(({ type }) => type),
      ['Accepted', 'Ready'],
    );
  });

  test('times have whole seconds, as the API server keeps them', () => {
    assert.is(timestampOf(before), '2026-01-01T00:00:00Z');
  });
});
