import * as assert from 'uvu/assert';
import type { BfdProfileSpec } from '../../crds/bfd-profile.ts';
import { profileObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';

spec('a BFDProfile', (test) => {
  const judged = (given: BfdProfileSpec) => resolve({ bfdProfiles: [profileObject('fast', given)] });
  for (const [field, min, max] of [
    ['receiveInterval', 10, 60_000],
    ['transmitInterval', 10, 60_000],
    ['echoInterval', 10, 60_000],
    ['detectMultiplier', 2, 255],
    ['minimumTtl', 1, 254],
  ] as const) {
    test(`is accepted with ${field} from ${min} to ${max}`, () => {
      for (const value of [min, max])
        assert.is(verdictWords(judged({ [field]: value }))['fast'], 'False BackendMissing Stalled');
    });
    test(`is refused with ${field} outside of that`, () => {
      for (const value of [min - 1, max + 1, min + 0.5]) {
        const config = judged({ [field]: value });
        assert.is(verdictWords(config)['fast'], 'False InvalidSpec Stalled');
        assert.match(conditionWords(config, 'fast', 'Ready') ?? '', `spec.${field} is ${value}`);
      }
    });
  }
  test('may leave everything out', () => assert.is(verdictWords(judged({}))['fast'], 'False BackendMissing Stalled'));
});
