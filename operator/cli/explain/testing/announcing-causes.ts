/** Addresses that nothing announces. */

import type { Condition } from '../../../cluster/objects.ts';
import { l2Advertisement, NOW, node, service, type TestCluster } from '../../testing/cluster.ts';
import { announcing, type Cause, KEY } from './cause.ts';

const EXCLUDED = { labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } };

/** The Service with what the operator wrote about announcing it. */
const announced = (status: Condition['status'], reason: string, message: string): Partial<TestCluster> => {
  const condition = { type: 'heraldlb.io/Announced', status, reason, message, lastTransitionTime: NOW.toISOString() };
  return { services: [{ ...service(KEY), status: { conditions: [condition] } }] };
};

export const announcingCauses: readonly Cause[] = [
  {
    name: 'no advertisement',
    cluster: announcing({ l2Advertisements: [] }),
    reason: 'NoAdvertisement',
    says: 'no L2Advertisement covers pool public for this Service',
    remedy: 'create an L2Advertisement',
  },
  {
    name: 'an advertisement for another pool',
    cluster: announcing({ l2Advertisements: [l2Advertisement('lab', { ipAddressPools: ['lab'] })] }),
    reason: 'NoAdvertisement',
    says: 'no L2Advertisement covers pool public',
    detail: ['l2advertisement lab', 'AdvertisementNotForPool'],
    remedy: 'let an L2Advertisement name the pool',
  },
  {
    name: 'an advertisement for Services with other labels',
    cluster: announcing({
      l2Advertisements: [l2Advertisement('gold', { serviceSelectors: [{ matchLabels: { tier: 'gold' } }] })],
    }),
    reason: 'NoAdvertisement',
    says: 'no L2Advertisement covers pool public',
    detail: ['l2advertisement gold', 'AdvertisementNotForService'],
    remedy: 'label the Service',
  },
  {
    name: 'an advertisement in a namespace that is not read',
    cluster: announcing({ l2Advertisements: [l2Advertisement('all', {}, { namespace: 'shop' })] }),
    reason: 'NoAdvertisement',
    says: 'no L2Advertisement covers pool public',
    detail: ['l2advertisement all', 'NamespaceNotWatched'],
  },
  {
    name: 'an advertisement with a selector that makes no sense',
    cluster: announcing({
      l2Advertisements: [
        l2Advertisement('all', {
          nodeSelectors: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [] }] }],
        }),
      ],
    }),
    reason: 'NoAdvertisement',
    says: 'no L2Advertisement covers pool public',
    detail: ['l2advertisement all', 'InvalidSelector'],
    remedy: 'correct the selector',
  },
  {
    name: 'no endpoint at all',
    cluster: announcing({ endpoints: {} }),
    reason: 'NoEndpoints',
    says: 'no pod in its namespace matches its selector app=api',
    remedy: 'kubectl -n shop get endpointslices -l kubernetes.io/service-name=api',
  },
  {
    name: 'endpoints that are not ready',
    cluster: announcing({
      endpointSlices: [
        {
          metadata: { namespace: 'shop', name: 'api-1', labels: { 'kubernetes.io/service-name': 'api' } },
          addressType: 'IPv4',
          endpoints: [
            { nodeName: 'node-a', conditions: { ready: false } },
            { nodeName: 'node-b', conditions: { ready: false } },
          ],
        },
      ],
    }),
    reason: 'NoEndpoints',
    says: 'none of its 2 endpoints is ready',
  },
  {
    name: 'an advertisement that selects no node',
    cluster: announcing({
      l2Advertisements: [l2Advertisement('all', { nodeSelectors: [{ matchLabels: { zone: 'x' } }] })],
    }),
    reason: 'NoEligibleNode',
    says: 'exclude every node',
    detail: ['node node-a', 'NodeNotSelected'],
    remedy: 'select a node',
  },
  {
    name: 'nodes that are all excluded by their label',
    cluster: announcing({ nodes: [node('node-a', EXCLUDED), node('node-b', EXCLUDED)] }),
    reason: 'NodeExcluded',
    says: 'every node has the label node.kubernetes.io/exclude-from-external-load-balancers',
    detail: ['node node-a', 'NodeExcluded'],
    remedy: 'kubectl label node NODE node.kubernetes.io/exclude-from-external-load-balancers-',
  },
  {
    name: 'the one node that is selected, excluded by its label',
    cluster: announcing({
      l2Advertisements: [l2Advertisement('all', { nodeSelectors: [{ matchLabels: { zone: 'x' } }] })],
      nodes: [node('node-a', { labels: { ...EXCLUDED.labels, zone: 'x' } }), node('node-b')],
    }),
    reason: 'NoEligibleNode',
    says: 'exclude every node',
    detail: ['node node-a', 'NodeExcluded'],
  },
  {
    name: 'nodes that have no network yet',
    cluster: announcing({ nodes: [node('node-a', {}, true)] }),
    reason: 'NodeNetworkUnavailable',
    says: 'no node has its network yet',
    detail: ['node node-a', 'NodeNetworkUnavailable'],
    remedy: 'wait for',
  },
  {
    name: 'no endpoint on a node that may announce',
    cluster: announcing({
      services: [service(KEY, { externalTrafficPolicy: 'Local' })],
      l2Advertisements: [l2Advertisement('all', { nodeSelectors: [{ matchLabels: { zone: 'x' } }] })],
      nodes: [node('node-a'), node('node-b', { labels: { zone: 'x' } })],
    }),
    reason: 'NoLocalEndpoints',
    says: 'externalTrafficPolicy is Local and no eligible node has an endpoint that serves',
    detail: ['node node-b', 'NoLocalEndpoints'],
    remedy: 'externalTrafficPolicy Cluster',
  },
  {
    name: 'no speaker on any node that may announce',
    cluster: announcing({ withoutSpeaker: ['node-a', 'node-b'] }),
    reason: 'NoSpeaker',
    says: 'no speaker is ready on node',
    detail: ['node node-a', 'NoSpeaker'],
    remedy: 'component=speaker',
  },
  {
    name: 'a speaker that reports that the interfaces are not there',
    cluster: announcing({
      ...announced(
        'False',
        'NoInterface',
        '203.0.113.0: none of the interfaces of its advertisements can announce on this node (node-a)',
      ),
    }),
    reason: 'NoInterface',
    says: 'none of the interfaces of its advertisements can announce on this node (node-a)',
    remedy: 'spec.interfaces',
  },
  {
    name: 'speakers of which none reports',
    cluster: announcing({ ...announced('Unknown', 'NoReport', 'no living speaker reports what it announces') }),
    reason: 'NoReport',
    says: 'no living speaker reports',
    remedy: 'see whether the speakers run',
  },
];
