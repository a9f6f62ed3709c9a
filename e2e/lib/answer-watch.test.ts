import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { roundsIn } from './answer-watch.ts';

spec('answer watch', (test) => {
  test('tells rounds apart, and a silent one from one that two nodes answered', () => {
    const output = `@round 10.0.0.1
42 bytes from 02:42:ac:12:00:03 (10.0.0.1): index=0 time=5.160 usec
@round 10.0.0.1
Timeout
@round fc00::1
Target link-layer address: 02:42:AC:12:00:03
Target link-layer address: 02:42:AC:12:00:04
`;
    assert.equal(roundsIn(output), [
      { address: '10.0.0.1', macs: ['02:42:ac:12:00:03'] },
      { address: '10.0.0.1', macs: [] },
      { address: 'fc00::1', macs: ['02:42:ac:12:00:03', '02:42:ac:12:00:04'] },
    ]);
  });
});
