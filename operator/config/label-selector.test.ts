import * as assert from 'uvu/assert';
import type { LabelSelector } from '../../crds/object-meta.ts';
import { spec } from '../../testing/spec.ts';
import { matches, matchesAny, selectorProblem } from './label-selector.ts';

const expression = (key: string, operator: string, values?: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
});
const labels = { tier: 'web', zone: 'a' };

spec('label selectors', (test) => {
  const cases: [name: string, selector: LabelSelector, gives: boolean][] = [
    ['an empty selector', {}, true],
    ['equal labels', { matchLabels: { tier: 'web', zone: 'a' } }, true],
    ['one label that differs', { matchLabels: { tier: 'web', zone: 'b' } }, false],
    ['a missing label', { matchLabels: { team: 'x' } }, false],
    ['In with the value', expression('tier', 'In', ['db', 'web']), true],
    ['In with other values', expression('tier', 'In', ['db']), false],
    ['In for a missing label', expression('team', 'In', ['x']), false],
    ['NotIn with other values', expression('tier', 'NotIn', ['db']), true],
    ['NotIn with the value', expression('tier', 'NotIn', ['web']), false],
    ['NotIn for a missing label', expression('team', 'NotIn', ['x']), true],
    ['Exists', expression('tier', 'Exists'), true],
    ['Exists for a missing label', expression('team', 'Exists'), false],
    ['DoesNotExist for a missing label', expression('team', 'DoesNotExist'), true],
    ['DoesNotExist', expression('tier', 'DoesNotExist'), false],
    ['an unknown operator', expression('tier', 'Near', ['web']), false],
    ['a label of the prototype', expression('constructor', 'Exists'), false],
    [
      'labels that match and an expression that does not',
      { matchLabels: { tier: 'web' }, ...expression('zone', 'In', ['b']) },
      false,
    ],
  ];
  for (const [name, selector, gives] of cases)
    test(`${name}: ${gives ? 'matches' : 'does not match'}`, () => assert.is(matches(selector, labels), gives));

  test('of a list one must match, and an empty list matches all', () => {
    assert.ok(matchesAny([], undefined));
    assert.ok(matchesAny([{ matchLabels: { tier: 'db' } }, { matchLabels: { tier: 'web' } }], labels));
    assert.not.ok(matchesAny([{ matchLabels: { tier: 'db' } }], labels));
  });

  const problems: [selector: LabelSelector, problem: string | undefined][] = [
    [expression('a', 'In', ['b']), undefined],
    [expression('a', 'Exists'), undefined],
    [expression('a', 'In'), 'needs at least one value'],
    [expression('a', 'Exists', ['b']), 'takes no values'],
    [expression('a', 'in', ['b']), 'is not one of'],
    [expression('a', 'toString', ['b']), 'is not one of'],
  ];
  for (const [selector, problem] of problems)
    test(`${JSON.stringify(selector.matchExpressions?.[0])} ${problem ?? 'is sound'}`, () => {
      const found = selectorProblem(selector);
      if (problem === undefined) assert.is(found, undefined);
      else assert.match(found ?? '', problem);
    });
});
