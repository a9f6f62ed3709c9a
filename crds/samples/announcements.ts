/** What each field of ServiceAnnouncement and NodeAnnouncement takes and refuses. */
import { MAX_EXCEPTIONS, nodeAnnouncementKind, REPORT_BUCKETS } from '../node-announcement.ts';
import { serviceAnnouncementKind } from '../service-announcement.ts';
import { aCondition, conditionRows } from './common.ts';
import { ABSENT, field, type KindSamples, requiredText, text, time } from './field.ts';

/** A list of texts that must be there, and its entries. */
const requiredTexts = (path: string) => [
  field(path, [['text'], []], ['text', ABSENT]),
  field(`${path}[]`, ['text'], [7]),
];
const requiredCount = (path: string) => field(path, [0, 5_000], [-1, 'many', 1.5, ABSENT]);

const announcer = { protocol: 'l2', node: 'node-a', address: '192.0.2.1' };

export const serviceAnnouncementSamples: KindSamples = {
  kind: serviceAnnouncementKind,
  base: {
    addresses: ['192.0.2.1'],
    addressList: '192.0.2.1',
    announcers: [announcer],
    by: 'l2:node-a',
    status: { conditions: [aCondition] },
  },
  fields: [
    ...requiredTexts('addresses'),
    requiredText('addressList'),
    text('pool'),
    field('announcers', [[], [announcer, { ...announcer, protocol: 'bgp' }]], ['node-a', announcer, ABSENT]),
    field('announcers[]', [announcer], ['node-a']),
    field('announcers[].protocol', ['l2', 'bgp'], ['arp', '', 2, ABSENT]),
    requiredText('announcers[].node'),
    requiredText('announcers[].address'),
    time('announcers[].since'),
    requiredText('by'),
    field('status', [{}, ABSENT], ['Announced']),
    ...conditionRows(),
  ],
};

const link = { name: 'eth0', carrier: true, subnets: ['192.0.2.2/24'] };
const reason = { reason: 'NoPool', message: 'The address lies in no pool.' };
const exception = { ...reason, service: 'shop/web', address: '192.0.2.1' };
const responder = { kind: 'Packet', reason: 'KernelTooOld', message: 'Programs need Linux 6.6.' };
const probe = { address: '192.0.2.1', uid: '7', result: 'Free' };
const bucket = { bucket: 0, digest: '0123456789abcdef', count: 1, resourceVersion: '1' };

export const nodeAnnouncementSamples: KindSamples = {
  kind: nodeAnnouncementKind,
  base: {
    announced: 1,
    inputs: { algorithmVersion: 1, alive: ['node-a'], interfaces: [link], ignoresExcludeLabel: false },
    reasons: [reason],
    buckets: [bucket],
    exceptions: [exception],
    exceptionCount: 1,
    responder,
    probes: [probe],
  },
  fields: [
    requiredCount('announced'),
    field(
      'inputs',
      [{ algorithmVersion: 1, alive: [], interfaces: [], ignoresExcludeLabel: true }],
      ['node-a', ABSENT],
    ),
    field('inputs.algorithmVersion', [1, 2], ['1', 1.5, ABSENT]),
    ...requiredTexts('inputs.alive'),
    field('inputs.interfaces', [[]], ['eth0', ABSENT]),
    field('inputs.interfaces[]', [link], ['eth0']),
    requiredText('inputs.interfaces[].name'),
    field('inputs.interfaces[].carrier', [true, false], ['up', ABSENT]),
    ...requiredTexts('inputs.interfaces[].subnets'),
    field('inputs.ignoresExcludeLabel', [true, false], ['no', ABSENT]),
    field('reasons', [[]], ['NoPool', ABSENT]),
    field('reasons[]', [reason], ['NoPool']),
    requiredText('reasons[].reason'),
    requiredText('reasons[].message'),
    field(
      'buckets',
      [[], Array(REPORT_BUCKETS).fill(bucket)],
      [Array(REPORT_BUCKETS + 1).fill(bucket), bucket, ABSENT],
    ),
    field('buckets[]', [bucket], [1]),
    field('buckets[].bucket', [0, 255], [-1, 256, '0', 1.5, ABSENT]),
    requiredText('buckets[].digest'),
    requiredCount('buckets[].count'),
    requiredText('buckets[].resourceVersion'),
    field(
      'exceptions',
      [[], Array(MAX_EXCEPTIONS).fill(exception)],
      [Array(MAX_EXCEPTIONS + 1).fill(exception), exception, ABSENT],
    ),
    field('exceptions[]', [exception], ['shop/web']),
    requiredText('exceptions[].service'),
    requiredText('exceptions[].address'),
    requiredText('exceptions[].reason'),
    requiredText('exceptions[].message'),
    requiredCount('exceptionCount'),
    field('inputs.keeps', [[], ['192.0.2.1'], ABSENT], ['192.0.2.1']),
    field('inputs.keeps[]', ['192.0.2.1'], [7]),
    field('responder', [responder, ABSENT], ['Kernel']),
    field('responder.kind', ['Kernel', 'Packet'], ['kernel', '', 1, ABSENT]),
    requiredText('responder.reason'),
    requiredText('responder.message'),
    field('probes', [[], ABSENT], [probe]),
    field('probes[]', [probe], ['Free']),
    requiredText('probes[].address'),
    requiredText('probes[].uid'),
    field('probes[].result', ['Free', 'Conflict', 'Failed'], ['free', '', 1, ABSENT]),
    text('probes[].mac'),
    text('probes[].interface'),
    text('probes[].message'),
  ],
};
