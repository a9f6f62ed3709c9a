import { globSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';
import { reasons } from './reasons.ts';

spec('reasons', (test) => {
  const all = Object.entries(reasons).flatMap(([section, words]) =>
    Object.entries(words).map(([word, sentence]) => ({ section, word, sentence })),
  );

  test('are one word each that a condition may carry; only events of MetalLB begin in lower case', () => {
    for (const { section, word } of all) {
      assert.match(word, section === 'events' ? /^[A-Za-z]{3,}$/ : /^[A-Z][A-Za-z0-9]{2,}$/);
    }
  });

  test('are explained by a sentence', () => {
    for (const { word, sentence } of all) assert.match(sentence, /^[A-Z].* .*[^.]\.$/, word);
  });

  test('are each said somewhere in the product', () => {
    const root = new URL('..', import.meta.url).pathname;
    const said = globSync(['operator/**/*.ts', 'crds/definition.ts'], { cwd: root })
      .filter((path) => !/\.test\.ts$|\/testing\//.test(path))
      .map((path) => readFileSync(`${root}${path}`, 'utf8'))
      .join('\n');
    const silent = all.filter(({ word }) => !new RegExp(`'${word}'|\\.${word}\\b`).test(said));
    assert.equal(
      silent.map(({ section, word }) => `${section} ${word}`),
      [],
    );
  });
});
