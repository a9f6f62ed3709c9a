import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { parseRange } from '../net/range.ts';
import { capacityOf, countOf } from './pool-capacity.ts';

const pool = (avoidBuggyIPs: boolean, ...texts: readonly string[]) => ({
  avoidBuggyIPs,
  ranges: texts.map(parseRange).filter((range) => typeof range !== 'string'),
});

spec('the capacity of a pool', (test) => {
  const cases: [name: string, given: ReturnType<typeof pool>, ipv4: bigint, ipv6: bigint][] = [
    ['a /24', pool(false, '10.0.0.0/24'), 256n, 0n],
    ['a /24 without .0 and .255', pool(true, '10.0.0.0/24'), 254n, 0n],
    ['a /23 without .0 and .255', pool(true, '10.0.0.0/23'), 508n, 0n],
    ['a range around a boundary', pool(true, '10.0.0.254-10.0.1.1'), 2n, 0n],
    ['a single .0', pool(true, '10.0.0.0/32'), 0n, 0n],
    ['the first address of all', pool(true, '0.0.0.0/32'), 0n, 0n],
    ['both families', pool(true, '10.0.0.1-10.0.0.9', '2001:db8::/120'), 9n, 256n],
  ];
  for (const [name, given, ipv4, ipv6] of cases)
    test(`${name}: ${ipv4} and ${ipv6}`, () => assert.equal(capacityOf(given), { ipv4, ipv6 }));

  test('fits into an int64 however large the pool is', () => {
    assert.ok(BigInt(JSON.stringify(countOf(2n ** 128n))) < 2n ** 63n);
    assert.is(countOf(-1n), 0);
    assert.is(countOf(12n), 12);
  });
});
