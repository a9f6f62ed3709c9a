/** BGPSession (heraldlb.io/v1alpha1): the session between one node and one peer, as that node's speaker sees it. */
import * as z from 'zod';
import { conditions } from './condition.ts';
import { ageColumn, CATEGORY, type KindDefinition, readyColumns } from './definition.ts';
import type { StatusObject } from './object-meta.ts';
import { int32, kubernetes } from './structural.ts';

const time = () => z.string().register(kubernetes, { format: 'date-time' });

const bfdSession = z.object({
  profile: z.string().optional().describe('The BFDProfile of the session.'),
  state: z.enum(['AdminDown', 'Down', 'Init', 'Up']).describe('The state of the session (RFC 5880 4.1).'),
  since: time().optional().describe('When the session came into this state.'),
  detectionTimeMilliseconds: int32()
    .min(0)
    .optional()
    .describe('How long the peer may be silent before the session is down (RFC 5880 6.8.4).'),
  diagnostic: z.string().optional().describe('Why the session was last left, in the words of RFC 5880 4.1.'),
});

export const bgpSessionStatus = z.object({
  node: z.string().describe('The node at our end.'),
  peer: z.string().describe('The BGPPeer, by name.'),
  peerAddress: z.string().optional().describe('The address of the peer.'),
  localAddress: z.string().optional().describe('Our address in the session.'),
  vrf: z.string().optional().describe('The VRF that the session runs in.'),
  state: z
    .enum(['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'])
    .describe('The state of the session (RFC 4271 8.2.2).'),
  since: time().optional().describe('When the session came up, or when it was last lost.'),
  holdTimeSeconds: int32().min(0).max(65_535).optional().describe('The hold time that both ends agreed on; 0: none.'),
  keepaliveTimeSeconds: int32().min(0).max(65_535).optional().describe('The time between two KEEPALIVE; 0: none.'),
  prefixesSentIPv4: int32().min(0).optional().describe('How many IPv4 prefixes the peer has from us.'),
  prefixesSentIPv6: int32().min(0).optional().describe('How many IPv6 prefixes the peer has from us.'),
  bfd: bfdSession.optional().describe('The BFD session that watches the peer. Missing: there is none.'),
  lastError: z.string().optional().describe('Why the session was last lost or could not come up, in a sentence.'),
  lastErrorTime: time().optional().describe('When that was.'),
  conditions: conditions(),
});
export type BgpSessionStatus = z.infer<typeof bgpSessionStatus>;

/** Written by the speaker of the node, each time as a whole: `status` is a plain field, no subresource. */
export type BgpSession = StatusObject<'BGPSession', BgpSessionStatus>;

export const bgpSessionKind: KindDefinition = {
  group: 'heraldlb.io',
  version: 'v1alpha1',
  kind: 'BGPSession',
  plural: 'bgpsessions',
  singular: 'bgpsession',
  categories: [CATEGORY],
  description: 'The BGP session between one node and one peer. Written by the speaker of the node.',
  columns: [
    ...readyColumns,
    { name: 'Node', type: 'string', jsonPath: '.status.node', description: 'The node at our end.' },
    { name: 'Peer', type: 'string', jsonPath: '.status.peer', description: 'The BGPPeer, by name.' },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'The state of the session.' },
    { name: 'Since', type: 'date', jsonPath: '.status.since', description: 'For how long it is up or down.' },
    { name: 'BFD', type: 'string', jsonPath: '.status.bfd.state', description: 'The state of the BFD session.' },
    { name: 'Sent4', type: 'integer', jsonPath: '.status.prefixesSentIPv4', description: 'IPv4 prefixes sent.' },
    { name: 'Sent6', type: 'integer', jsonPath: '.status.prefixesSentIPv6', description: 'IPv6 prefixes sent.' },
    ageColumn,
    {
      name: 'Last Error',
      type: 'string',
      jsonPath: '.status.lastError',
      description: 'Why it was last lost.',
      priority: 1,
    },
  ],
  schema: z.object({
    status: bgpSessionStatus.optional().describe('How the session is.'),
  }),
  subresources: [],
};
