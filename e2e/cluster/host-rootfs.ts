/** The root file system of the hosts beside the cluster: `client` and `router` run the same one. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { keyOf, keyOfFiles, once, prune } from './cache.ts';
import { bootstrap, RELEASE } from './debian.ts';
import { places, repository } from './places.ts';
import { Problem } from './problem.ts';
import { run } from './process.ts';

/** What both hosts have installed; no service of it is started. */
export const HOST_PACKAGES: readonly string[] = [
  ...['bash', 'procps', 'iproute2', 'nftables', 'busybox-static', 'ca-certificates', 'libstdc++6', 'coreutils'],
  ...['curl', 'iputils-ping', 'iputils-arping', 'ndisc6', 'tcpdump', 'netcat-openbsd', 'socat'],
  ...['frr', 'bird2', 'gobgpd', 'keepalived'],
];

/** Where the archive is, built or not. */
export interface HostRootfs {
  readonly key: string;
  readonly archive: string;
}

/** The running Node's own binary: the version that package-lock.json pins. */
export function nodeBinary(): string {
  const pinned = resolve(repository, 'node_modules', '.bin', 'node');
  if (existsSync(pinned)) return pinned;
  throw new Problem('NoNode', 'node_modules holds no Node 24 binary: run `npm ci` first.');
}

/** The archive for the present list of packages and version of Node. */
export function hostRootfs(): HostRootfs {
  const key = keyOf(keyOfFiles([import.meta.filename]), RELEASE, process.version, process.arch);
  return { key, archive: join(places.rootfs, `host-${key}.tar`) };
}

/** Builds the archive unless it is there. */
export async function buildHostRootfs(rootfs: HostRootfs, log: string): Promise<void> {
  await once(rootfs.archive, async (unfinished) => {
    const root = `${unfinished}.root`;
    rmSync(root, { recursive: true, force: true });
    mkdirSync(places.rootfs, { recursive: true });
    await bootstrap(root, HOST_PACKAGES, log);
    copyFileSync(nodeBinary(), join(root, 'usr/local/bin/node'));
    await run(['tar', '-C', root, '-cf', unfinished, '.'], { log });
    rmSync(root, { recursive: true });
  });
  prune(places.rootfs, 'host-', 2);
}
