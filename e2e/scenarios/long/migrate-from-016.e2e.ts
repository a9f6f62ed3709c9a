/** From MetalLB 0.16 and back; the steps are taken by the kubectl lines that the dry run prints. */

import { releases } from '../../lib/metallb.ts';
import { migrationStory } from '../../lib/migration-story.ts';

migrationStory('migrate-from-016', { release: releases['0.16'], hasAddressPools: false, byKubectl: true });
