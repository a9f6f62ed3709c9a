import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { selected } from './select.ts';

spec('ONLY', (test) => {
  const all = ['alloc.cold.1000', 'alloc.single', 'l2.cut'];
  test('empty means all', () => assert.equal(selected(all, ''), all));
  test('names and patterns select, in the order of all', () => {
    assert.equal(selected(all, 'l2.cut, alloc.s*'), ['alloc.single', 'l2.cut']);
  });
  test('a dot is a dot', () => assert.throws(() => selected(['l2xcut'], 'l2.cut'), /is none of/));
  test('a name that does not exist is an error', () => assert.throws(() => selected(all, 'l2.cut,l2.cat'), /l2.cat/));
});
