import * as assert from 'uvu/assert';
import { spec } from '../testing/spec.ts';
import { annotationOf } from './annotations.ts';

spec('annotation', (test) => {
  const newer = 'metallb.io/address-pool';
  const older = 'metallb.universe.tf/address-pool';
  const cases: { name: string; given?: Record<string, string>; gives: string | undefined }[] = [
    { name: 'by its newer name', given: { [newer]: 'a' }, gives: 'a' },
    { name: 'by its older name', given: { [older]: 'b' }, gives: 'b' },
    { name: 'by its newer name where both are set', given: { [newer]: 'a', [older]: 'b' }, gives: 'a' },
    { name: 'by its newer name even if that is empty', given: { [newer]: '', [older]: 'b' }, gives: '' },
    { name: 'not at all where there are none', gives: undefined },
  ];
  for (const { name, given, gives } of cases) {
    test(`is read ${name}`, () => assert.is(annotationOf(given, 'addressPool'), gives));
  }
});
