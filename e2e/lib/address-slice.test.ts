import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { sliceOf } from './address-slice.ts';

spec('address slices', (test) => {
  test('the first and the next do not touch', () => {
    assert.equal(sliceOf('172.18.200.0-172.18.200.255', 0, 4).addresses.at(-1), '172.18.200.3');
    assert.equal(sliceOf('172.18.200.0-172.18.200.255', 1, 4).addresses[0], '172.18.200.4');
  });
  test('are written as first to last', () => {
    assert.is(sliceOf('fc00::100-fc00::1ff', 1, 4).range, 'fc00::104-fc00::107');
  });
  test('end where the free range ends', () => {
    assert.throws(() => sliceOf('10.0.0.0-10.0.0.7', 2, 4), /no slice 2/);
    assert.throws(() => sliceOf('nonsense', 0), /NotAnAddress/);
  });
});
