import * as assert from 'uvu/assert';
import { spec } from '../../../testing/spec.ts';
import { CommandError } from '../command.ts';
import { labelRequirements } from './label-requirements.ts';

const cases: readonly (readonly [text: string, labels: Record<string, string> | undefined, isMet: boolean])[] = [
  ['', undefined, true],
  ['a=b', { a: 'b' }, true],
  ['a==b', { a: 'c' }, false],
  ['a!=b', undefined, true],
  ['a!=b', { a: 'b' }, false],
  ['team.example.com/name', { 'team.example.com/name': '' }, true],
  ['!a', { a: 'b' }, false],
  ['!a, b=', { b: '' }, true],
];

spec('a label selector of -l', (test) => {
  for (const [text, labels, isMet] of cases)
    test(`${text || '(empty)'} ${isMet ? 'takes' : 'leaves'} ${JSON.stringify(labels)}`, () => {
      assert.is(labelRequirements(text)(labels), isMet);
    });
  test('says what it does not understand', () => {
    for (const text of ['a in (b)', '!a=b', '=b'])
      try {
        labelRequirements(text);
        assert.unreachable(text);
      } catch (error) {
        assert.instance(error, CommandError);
      }
  });
});
