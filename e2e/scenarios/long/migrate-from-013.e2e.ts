/** From MetalLB 0.13, with its AddressPools and its conversion webhooks, and back. */

import { releases } from '../../lib/metallb.ts';
import { migrationStory } from '../../lib/migration-story.ts';

migrationStory('migrate-from-013', { release: releases['0.13'], hasAddressPools: true, byKubectl: false });
