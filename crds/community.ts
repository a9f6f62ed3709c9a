/** Community (metallb.io/v1beta1): names for BGP communities, which BGPAdvertisements may use instead of the values. */
import * as z from 'zod';
import { commonStatus } from './condition.ts';
import type { CustomObject } from './object-meta.ts';
import { writtenKind } from './written-kind.ts';

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

export const communityKind = writtenKind({
  version: 'v1beta1',
  kind: 'Community',
  plural: 'communities',
  singular: 'community',
  description: 'Gives names to BGP communities; BGPAdvertisements use the names.',
  spec: communitySpec.optional().describe('The names and what they stand for.'),
  status: communityStatus,
});
