import * as assert from 'uvu/assert';
import type { BgpPeer, BgpPeerSpec } from '../../crds/bgp-peer.ts';
import { LATER, peerObject, profileObject } from '../../testing/config-objects.ts';
import { conditionWords, resolve, verdictWords } from '../../testing/resolved-config.ts';
import { spec } from '../../testing/spec.ts';
import type { SecretFact, Surroundings } from './surroundings.ts';

const near = { matchLabels: { rack: 'a' } };
const far = { matchLabels: { rack: 'b' } };
const NODES = [
  { metadata: { name: 'n1', labels: { rack: 'a' } } },
  { metadata: { name: 'n2', labels: { rack: 'b' } } },
];
const judged = (peers: readonly BgpPeer[], surroundings: Partial<Surroundings> = {}) =>
  resolve({
    bgpPeers: peers,
    surroundings: { nodes: NODES, serviceRanges: [], podAddresses: [], ...surroundings },
  });

const REFUSED: readonly (readonly [given: Partial<BgpPeerSpec>, reason: string, says: string])[] = [
  [{ myASN: 0 }, 'InvalidSpec', 'spec.myASN is 0'],
  [{ myASN: 2 ** 32 }, 'InvalidSpec', 'it must be 1 to 4294967295'],
  [{ dynamicASN: 'external' }, 'InvalidSpec', 'spec.peerASN and spec.dynamicASN exclude each other'],
  [{ peerASN: undefined }, 'InvalidSpec', 'spec.peerASN and spec.dynamicASN are both missing'],
  [{ peerASN: 0 }, 'InvalidSpec', 'spec.peerASN and spec.dynamicASN are both missing'],
  [{ localASN: 2 ** 32 }, 'InvalidSpec', 'spec.localASN is 4294967296'],
  [{ interface: 'eth0' }, 'InvalidSpec', 'spec.peerAddress and spec.interface exclude each other'],
  [{ peerAddress: '' }, 'InvalidSpec', 'spec.peerAddress and spec.interface are both missing'],
  [{ peerAddress: '192.0.2.300' }, 'InvalidSpec', 'spec.peerAddress "192.0.2.300" is not an IP address'],
  [{ sourceAddress: 'here' }, 'InvalidSpec', 'spec.sourceAddress "here" is not an IP address'],
  [{ sourceAddress: '2001:db8::1' }, 'InvalidSpec', 'is IPv6, and spec.peerAddress 192.0.2.1 is IPv4'],
  [{ vrf: 'a-name-of-sixteen' }, 'InvalidSpec', 'spec.vrf "a-name-of-sixteen" is no name of an interface'],
  [{ peerAddress: undefined, interface: 'a/b' }, 'InvalidSpec', 'spec.interface "a/b" is no name of an interface'],
  [{ peerPort: 0 }, 'InvalidSpec', 'spec.peerPort is 0: it must be 1 to 16384'],
  [{ routerID: '2001:db8::1' }, 'InvalidSpec', 'spec.routerID "2001:db8::1" must be an IPv4 address'],
  [{ routerID: '0.0.0.0' }, 'InvalidSpec', 'other than 0.0.0.0'],
  [{ holdTime: '2s' }, 'InvalidSpec', 'spec.holdTime is 2s: it must be 0s, or 3s to 65535s'],
  [{ holdTime: '65536s' }, 'InvalidSpec', 'it must be 0s, or 3s to 65535s'],
  [{ holdTime: '-90s' }, 'InvalidSpec', 'spec.holdTime -90s is negative'],
  [{ holdTime: 'ninety' }, 'InvalidSpec', 'spec.holdTime "ninety" is not a duration'],
  [{ holdTime: '9s', keepaliveTime: '10s' }, 'InvalidSpec', 'spec.keepaliveTime 10s is longer than spec.holdTime 9s'],
  [{ holdTime: '0s', keepaliveTime: '1s' }, 'InvalidSpec', 'is longer than spec.holdTime 0s'],
  [{ keepaliveTime: '0.9s' }, 'InvalidSpec', 'The hold time is three times spec.keepaliveTime 0.9s'],
  [{ connectTime: '0s' }, 'InvalidSpec', 'spec.connectTime is 0s'],
  [{ connectTime: '1500ms' }, 'InvalidSpec', 'a whole number of seconds'],
  [{ connectTime: '65536s' }, 'InvalidSpec', 'from 1s to 65535s'],
  [{ password: 'x', passwordSecret: { name: 's' } }, 'InvalidSpec', 'spec.password and spec.passwordSecret exclude'],
  [{ password: 'x'.repeat(81) }, 'InvalidSpec', 'spec.password has more than 80 octets'],
  [{ ebgpMultiHop: true, peerASN: 64512 }, 'InvalidSpec', 'spec.ebgpMultiHop is for peers of another AS'],
  [{ ebgpMultiHop: true, peerASN: undefined, dynamicASN: 'internal' }, 'InvalidSpec', 'for peers of another AS'],
  [{ nodeSelectors: [near, near] }, 'InvalidSpec', 'spec.nodeSelectors has'],
  [
    { nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] }] },
    'InvalidSelector',
    '"Near" for label a',
  ],
];

