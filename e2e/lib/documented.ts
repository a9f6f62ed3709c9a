/** MetalLB's documented manifests, applied unchanged: their networks are made known to the client for a while. */

import { join } from 'node:path';
import { repository } from '../cluster/places.ts';
import { exec, kubectl } from './lab.ts';

const SAMPLES = join(repository, 'e2e/scenarios/testdata');

export interface DocumentedManifest {
  readonly file: string;
  /** The networks of its pool: not the lab's, so the client must be told that they are on its segment. */
  readonly networks: readonly string[];
}

export const documented = {
  layer2: { file: join(SAMPLES, 'metallb-layer2.yaml'), networks: ['192.168.1.0/24'] },
  ranges: { file: join(SAMPLES, 'metallb-ranges.yaml'), networks: ['192.168.10.0/24', 'fc00:f853:ccd:e799::/124'] },
} as const satisfies Record<string, DocumentedManifest>;

/** Applies a manifest, does something with it in force, and takes it away again. */
export async function withDocumented({ file, networks }: DocumentedManifest, body: () => Promise<void>): Promise<void> {
  for (const network of networks) await route('replace', network);
  await kubectl('apply', '-f', file);
  try {
    await body();
  } finally {
    for (const network of networks) await route('del', network);
    await kubectl('delete', '--ignore-not-found', '-f', file);
  }
}

async function route(action: 'replace' | 'del', network: string): Promise<void> {
  await exec('client', ['ip', network.includes(':') ? '-6' : '-4', 'route', action, network, 'dev', 'eth0']);
}
