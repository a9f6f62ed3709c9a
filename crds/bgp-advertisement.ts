/** BGPAdvertisement (metallb.io/v1beta1): which pools are advertised to which BGP peers, and how. */
import * as z from 'zod';
import { commonStatus } from './condition.ts';
import { type CustomObject, labelSelector } from './object-meta.ts';
import { nodeColumn, poolColumns, poolSelection, serviceSelection } from './pool-selection.ts';
import { int32, int64, kubernetes } from './structural.ts';
import { writtenKind } from './written-kind.ts';

const ONLY_HOST_ROUTES =
  '!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ' +
  '(self.aggregationLength == 32 && self.aggregationLengthV6 == 128)';

export const bgpAdvertisementSpec = z
  .object({
    aggregationLength: int32()
      .min(1)
      .max(32)
      .default(32)
      .describe('IPv4 addresses are advertised as prefixes of this length.'),
    aggregationLengthV6: int32()
      .max(128)
      .default(128)
      .describe('IPv6 addresses are advertised as prefixes of this length.'),
    localPref: int64().min(0).max(4_294_967_295).optional().describe('LOCAL_PREF: a higher one is preferred.'),
    communities: z
      .array(z.string().describe('A community, or its alias.'))
      .optional()
      .describe('Communities as 64512:100, large:64512:1:2, or the name of an alias in a Community.'),
    ...poolSelection,
    nodeSelectors: z
      .array(labelSelector)
      .optional()
      .describe('Nodes that are next hops, by labels; one selector must match. None: every node.'),
    peers: z
      .array(z.string().describe('The name of a peer.'))
      .optional()
      .describe('BGPPeers by name. None: every peer.'),
    ...serviceSelection,
  })
  .register(kubernetes, {
    rules: [
      {
        rule: ONLY_HOST_ROUTES,
        message: 'serviceSelectors need aggregationLength 32 and aggregationLengthV6 128',
      },
    ],
  });
export type BgpAdvertisementSpec = z.infer<typeof bgpAdvertisementSpec>;

export const bgpAdvertisementStatus = z.object({ ...commonStatus });
export type BgpAdvertisementStatus = z.infer<typeof bgpAdvertisementStatus>;

export type BgpAdvertisement = CustomObject<'BGPAdvertisement', BgpAdvertisementSpec, BgpAdvertisementStatus>;

export const bgpAdvertisementKind = writtenKind({
  version: 'v1beta1',
  kind: 'BGPAdvertisement',
  plural: 'bgpadvertisements',
  singular: 'bgpadvertisement',
  description: 'Says which pools are advertised by BGP, to which peers, from which nodes, and with which attributes.',
  wideColumns: [
    ...poolColumns,
    { name: 'Peers', type: 'string', jsonPath: '.spec.peers', description: 'Peers by name.', priority: 1 },
    nodeColumn,
  ],
  spec: bgpAdvertisementSpec.optional().describe('What is advertised, to whom, and how.'),
  status: bgpAdvertisementStatus,
});
