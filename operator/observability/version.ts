/** The version of this build: that of package.json, which the bundle contains. */

import manifest from '../../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;
