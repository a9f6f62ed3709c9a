/** What each field of L2Advertisement and BGPAdvertisement takes and refuses. */
import { bgpAdvertisementKind } from '../bgp-advertisement.ts';
import { l2AdvertisementKind } from '../l2-advertisement.ts';
import { aSelector, aStatus, commonStatusRows, selector, selectors } from './common.ts';
import { ABSENT, field, type KindSamples, text, texts } from './field.ts';

const someSelectors = {
  ipAddressPoolSelectors: [aSelector],
  nodeSelectors: [aSelector],
  serviceSelectors: [aSelector],
};

const selectionRows = [
  field('spec', [{}, ABSENT], ['public', ['public']]),
  ...texts('spec.ipAddressPools'),
  ...selectors('spec.ipAddressPoolSelectors'),
  ...selectors('spec.nodeSelectors'),
  ...selectors('spec.serviceSelectors'),
];

export const l2AdvertisementSamples: KindSamples = {
  kind: l2AdvertisementKind,
  base: {
    spec: { ...someSelectors, preferredNodeSelectors: [{ weight: 1, preference: aSelector }] },
    status: aStatus,
  },
  fields: [
    ...selectionRows,
    ...texts('spec.interfaces'),
    field('spec.preferredNodeSelectors', [[], ABSENT], [{ weight: 1, preference: {} }]),
    field('spec.preferredNodeSelectors[]', [{ weight: 1, preference: {} }], ['node-a']),
    field('spec.preferredNodeSelectors[].weight', [1, 100], [0, 101, '1', 1.5, ABSENT]),
    field('spec.preferredNodeSelectors[].preference', [{}], ['node-a', ABSENT]),
    ...selector('spec.preferredNodeSelectors[].preference'),
    ...commonStatusRows(),
    text('status.pools'),
  ],
};

/** Selected Services cannot be aggregated. */
const anyService = { 'spec.serviceSelectors': ABSENT };

export const bgpAdvertisementSamples: KindSamples = {
  kind: bgpAdvertisementKind,
  base: { spec: someSelectors, status: aStatus },
  fields: [
    ...selectionRows,
    field('spec.aggregationLength', [1, 24, 32, ABSENT], [0, 33, '32', 1.5], anyService),
    field('spec.aggregationLengthV6', [0, 64, 128, ABSENT], [129, '128', 1.5], anyService),
    field('spec.localPref', [0, 4_294_967_295, ABSENT], [-1, 4_294_967_296, 'high', 1.5]),
    field('spec.communities', [['64512:100', 'large:64512:1:2', 'no-export'], []], ['64512:100']),
    field('spec.communities[]', ['64512:100', 'no-export'], [64_512]),
    ...texts('spec.peers'),
    ...commonStatusRows(),
  ],
};
