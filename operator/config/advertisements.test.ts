import * as assert from 'uvu/assert';
import type { L2AdvertisementSpec } from '../../crds/l2-advertisement.ts';
import { LATER, l2Object, poolObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';

const pools = [poolObject('a', ['10.0.0.0/24']), poolObject('b', ['10.0.1.0/24'])];
const rack = { matchLabels: { rack: 'a' } };

spec('an L2Advertisement by itself', (test) => {
  for (const [field, given] of [
    ['ipAddressPools', { ipAddressPools: ['a', 'a'] }],
    ['ipAddressPoolSelectors', { ipAddressPoolSelectors: [rack, rack] }],
    ['nodeSelectors', { nodeSelectors: [rack, rack] }],
    ['serviceSelectors', { serviceSelectors: [rack, rack] }],
    ['interfaces', { interfaces: ['eth0', 'eth1', 'eth0'] }],
    [
      'preferredNodeSelectors',
      {
        preferredNodeSelectors: [
          { weight: 1, preference: rack },
          { weight: 2, preference: rack },
        ],
      },
    ],
  ] satisfies (readonly [string, L2AdvertisementSpec])[])
    test(`that says something twice in ${field} is refused`, () => {
      const config = resolve({ pools, l2Advertisements: [l2Object('ad', given)] });
      assert.is(verdictWords(config)['ad'], 'False InvalidSpec Stalled');
      assert.match(conditionWords(config, 'ad', 'Ready') ?? '', `spec.${field} has`);
      assert.equal(config.l2Advertisements, []);
    });
});

spec('L2Advertisements beside each other', (test) => {
  const warned = (young: L2AdvertisementSpec, old: L2AdvertisementSpec): string | undefined => {
    const config = resolve({ pools, l2Advertisements: [l2Object('young', young, LATER), l2Object('old', old)] });
    assert.equal(verdictWords(config), {
      a: 'True Serving',
      b: 'True Serving',
      young: 'True Announcing',
      old: 'True Announcing',
    });
    assert.is(conditionWords(config, 'old', 'Conflicting'), undefined);
    return conditionWords(config, 'young', 'Conflicting');
  };

  test('that say the same go on, and the younger one is told', () => {
    assert.match(
      warned({ interfaces: ['eth0'] }, { interfaces: ['eth0'] }) ?? '',
      'DuplicateAdvertisement: L2Advertisement herald-system/old',
    );
    assert.match(warned({}, {}) ?? '', 'DuplicateAdvertisement');
  });
  for (const [young, old] of [
    [{ interfaces: ['eth0'] }, {}],
    [{ interfaces: ['eth0'], nodeSelectors: [rack] }, { ipAddressPools: ['a'] }],
    [{ interfaces: ['eth0'], ipAddressPools: ['b'] }, { ipAddressPools: ['a', 'b'] }],
  ] satisfies (readonly [L2AdvertisementSpec, L2AdvertisementSpec])[])
    test(`${JSON.stringify(young)} limits nothing beside ${JSON.stringify(old)}`, () => {
      assert.match(warned(young, old) ?? '', 'True InterfacesWithoutEffect: L2Advertisement herald-system/old');
    });
  for (const [young, old] of [
    [{ interfaces: ['eth0'] }, { nodeSelectors: [rack] }],
    [{ interfaces: ['eth0'] }, { serviceSelectors: [rack] }],
    [{ interfaces: ['eth0'] }, { interfaces: ['eth1'] }],
    [{ interfaces: ['eth0'], ipAddressPools: ['b'] }, { ipAddressPools: ['a'] }],
  ] satisfies (readonly [L2AdvertisementSpec, L2AdvertisementSpec])[])
    test(`${JSON.stringify(young)} has its point beside ${JSON.stringify(old)}`, () =>
      assert.is(warned(young, old), undefined));
});
