import * as assert from 'uvu/assert';
import { communityObject, LATER } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import { communityProblem } from './communities.ts';

spec('the text of a community', (test) => {
  for (const text of ['64512:100', '0:0', '65535:65535', 'large:64512:1:2', 'large:4294967295:0:4294967295'])
    test(`may be ${text}`, () => assert.is(communityProblem(text), undefined));
  for (const text of [
    '',
    '64512',
    '64512:',
    '1:2:3',
    'large:1:2',
    'large:1:2:3:4',
    'no-export',
    '0x1:2',
    '1: 2',
    '-1:2',
  ])
    test(`may not be "${text}"`, () => assert.match(communityProblem(text) ?? '', 'is neither a community like'));
  test('has parts of 16 bits, or of 32 in a large one', () => {
    assert.match(communityProblem('64512:65536') ?? '', 'has a part above 65535');
    assert.match(communityProblem('large:4294967296:1:1') ?? '', 'has a part above 4294967295');
  });
});

spec('Community objects', (test) => {
  test('define names', () => {
    assert.equal(verdictWords(resolve({ communities: [communityObject('site', { blackhole: '65535:666' })] })), {
      site: 'True Defined',
    });
  });
  test('without any name are sound', () => {
    assert.equal(verdictWords(resolve({ communities: [communityObject('site', {})] })), { site: 'True Defined' });
  });
  for (const { name, communities, says } of [
    {
      name: 'a value that is none',
      communities: [{ name: 'a', value: '64512' }],
      says: 'spec.communities[0].value "64512"',
    },
    { name: 'a name that is missing', communities: [{ value: '1:2' }], says: 'spec.communities[0] has no name' },
    {
      name: 'one name twice',
      communities: [
        { name: 'a', value: '1:2' },
        { name: 'a', value: '1:3' },
      ],
      says: 'defines "a" twice',
    },
  ])
    test(`with ${name} are refused`, () => {
      const config = resolve({ communities: [{ ...communityObject('site', {}), spec: { communities } }] });
      assert.is(verdictWords(config)['site'], 'False InvalidSpec Stalled');
      assert.ok(conditionWords(config, 'site', 'Ready')?.includes(says));
    });
  test('that define a name of an older one are refused, and that one goes on', () => {
    const communities = [
      communityObject('young', { blackhole: '1:2', other: '1:3' }, LATER),
      communityObject('old', { blackhole: '65535:666' }),
    ];
    const config = resolve({ communities });
    assert.equal(verdictWords(config), { young: 'False DuplicateCommunity Stalled', old: 'True Defined' });
    assert.match(conditionWords(config, 'young', 'Ready') ?? '', 'the older Community herald-system/old');
  });
  test('that are refused define nothing', () => {
    const communities = [
      communityObject('young', { a: '1:2' }, LATER),
      communityObject('old', { a: '1:2', b: 'nonsense' }),
    ];
    assert.equal(verdictWords(resolve({ communities })), { young: 'True Defined', old: 'False InvalidSpec Stalled' });
  });
});
