/** Community (metallb.io/v1beta1): names for BGP communities, which BGPAdvertisements may use instead of the values. */
import * as z from 'zod';
import { commonStatus } from './condition.ts';
import { ageColumn, CATEGORY, type KindDefinition, readyColumns, statusAtBirth } from './definition.ts';
import type { CustomObject } from './object-meta.ts';

const communityAlias = z
  .object({
    name: z.string().optional().describe('The alias, for spec.communities of a BGPAdvertisement.'),
    value: z
      .string()
      .optional()
      .describe('What it stands for: 64512:100 (RFC 1997), or large:64512:1:2 for a large community (RFC 8092).'),
  })
  .describe('A name and what it stands for.');

export const communitySpec = z.object({
  communities: z.array(communityAlias).optional().describe('The aliases.'),
});
export type CommunitySpec = z.infer<typeof communitySpec>;

export const communityStatus = z.object({ ...commonStatus });
export type CommunityStatus = z.infer<typeof communityStatus>;

export type Community = CustomObject<'Community', CommunitySpec, CommunityStatus>;

export const communityKind: KindDefinition = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'Community',
  plural: 'communities',
  singular: 'community',
  categories: [CATEGORY],
  description: 'Gives names to BGP communities; BGPAdvertisements use the names.',
  columns: [...readyColumns, ageColumn],
  schema: z.object({
    spec: communitySpec.optional().describe('The names and what they stand for.'),
    status: communityStatus.default(statusAtBirth).describe('What the operator says of it.'),
  }),
  subresources: ['status'],
};
