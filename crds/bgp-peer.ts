/** BGPPeer (metallb.io/v1beta2): a router that the nodes open BGP sessions to. */
import * as z from 'zod';
import { addressRule, durationRule, ifDurations, MAX_STRING } from './cel.ts';
import { commonStatus } from './condition.ts';
import { type CustomObject, labelSelector } from './object-meta.ts';
import { int32, int64, kubernetes, type ValidationRule } from './structural.ts';
import { wideColumn, writtenKind } from './written-kind.ts';

const MAX_ASN = 4_294_967_295;
const asn = () => int64().max(MAX_ASN);

const text = (...rules: readonly ValidationRule[]) => z.string().max(MAX_STRING).register(kubernetes, { rules });

/** In Go an empty string, a zero and a missing field are one; so they are here. */
const given = (field: string) => `(has(self.${field}) && self.${field} != '')`;
const peerAsnGiven = '(has(self.peerASN) && self.peerASN != 0)';
const secretGiven = `(has(self.passwordSecret) && has(self.passwordSecret.name) && self.passwordSecret.name != '')`;

/** A hold time of RFC 4271 4.2: none, or at least three seconds; parts of a second do not count. */
const isHoldTime = (duration: string) => `${duration}.getSeconds() == 0 || ${duration}.getSeconds() >= 3`;
const keepalive = 'duration(self.keepaliveTime)';

const timerRules: readonly ValidationRule[] = [
  {
    rule: `!has(self.holdTime) || ${ifDurations(['self.holdTime'], isHoldTime('duration(self.holdTime)'))}`,
    message: 'holdTime must be 0s or at least 3s',
  },
  {
    rule: `!has(self.holdTime) || !has(self.keepaliveTime) || ${ifDurations(
      ['self.holdTime', 'self.keepaliveTime'],
      `${keepalive} <= duration(self.holdTime)`,
    )}`,
    message: 'keepaliveTime must not be longer than holdTime',
  },
  {
    rule: `has(self.holdTime) || !has(self.keepaliveTime) || ${ifDurations(
      ['self.keepaliveTime'],
      isHoldTime(`(${keepalive} + ${keepalive} + ${keepalive})`),
    )}`,
    message: 'without holdTime the hold time is three times keepaliveTime, and must be 0s or at least 3s',
  },
  {
    rule: `!has(self.connectTime) || ${ifDurations(
      ['self.connectTime'],
      [
        'duration(self.connectTime).getSeconds() >= 1 && duration(self.connectTime).getSeconds() <= 65535',
        'duration(self.connectTime).getMilliseconds() % 1000 == 0',
      ].join(' && '),
    )}`,
    message: 'connectTime must be a whole number of seconds from 1s to 65535s',
  },
];

const peerRules: readonly ValidationRule[] = [
  {
    rule: `${peerAsnGiven} != has(self.dynamicASN)`,
    message: 'give either peerASN or dynamicASN, and not both',
  },
  {
    rule: `${given('peerAddress')} != ${given('interface')}`,
    message: 'give either peerAddress or interface, and not both',
  },
  {
    rule: `!${given('password')} || !${secretGiven}`,
    message: 'give either password or passwordSecret, not both',
  },
  {
    rule: '!has(self.ebgpMultiHop) || !self.ebgpMultiHop || !has(self.peerASN) || self.peerASN != self.myASN',
    message: 'ebgpMultiHop is for peers of another AS: peerASN equals myASN',
  },
];

export const bgpPeerSpec = z
  .object({
    myASN: asn().min(1).describe('The AS number of our end of the session.'),
    peerASN: asn().min(0).optional().describe("The AS number of the peer's end; excludes dynamicASN."),
    dynamicASN: z
      .enum(['internal', 'external'])
      .optional()
      .describe('internal: the peer must have our AS number; external: it must have another one. Excludes peerASN.'),
    localASN: asn().min(1).optional().describe('The AS number shown to this peer instead of myASN.'),
    peerAddress: text(addressRule('peerAddress')).optional().describe('The address of the peer; excludes interface.'),
    interface: text().optional().describe('The interface of an unnumbered session; excludes peerAddress.'),
    sourceAddress: text(addressRule('sourceAddress')).optional().describe('The address that the session starts from.'),
    peerPort: int32().min(1).max(16_384).default(179).describe('The TCP port of the peer.'),
    holdTime: text(durationRule('holdTime'))
      .optional()
      .describe('The hold time to offer (RFC 4271): 0s, or 3s or more.'),
    keepaliveTime: text(durationRule('keepaliveTime'))
      .optional()
      .describe('The keepalive time, at most the hold time.'),
    connectTime: text(durationRule('connectTime')).optional().describe('The time between two attempts to connect.'),
    routerID: text(addressRule('routerID')).optional().describe('The BGP identifier, as an IPv4 address.'),
    nodeSelectors: z
      .array(labelSelector)
      .optional()
      .describe('Nodes that open the session, by labels; one selector must match. None: every node.'),
    password: text().optional().describe('The password of TCP MD5 (RFC 2385); excludes passwordSecret.'),
    passwordSecret: z
      .object({
        name: text().optional().describe('The name of the Secret.'),
        namespace: z.string().optional().describe('The namespace of the Secret.'),
      })
      .register(kubernetes, { map: 'atomic' })
      .optional()
      .describe('A Secret of type kubernetes.io/basic-auth whose key password holds the password.'),
    bfdProfile: z.string().optional().describe('The BFDProfile to watch the peer with.'),
    enableGracefulRestart: z
      .boolean()
      .register(kubernetes, {
        rules: [{ rule: 'self == oldSelf', message: 'enableGracefulRestart cannot be changed after creation' }],
      })
      .optional()
      .describe('Whether the peer keeps our routes while we restart (RFC 4724).'),
    ebgpMultiHop: z.boolean().optional().describe('Whether an external peer is more than one hop away.'),
    vrf: z.string().optional().describe('The VRF whose interface the session uses.'),
    disableMP: z.boolean().default(false).describe('Deprecated in favour of dualStackAddressFamily.'),
    dualStackAddressFamily: z
      .boolean()
      .default(false)
      .describe('Whether both families are advertised over the one session.'),
  })
  .register(kubernetes, { rules: [...peerRules, ...timerRules] });
export type BgpPeerSpec = z.infer<typeof bgpPeerSpec>;

export const bgpPeerStatus = z.object({ ...commonStatus });
export type BgpPeerStatus = z.infer<typeof bgpPeerStatus>;

export type BgpPeer = CustomObject<'BGPPeer', BgpPeerSpec, BgpPeerStatus>;

export const bgpPeerKind = writtenKind({
  version: 'v1beta2',
  retiredVersions: ['v1beta1'],
  kind: 'BGPPeer',
  plural: 'bgppeers',
  singular: 'bgppeer',
  description: 'A router that the nodes open BGP sessions to.',
  wideColumns: [
    wideColumn('Address', 'string', 'peerAddress'),
    wideColumn('ASN', 'string', 'peerASN'),
    wideColumn('BFD Profile', 'string', 'bfdProfile'),
    wideColumn('Multi Hops', 'string', 'ebgpMultiHop'),
  ],
  spec: bgpPeerSpec.describe('Where the peer is and how to talk to it.'),
  status: bgpPeerStatus,
});
