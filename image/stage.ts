/** Writes the part of the image that stands on a base image into a directory: `node image/stage.ts DIRECTORY`, for the Dockerfile. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.ts';
import { productEntries, runtimeEntries } from './contents.ts';

const [directory = 'build/stage'] = process.argv.slice(2);
const { version } = (await import('../package.json', { with: { type: 'json' } })).default;

await bundle();
for (const entry of [...runtimeEntries(process.arch), ...productEntries(process.arch, version)]) {
  // A base image brings its own users, name service and directories.
  if (entry.type !== 'file' || entry.path.startsWith('etc/')) continue;
  const path = join(directory, entry.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, entry.content);
  chmodSync(path, entry.mode ?? 0o644);
}
