/** What each field of BGPPeer takes and refuses. */
import { bgpPeerKind } from '../bgp-peer.ts';
import { aSelector, aStatus, commonStatusRows, selectors } from './common.ts';
import { ABSENT, field, type KindSamples, text, yesOrNo } from './field.ts';

const MAX_ASN = 4_294_967_295;
const peer = { myASN: 64_512, peerASN: 64_513, peerAddress: '192.0.2.1' };
const tooLong = 'x'.repeat(129);

export const bgpPeerSamples: KindSamples = {
  kind: bgpPeerKind,
  base: { spec: { ...peer, nodeSelectors: [aSelector] }, status: aStatus },
  fields: [
    field('spec', [peer], ['192.0.2.1', ABSENT]),
    field('spec.myASN', [1, 64_512, MAX_ASN], [0, MAX_ASN + 1, '64512', 1.5, ABSENT]),
    field('spec.peerASN', [1, 64_512, MAX_ASN], [-1, MAX_ASN + 1, '64512', 1.5]),
    field('spec.dynamicASN', ['internal', 'external'], ['auto', '', 1], { 'spec.peerASN': ABSENT }),
    field('spec.localASN', [1, MAX_ASN, ABSENT], [0, MAX_ASN + 1, '64512', 1.5]),
    field('spec.peerAddress', ['192.0.2.1', '2001:db8::1', 'fe80::1'], ['router.example.org', '192.0.2.0/24', 7]),
    field('spec.interface', ['eth0'], [tooLong, 7], { 'spec.peerAddress': ABSENT }),
    field('spec.sourceAddress', ['192.0.2.2', '2001:db8::2', '', ABSENT], ['eth0', '192.0.2.0/24', 7]),
    field('spec.peerPort', [1, 179, 16_384, ABSENT], [0, 16_385, '179', 1.5]),
    field('spec.holdTime', ['0s', '3s', '90s', '1m30s', ABSENT], ['90', 'long', '', 90]),
    field('spec.keepaliveTime', ['1s', '30s', ABSENT], ['30', 'often', '', 30]),
    field('spec.connectTime', ['1s', '120s', ABSENT], ['120', 'soon', '', 120]),
    field('spec.routerID', ['192.0.2.3', '', ABSENT], ['3', 'router', 3]),
    ...selectors('spec.nodeSelectors'),
    field('spec.password', ['secret', '', ABSENT], [tooLong, 7]),
    field('spec.passwordSecret', [{ name: 'bgp' }, {}, ABSENT], ['bgp']),
    field('spec.passwordSecret.name', ['bgp'], [tooLong, 7]),
    field('spec.passwordSecret.namespace', ['herald-system'], [7]),
    text('spec.bfdProfile'),
    yesOrNo('spec.enableGracefulRestart'),
    yesOrNo('spec.ebgpMultiHop'),
    text('spec.vrf'),
    yesOrNo('spec.disableMP'),
    yesOrNo('spec.dualStackAddressFamily'),
    ...commonStatusRows(),
  ],
};
