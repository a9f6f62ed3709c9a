/**
 * `make image`: builds build/herald-image.tar without any base image and without Docker, from the npm packages of the
 * lock file and three Debian packages. What has not changed is not built again. ARCH=amd64 or arm64 says for which
 * platform; of another one than this machine's nothing is executed, and the archive carries its name.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiveOf, sha256 } from './archive.ts';
import { bundle } from './bundle.ts';
import { productEntries, runtimeEntries } from './contents.ts';
import { archivePathOf, debianPackages, hasDebianTools, librariesOf, platformOf, targetArch } from './debian.ts';
import { CACHE, platformPackage } from './platform-package.ts';
import { tarOf } from './tar.ts';

/** As Node names it. */
const ARCH = targetArch();
const ARCHIVE = archivePathOf(ARCH);
/** Says which image the archive holds, so that an unchanged one is not written again. */
const STAMP = ARCHIVE.replace('.tar', '.id');
const MIB = 1024 * 1024;
const MAX_SIZE = 250 * MIB;
/** Change it when the runtime layer is made in another way from the same inputs. */
const RUNTIME_RECIPE = 'contents.ts debian.ts tar.ts';

/** 65532 is the user of the operator; the speaker's manifest asks for root with few capabilities. */
const CONFIG = {
  Entrypoint: ['/usr/local/bin/herald'],
  Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
  User: '65532:65532',
  WorkingDir: '/',
};

async function main(): Promise<number> {
  if (!hasDebianTools()) {
    process.stderr.write(
      'make image takes the C library from Debian packages, and apt-get or dpkg-deb is missing here.\n' +
        'With Docker and a registry of images: docker build -f image/Dockerfile -t herald . \n',
    );
    return 2;
  }
  const startedAt = performance.now();
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const { architecture } = platformOf(ARCH);

  await bundle();
  const runtime = runtimeLayer();
  const product = tarOf(productEntries(ARCH, version));
  const { tar, imageId } = archiveOf({
    tag: `herald:${version}`,
    architecture,
    config: { ...CONFIG, Labels: { 'org.opencontainers.image.version': version } },
    layers: [
      { tar: runtime, createdBy: 'Node.js from npm, C and C++ libraries from Debian' },
      { tar: product, createdBy: 'make image' },
    ],
  });

  const isUnchanged = existsSync(ARCHIVE) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === imageId;
  if (!isUnchanged) {
    mkdirSync('build', { recursive: true });
    writeWhole(ARCHIVE, tar);
    writeFileSync(STAMP, imageId);
  }
  const size = statSync(ARCHIVE).size;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const how = isUnchanged ? 'unchanged' : 'built';
  process.stdout.write(
    `herald:${version} for ${architecture} ${how} in ${seconds} s: ${(size / MIB).toFixed(1)} MiB (limit ${MAX_SIZE / MIB}), ` +
      `of which product ${(product.length / MIB).toFixed(1)} MiB: ${ARCHIVE}\n`,
  );
  if (size <= MAX_SIZE) return 0;
  process.stderr.write('the image is over its limit\n');
  return 1;
}

/** The layer under the product, kept in the cache by a hash of all that it is made of. */
function runtimeLayer(): Buffer {
  const packages = debianPackages(join(CACHE, 'debian', ARCH), platformOf(ARCH));
  const recipe = RUNTIME_RECIPE.split(' ').map((file) => readFileSync(join('image', file)));
  const runtimePackage = readFileSync(join(platformPackage(`node-linux-${ARCH}`), 'package.json'));
  const key = sha256(Buffer.concat([...recipe, runtimePackage, Buffer.from(packages.join())])).slice(0, 16);
  const cached = join(CACHE, `runtime-${key}.tar`);
  if (existsSync(cached)) return readFileSync(cached);
  const platform = platformOf(ARCH);
  const layer = tarOf([...runtimeEntries(ARCH), ...librariesOf(packages, platform)]);
  mkdirSync(CACHE, { recursive: true });
  writeWhole(cached, layer);
  return layer;
}

/** Writes a file that is there whole or not at all, also when two builds run at once. */
function writeWhole(path: string, content: Buffer): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, path);
}

process.exitCode = await main();
