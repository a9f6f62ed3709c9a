import * as assert from 'uvu/assert';
import type { BgpAdvertisement, BgpAdvertisementSpec } from '../../crds/bgp-advertisement.ts';
import { bgpObject, communityObject, LATER, peerObject, poolObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';

const pools = [
  poolObject('wide', ['198.51.100.0/24', '2001:db8::/64'], { metadata: { labels: { size: 'wide' } } }),
  poolObject('narrow', ['203.0.113.64-203.0.113.95']),
];
const nodes = ['a', 'b'].map((rack) => ({ metadata: { name: rack, labels: { rack } } }));
const judged = (...bgpAdvertisements: readonly BgpAdvertisement[]) =>
  resolve({
    pools,
    bgpAdvertisements,
    bgpPeers: [peerObject('tor'), peerObject('spine', { peerAddress: '192.0.2.2' })],
    communities: [communityObject('site', { blackhole: '65535:666' })],
    surroundings: { nodes, serviceRanges: [], podAddresses: [] },
  });
type Given = Partial<BgpAdvertisementSpec>;
const SOUND = 'False BackendMissing Stalled';

const REFUSED: readonly (readonly [given: Given, reason: string, says: string])[] = [
  [{ aggregationLength: 0 }, 'InvalidSpec', 'spec.aggregationLength is 0'],
  [{ aggregationLength: 33 }, 'InvalidSpec', 'spec.aggregationLength is 33'],
  [{ aggregationLengthV6: 129 }, 'InvalidSpec', 'spec.aggregationLengthV6 is 129'],
  [{ serviceSelectors: [{}], aggregationLength: 24 }, 'InvalidSpec', 'spec.serviceSelectors need aggregationLength 32'],
  [{ communities: ['1:2', '1:2'] }, 'InvalidSpec', 'spec.communities has "1:2" twice'],
  [{ communities: ['64512:65536'] }, 'InvalidSpec', '"64512:65536" in spec.communities has a part above 65535'],
  [{ communities: ['large:1:2'] }, 'InvalidSpec', 'is neither a community like'],
  [{ peers: ['tor', 'tor'] }, 'InvalidSpec', 'spec.peers has "tor" twice'],
  [{ ipAddressPools: ['wide', 'wide'] }, 'InvalidSpec', 'spec.ipAddressPools has "wide" twice'],
  [{ nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }] }, 'InvalidSelector', 'In for label a'],
  [{ ipAddressPools: ['wide'], aggregationLength: 23 }, 'AggregationTooShort', 'no prefix shorter than /24'],
  [{ ipAddressPools: ['wide'], aggregationLengthV6: 63 }, 'AggregationTooShort', 'no prefix shorter than /64'],
  [{ ipAddressPools: ['narrow'], aggregationLength: 26 }, 'AggregationTooShort', 'no prefix shorter than /27'],
];

spec('a BGPAdvertisement by itself', (test) => {
  for (const [given, reason, says] of REFUSED)
    test(`is refused for ${JSON.stringify(given)}`, () => {
      const config = judged(bgpObject('ad', given));
      assert.is(verdictWords(config)['ad'], `False ${reason} Stalled`);
      assert.match(conditionWords(config, 'ad', 'Accepted') ?? '', says);
    });
  for (const given of [
    {},
    { aggregationLength: 27, aggregationLengthV6: 64 },
    { ipAddressPools: ['wide'], aggregationLength: 24 },
    { communities: ['64512:100', 'large:64512:1:2', 'blackhole'] },
    { serviceSelectors: [{}], localPref: 100 },
    { peers: ['tor'] },
  ] satisfies Given[])
    test(`is accepted with ${JSON.stringify(given)}, and has no backend yet`, () => {
      const config = judged(bgpObject('ad', given));
      assert.is(verdictWords(config)['ad'], SOUND);
      assert.match(conditionWords(config, 'ad', 'Accepted') ?? '', 'True');
      assert.match(conditionWords(config, 'ad', 'ResolvedRefs') ?? '', 'True');
      assert.is(conditionWords(config, 'ad', 'Conflicting'), undefined);
    });
  test('whose prefixes are too large for one pool of several leaves that one out and says so', () => {
    const config = judged(bgpObject('ad', { aggregationLength: 24 }));
    assert.is(verdictWords(config)['ad'], SOUND);
    assert.match(
      conditionWords(config, 'ad', 'Conflicting') ?? '',
      'True AggregationTooShort: spec.aggregationLength is 24',
    );
    assert.match(conditionWords(config, 'ad', 'Conflicting') ?? '', 'of pool narrow');
  });
  for (const [given, reason] of [
    [{ ipAddressPools: ['nowhere'] }, 'PoolNotFound'],
    [{ peers: ['tor', 'nobody'] }, 'PeerNotFound'],
    [{ communities: ['no-export'] }, 'CommunityNotFound'],
  ] satisfies (readonly [Given, string])[])
    test(`that names what does not exist is told ${reason}`, () => {
      const words = conditionWords(judged(bgpObject('ad', given)), 'ad', 'ResolvedRefs');
      assert.match(words ?? '', `False ${reason}`);
    });
  test('is told of everything that is missing at once', () => {
    const given = { ipAddressPools: ['nowhere'], peers: ['nobody'], communities: ['no-export'] };
    const words = conditionWords(judged(bgpObject('ad', given)), 'ad', 'ResolvedRefs') ?? '';
    for (const name of ['nowhere', 'nobody', 'no-export']) assert.match(words, name);
  });
  test('does not count a peer that is refused', () => {
    const config = resolve({
      bgpPeers: [peerObject('odd', { myASN: 0 })],
      bgpAdvertisements: [bgpObject('ad', { peers: ['odd'] })],
    });
    assert.match(conditionWords(config, 'ad', 'ResolvedRefs') ?? '', 'False PeerNotFound');
  });
});

