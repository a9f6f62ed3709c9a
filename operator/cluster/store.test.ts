import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { Store } from './store.ts';

interface Slice {
  readonly name: string;
  readonly nodes: readonly string[];
}
const slice = (name: string, ...nodes: string[]): Slice => ({ name, nodes });

spec('store', (test) => {
  test('files an object under every value of an index, and under the new ones when it changes', () => {
    const store = new Store<Slice>({ node: ({ nodes }) => nodes });
    const on = (node: string) => store.by('node', node).map(({ name }) => name);
    store.put('a', slice('a', 'n1', 'n2'));
    store.put('b', slice('b', 'n2'));
    assert.equal([on('n1'), on('n2'), on('n3')], [['a'], ['a', 'b'], []]);
    store.put('a', slice('a', 'n3'));
    assert.equal([on('n1'), on('n2'), on('n3')], [[], ['b'], ['a']]);
    store.put('b', undefined);
    assert.equal([on('n2'), store.size], [[], 1]);
  });

  test('the list is the same array until something changes', () => {
    const store = new Store<Slice>();
    store.put('a', slice('a'));
    const list = store.list();
    assert.is(store.list(), list);
    store.put('b', slice('b'));
    assert.equal([list.length, store.list().length], [1, 2]);
  });

  test('put returns what was there', () => {
    const store = new Store<Slice>();
    const a = slice('a');
    assert.is(store.put('a', a), undefined);
    assert.is(store.put('a', slice('a', 'n1')), a);
    assert.is(store.put('missing', undefined), undefined);
  });

  test('an index that does not exist is a mistake', () => {
    assert.throws(() => new Store<Slice>().by('node', 'n1'), /no index node/);
  });
});
