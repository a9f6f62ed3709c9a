/** `make synth`: writes cdk8s/dist anew. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { manifests } from './manifests.ts';

const DIST = new URL('dist', import.meta.url).pathname;

rmSync(DIST, { recursive: true, force: true });
for (const [path, text] of manifests()) {
  const file = join(DIST, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
