/** What each field of BGPSession takes and refuses. */
import { bgpSessionKind } from '../bgp-session.ts';
import { aCondition, conditionRows } from './common.ts';
import { ABSENT, field, type KindSamples, requiredText, text, time } from './field.ts';

const seconds = (name: string) => field(`status.${name}`, [0, 90, 65_535, ABSENT], [-1, 65_536, '90s', 1.5]);
const count = (name: string) => field(`status.${name}`, [0, 10_000, ABSENT], [-1, 'many', 1.5]);

const session = {
  node: 'node-a',
  peer: 'tor-1',
  state: 'Established',
  bfd: { state: 'Up' },
  conditions: [aCondition],
};

export const bgpSessionSamples: KindSamples = {
  kind: bgpSessionKind,
  base: { status: session },
  fields: [
    field('status', [session, ABSENT], ['Established']),
    requiredText('status.node'),
    requiredText('status.peer'),
    text('status.peerAddress'),
    text('status.localAddress'),
    text('status.vrf'),
    field(
      'status.state',
      ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'],
      ['Up', '', 6, ABSENT],
    ),
    time('status.since'),
    seconds('holdTimeSeconds'),
    seconds('keepaliveTimeSeconds'),
    count('prefixesSentIPv4'),
    count('prefixesSentIPv6'),
    field('status.bfd', [{ state: 'Down' }, ABSENT], ['Up']),
    text('status.bfd.profile'),
    field('status.bfd.state', ['AdminDown', 'Down', 'Init', 'Up'], ['up', 3, ABSENT]),
    time('status.bfd.since'),
    field('status.bfd.detectionTimeMilliseconds', [0, 150, ABSENT], [-1, '150ms', 1.5]),
    text('status.bfd.diagnostic'),
    text('status.lastError'),
    time('status.lastErrorTime'),
    ...conditionRows(),
  ],
};
