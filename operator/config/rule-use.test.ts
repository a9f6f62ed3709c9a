import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { type LimitUse, quotaCounters, quotaWarning, reservationWarning } from './rule-use.ts';

const use = (namespace: string, ipv4: number, limit: LimitUse['limit'] = { ipv4: 2 }): LimitUse => ({
  namespace,
  limit,
  ipv4,
  ipv6: 0,
});

spec('what is in use', (test) => {
  test('is told with the fullest first, and how many are full', () => {
    const { used, full } = quotaCounters([use('a', 1), use('b', 3), use('c', 2), use('d', 1, { ipv4: 1, pool: 'p' })]);
    assert.equal(
      used.map(({ namespace }) => namespace),
      ['b', 'c', 'd', 'a'],
    );
    assert.equal(used[2], { namespace: 'd', pool: 'p', ipv4: 1 });
    assert.is(full, 3);
  });
  test('of a limit of none is full, of one without a number never', () => {
    assert.is(quotaCounters([use('a', 0, { ipv4: 0 }), use('b', 9, { ipv6: 1 })]).full, 1);
  });
  test('is cut where it is long', () => {
    const many = Array.from({ length: 150 }, (_, at) => use(`n${at}`, at % 3));
    const { used, full } = quotaCounters(many);
    assert.equal([used.length, full, used[0]?.ipv4, used[99]?.ipv4], [100, 50, 2, 1]);
  });
});

spec('a warning', (test) => {
  test('is told where a quota was lowered, and names who is over it', () => {
    assert.is(quotaWarning([use('a', 2), use('b', 1)]), undefined);
    assert.is(
      quotaWarning([use('a', 2), use('b', 4), use('c', 3, { ipv4: 1, pool: 'p' })])?.message,
      'namespace c has 3 IPv4 addresses instead of 1 of pool p, namespace b has 4 IPv4 addresses instead of 2: nobody loses anything.',
    );
    const together: LimitUse = { limit: { ipv4: 1, ipv6: 1 }, ipv4: 3, ipv6: 2 };
    assert.match(
      quotaWarning([together])?.message ?? '',
      /^the Services have 3 IPv4 addresses instead of 1 and 2 IPv6 addresses instead of 1:/,
    );
  });
  test('names those who hold what is reserved', () => {
    assert.is(reservationWarning({ heldByOthers: 0, examples: [] }), undefined);
    const examples = [{ address: '192.0.2.3', service: 'prod/t' }];
    assert.equal(reservationWarning({ heldByOthers: 4, examples }), {
      type: 'Conflicting',
      status: 'True',
      reason: 'HeldByOthers',
      message: '192.0.2.3 is held by prod/t and 3 more by others: they keep what they have.',
    });
  });
});
