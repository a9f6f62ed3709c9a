/** BFDProfile (metallb.io/v1beta1): how fast BFD (RFC 5880) notices that a BGP peer is gone. */
import * as z from 'zod';
import { commonStatus } from './condition.ts';
import type { CustomObject } from './object-meta.ts';
import { int32 } from './structural.ts';
import { wideColumn, writtenKind } from './written-kind.ts';

const interval = () => int32().min(10).max(60_000).optional();

export const bfdProfileSpec = z.object({
  receiveInterval: interval().describe(
    'The shortest interval between control packets that we can receive, in milliseconds; 300 if not given.',
  ),
  transmitInterval: interval().describe(
    'The shortest interval between control packets that we send, less jitter, in milliseconds; 300 if not given.',
  ),
  detectMultiplier: int32()
    .min(2)
    .max(255)
    .optional()
    .describe('How many packets may be missing before the session is down; 3 if not given.'),
  echoInterval: interval().describe(
    'The shortest interval between echo packets that we can receive, in milliseconds; 50 if not given.',
  ),
  echoMode: z
    .boolean()
    .optional()
    .describe('Whether echo packets are sent too; not for peers more than one hop away. No if not given.'),
  passiveMode: z
    .boolean()
    .optional()
    .describe('Whether we send nothing until the peer has sent a control packet. No if not given.'),
  minimumTtl: int32()
    .min(1)
    .max(254)
    .optional()
    .describe('For peers more than one hop away: the lowest TTL that a control packet may arrive with.'),
});
export type BfdProfileSpec = z.infer<typeof bfdProfileSpec>;

export const bfdProfileStatus = z.object({ ...commonStatus });
export type BfdProfileStatus = z.infer<typeof bfdProfileStatus>;

export type BfdProfile = CustomObject<'BFDProfile', BfdProfileSpec, BfdProfileStatus>;

export const bfdProfileKind = writtenKind({
  version: 'v1beta1',
  kind: 'BFDProfile',
  plural: 'bfdprofiles',
  singular: 'bfdprofile',
  description: 'Says how fast BFD notices that a BGP peer is gone; BGPPeers name it.',
  wideColumns: [
    wideColumn('Passive Mode', 'boolean', 'passiveMode'),
    wideColumn('Transmit Interval', 'integer', 'transmitInterval'),
    wideColumn('Receive Interval', 'integer', 'receiveInterval'),
    wideColumn('Multiplier', 'integer', 'detectMultiplier'),
  ],
  spec: bfdProfileSpec.optional().describe('The timers and modes of the sessions.'),
  status: bfdProfileStatus,
});
