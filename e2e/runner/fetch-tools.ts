/**
 * Fetches what scenarios build from other people's Go modules, before they run: the lab's network reaches no registry.
 *
 *   node e2e/runner/fetch-tools.ts [long]
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { goModules } from '../cluster/go-tool.ts';
import { repository } from '../cluster/places.ts';
import { kstatusTool } from '../lib/kstatus.ts';

if (process.argv.includes('long')) for (const name of readdirSync(join(repository, 'e2e/tools'))) await goModules(name);
else await kstatusTool();