spec('a BGPPeer by itself', (test) => {
  for (const [given, reason, says] of REFUSED)
    test(`is refused for ${JSON.stringify(given)}`, () => {
      const config = judged([peerObject('tor', given)]);
      assert.is(verdictWords(config)['tor'], `False ${reason} Stalled`);
      assert.match(conditionWords(config, 'tor', 'Accepted') ?? '', says);
    });
  for (const given of [
    {},
    { peerASN: undefined, dynamicASN: 'internal' as const },
    { peerASN: 64512 },
    { localASN: 65000 },
    { peerAddress: undefined, interface: 'eth0.100' },
    { peerAddress: '2001:db8::2', sourceAddress: '2001:db8::1' },
    { holdTime: '0s' },
    { holdTime: '3s', keepaliveTime: '1s' },
    { keepaliveTime: '1s' },
    { connectTime: '65535s' },
    { password: 'x'.repeat(80) },
    { password: '', passwordSecret: { name: '' } },
    { ebgpMultiHop: true },
    { ebgpMultiHop: true, peerASN: undefined, dynamicASN: 'external' as const },
    { vrf: 'red', routerID: '192.0.2.9' },
  ] satisfies Partial<BgpPeerSpec>[])
    test(`is accepted with ${JSON.stringify(given)}, and has no backend yet`, () => {
      const config = judged([peerObject('tor', given)]);
      assert.is(verdictWords(config)['tor'], 'False BackendMissing Stalled');
      assert.match(conditionWords(config, 'tor', 'Accepted') ?? '', 'True Valid');
    });
  test('is told everything that is wrong at once, and never its password', () => {
    const secret = 'p4ssw0rd'.repeat(11);
    const words = conditionWords(
      judged([peerObject('tor', { myASN: 0, holdTime: '1s', password: secret })]),
      'tor',
      'Ready',
    );
    for (const part of ['spec.myASN', 'spec.holdTime', 'spec.password']) assert.match(words ?? '', part);
    assert.not.match(words ?? '', 'p4ssw0rd');
  });
});

