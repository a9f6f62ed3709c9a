/** What each field of BFDProfile and Community takes and refuses. */
import { bfdProfileKind } from '../bfd-profile.ts';
import { communityKind } from '../community.ts';
import { aStatus, commonStatusRows } from './common.ts';
import { ABSENT, field, type KindSamples, text, yesOrNo } from './field.ts';

const interval = (name: string) => field(`spec.${name}`, [10, 300, 60_000, ABSENT], [9, 60_001, '300ms', 10.5]);

export const bfdProfileSamples: KindSamples = {
  kind: bfdProfileKind,
  base: { spec: {}, status: aStatus },
  fields: [
    field('spec', [{}, ABSENT], ['fast']),
    interval('receiveInterval'),
    interval('transmitInterval'),
    interval('echoInterval'),
    field('spec.detectMultiplier', [2, 3, 255, ABSENT], [1, 256, '3', 2.5]),
    yesOrNo('spec.echoMode'),
    yesOrNo('spec.passiveMode'),
    field('spec.minimumTtl', [1, 254, ABSENT], [0, 255, '254', 1.5]),
    ...commonStatusRows(),
  ],
};

export const communitySamples: KindSamples = {
  kind: communityKind,
  base: { spec: { communities: [{ name: 'no-export', value: '65535:65281' }] }, status: aStatus },
  fields: [
    field('spec', [{}, ABSENT], ['no-export']),
    field('spec.communities', [[], ABSENT], [{ name: 'no-export', value: '65535:65281' }]),
    field('spec.communities[]', [{ name: 'no-export', value: '65535:65281' }, {}], ['no-export']),
    text('spec.communities[].name'),
    field('spec.communities[].value', ['65535:65281', 'large:64512:1:2'], [65_535]),
    ...commonStatusRows(),
  ],
};