spec('BGPAdvertisements beside each other', (test) => {
  const pair = (a: Given, b: Given) => judged(bgpObject('young', b, LATER), bgpObject('old', a));
  const near = [{ matchLabels: { rack: 'a' } }];
  const far = [{ matchLabels: { rack: 'b' } }];

  for (const { name, a, b } of [
    { name: 'that give two values of localPref to everything', a: { localPref: 100 }, b: { localPref: 200 } },
    { name: 'of which one gives none', a: {}, b: { localPref: 200 } },
    {
      name: 'that share one pool and one peer',
      a: { ipAddressPools: ['wide'], peers: ['tor'] },
      b: { localPref: 1, peers: ['tor', 'spine'] },
    },
    { name: 'that share one node', a: { nodeSelectors: near }, b: { nodeSelectors: [...near, ...far], localPref: 1 } },
    {
      name: 'that differ in the length for a family the pool shares in another',
      a: { aggregationLength: 24, ipAddressPools: ['wide'] },
      b: { ipAddressPools: ['wide'], localPref: 1 },
    },
  ] satisfies { name: string; a: Given; b: Given }[])
    test(`${name} contradict: the older one counts`, () => {
      const config = pair(a, b);
      assert.equal(verdictWords(config)['young'], 'False ContradictsAdvertisement Stalled');
      assert.equal(verdictWords(config)['old'], SOUND);
      assert.match(conditionWords(config, 'young', 'Ready') ?? '', 'BGPAdvertisement herald-system/old');
    });
  for (const { name, a, b } of [
    { name: 'to other peers', a: { peers: ['tor'] }, b: { peers: ['spine'], localPref: 1 } },
    { name: 'of other pools', a: { ipAddressPools: ['wide'] }, b: { ipAddressPools: ['narrow'], localPref: 1 } },
    { name: 'from other nodes', a: { nodeSelectors: near }, b: { nodeSelectors: far, localPref: 1 } },
    {
      name: 'of other prefixes',
      a: { ipAddressPools: ['narrow'], aggregationLength: 27 },
      b: { ipAddressPools: ['narrow'], localPref: 1 },
    },
    {
      name: 'of Services that are selected',
      a: { localPref: 2 },
      b: { serviceSelectors: [{ matchLabels: { a: 'b' } }], localPref: 1 },
    },
    {
      name: 'with one localPref',
      a: { localPref: 1, communities: ['1:2'] },
      b: { localPref: 1, communities: ['1:3'] },
    },
  ] satisfies { name: string; a: Given; b: Given }[])
    test(`${name} do not contradict`, () => {
      const config = pair(a, b);
      assert.is(verdictWords(config)['young'], SOUND);
      assert.is(verdictWords(config)['old'], SOUND);
    });
  test('that say the same go on, and the younger one is told', () => {
    const config = pair({ peers: ['tor'] }, { peers: ['tor'] });
    assert.is(verdictWords(config)['young'], SOUND);
    assert.match(
      conditionWords(config, 'young', 'Conflicting') ?? '',
      'True DuplicateAdvertisement: BGPAdvertisement herald-system/old',
    );
    assert.is(conditionWords(config, 'old', 'Conflicting'), undefined);
  });
});