spec('BGPPeers beside each other', (test) => {
  const younger = (given: Partial<BgpPeerSpec>): BgpPeer => peerObject('young', given, LATER);
  const older = (given: Partial<BgpPeerSpec> = {}): BgpPeer => peerObject('old', given);

  for (const { name, a = {}, b, reason } of [
    { name: 'that lead to one address from one node', b: {}, reason: 'DuplicatePeer' },
    { name: 'that differ in the port alone', b: { peerPort: 1179 }, reason: 'DuplicatePeer' },
    {
      name: 'that write one address in two ways',
      a: { peerAddress: '2001:db8::1' },
      b: { peerAddress: '2001:DB8:0::1' },
      reason: 'DuplicatePeer',
    },
    {
      name: 'on one interface',
      a: { peerAddress: undefined, interface: 'eth1' },
      b: { peerAddress: undefined, interface: 'eth1' },
      reason: 'DuplicatePeer',
    },
    {
      name: 'with two router IDs for one node',
      a: { routerID: '192.0.2.8' },
      b: { peerAddress: '192.0.2.2', routerID: '192.0.2.9' },
      reason: 'ContradictsPeer',
    },
    {
      name: 'with two AS numbers for one node',
      b: { peerAddress: '192.0.2.2', myASN: 65000 },
      reason: 'ContradictsPeer',
    },
    {
      name: 'whose nodes overlap in part',
      a: { nodeSelectors: [near] },
      b: { nodeSelectors: [near, far] },
      reason: 'DuplicatePeer',
    },
  ] satisfies { name: string; a?: Partial<BgpPeerSpec>; b: Partial<BgpPeerSpec>; reason: string }[])
    test(`${name}: the older one counts`, () => {
      const config = judged([younger(b), older(a)]);
      assert.equal(verdictWords(config), { young: `False ${reason} Stalled`, old: 'False BackendMissing Stalled' });
      assert.match(conditionWords(config, 'young', 'Ready') ?? '', 'BGPPeer herald-system/old');
    });
  for (const { name, a = {}, b } of [
    { name: 'from different nodes', a: { nodeSelectors: [near] }, b: { nodeSelectors: [far] } },
    { name: 'in different VRFs', b: { vrf: 'red' } },
    { name: 'with two AS numbers in two VRFs', b: { vrf: 'red', myASN: 65000 } },
    { name: 'of which one has no router ID', a: { routerID: '192.0.2.8' }, b: { peerAddress: '192.0.2.2' } },
    {
      name: 'with another AS number on other nodes',
      a: { nodeSelectors: [near] },
      b: { nodeSelectors: [far], myASN: 65000 },
    },
  ] satisfies { name: string; a?: Partial<BgpPeerSpec>; b: Partial<BgpPeerSpec> }[])
    test(`${name}: both count`, () => {
      const words = verdictWords(judged([younger(b), older(a)]));
      assert.equal(words, { young: 'False BackendMissing Stalled', old: 'False BackendMissing Stalled' });
    });
  test('where no node is known are assumed to share one', () => {
    const peers = [younger({ nodeSelectors: [far] }), older({ nodeSelectors: [near] })];
    assert.is(verdictWords(judged(peers, { nodes: [] }))['young'], 'False DuplicatePeer Stalled');
  });
  test('do not lose their place to one that is refused', () => {
    const words = verdictWords(judged([younger({}), older({ holdTime: '1s' })]));
    assert.equal(words, { young: 'False BackendMissing Stalled', old: 'False InvalidSpec Stalled' });
  });
});

spec('what a BGPPeer names', (test) => {
  const refsOf = (given: Partial<BgpPeerSpec>, secrets?: ReadonlyMap<string, SecretFact>): string =>
    conditionWords(judged([peerObject('tor', given)], secrets && { secrets }), 'tor', 'ResolvedRefs') ?? '';
  const named = { passwordSecret: { name: 'bgp' } };

  test('is a BFDProfile that is in force', () => {
    const profiles = [profileObject('fast'), profileObject('odd', { detectMultiplier: 1 })];
    for (const [bfdProfile, words] of [
      ['fast', 'True Resolved'],
      ['slow', 'False ProfileNotFound: There is no BFDProfile slow in force.'],
      ['odd', 'False ProfileNotFound: There is no BFDProfile odd in force.'],
    ] as const) {
      const config = resolve({ bgpPeers: [peerObject('tor', { bfdProfile })], bfdProfiles: profiles });
      assert.match(conditionWords(config, 'tor', 'ResolvedRefs') ?? '', words);
    }
  });
  for (const [fact, reason] of [
    ['Missing', 'SecretNotFound'],
    ['Unreadable', 'SecretUnreadable'],
    ['WrongType', 'SecretInvalid'],
    ['NoPassword', 'SecretInvalid'],
    ['PasswordTooLong', 'SecretInvalid'],
  ] as const)
    test(`a Secret that is ${fact} keeps the session down`, () => {
      const words = refsOf(named, new Map([['herald-system/bgp', fact]]));
      assert.match(words, `False ${reason}: `);
      assert.match(words, 'herald-system/bgp');
      assert.match(words, 'the session stays down');
    });
  test('a Secret that nobody found is missing', () => assert.match(refsOf(named, new Map()), 'False SecretNotFound'));
  test('a Secret that can be used', () => {
    assert.match(refsOf(named, new Map([['herald-system/bgp', 'Usable']])), 'True Resolved');
  });
  test('a Secret of a namespace that is not read is as good as none', () => {
    const given = { passwordSecret: { name: 'bgp', namespace: 'shop' } };
    assert.match(
      refsOf(given, new Map([['shop/bgp', 'Usable']])),
      'False SecretNotFound: spec.passwordSecret is shop/bgp',
    );
  });
  test('is not asked for where there is no cluster', () => assert.match(refsOf(named), 'True Resolved'));
});
