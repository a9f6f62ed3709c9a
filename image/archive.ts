/** An image as `docker save` writes it: what `docker load` and `ctr images import` both take. */

import { createHash } from 'node:crypto';
import { tarOf } from './tar.ts';

/** One layer: an uncompressed tar. */
export interface Layer {
  readonly tar: Buffer;
  readonly createdBy: string;
}

export interface ImageOptions {
  /** Such as `herald:1.2.3`. */
  readonly tag: string;
  /** As Go names it: amd64 or arm64. */
  readonly architecture: string;
  readonly layers: readonly Layer[];
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Archive {
  readonly tar: Buffer;
  /** The digest of the configuration, which names the image. */
  readonly imageId: string;
}

/** Images say when they were made; one that is made of the same content twice shall be the same. */
const CREATED = '1970-01-01T00:00:00Z';

/** Assembles the archive: the layers, the configuration that names their digests, and the manifest that names both. */
export function archiveOf({ tag, architecture, layers, config }: ImageOptions): Archive {
  const digests = layers.map(({ tar }) => sha256(tar));
  const configuration = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      created: CREATED,
      config,
      rootfs: { type: 'layers', diff_ids: digests.map((digest) => `sha256:${digest}`) },
      history: layers.map(({ createdBy }) => ({ created: CREATED, created_by: createdBy })),
    }),
  );
  const imageId = sha256(configuration);
  const manifest = [
    { Config: `${imageId}.json`, RepoTags: [tag], Layers: digests.map((digest) => `${digest}/layer.tar`) },
  ];
  const tar = tarOf([
    ...layers.map(({ tar: content }, at) => ({ type: 'file' as const, path: `${digests[at]}/layer.tar`, content })),
    { type: 'file', path: `${imageId}.json`, content: configuration },
    { type: 'file', path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) },
  ]);
  return { tar, imageId };
}

export const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
