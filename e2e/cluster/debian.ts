/** Debian: installs the tools this machine lacks, and builds root file systems by mmdebstrap. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { places } from './places.ts';
import { Problem } from './problem.ts';
import { run, tryRun } from './process.ts';

/** The release that nodes and hosts are made of. */
export const RELEASE = 'bookworm';

const PACKAGE_OF: Readonly<Record<string, string>> = {
  dockerd: 'docker.io',
  docker: 'docker.io',
  runc: 'runc',
  containerd: 'containerd',
  mmdebstrap: 'mmdebstrap',
  iptables: 'iptables',
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  mount: 'mount',
  tar: 'tar',
};

/** The Debian packages for those of the lab's tools that are not on PATH. */
export function missingPackages(isThere: (command: string) => boolean = isCommand): readonly string[] {
  const missing = Object.entries(PACKAGE_OF).filter(([command]) => !isThere(command));
  return [...new Set(missing.map(([, debianPackage]) => debianPackage))].toSorted();
}

/** Tells whether a command is on PATH or where Debian keeps what only root runs. */
export function isCommand(name: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => directory !== '' && existsSync(join(directory, name)));
}

/**
 * Installs packages without starting any service that comes with them.
 * @throws Problem without apt-get or without root
 */
export async function install(packages: readonly string[], log: string): Promise<void> {
  if (!isCommand('apt-get')) {
    throw new Problem('NoApt', `This machine lacks ${packages.join(', ')} and has no apt-get: install them by hand.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Problem(
      'NotRoot',
      `Packages are missing and only root can install them: apt-get install ${packages.join(' ')}`,
    );
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run(['apt-get', 'update', '-qq'], { log, env });
  await withoutServices(() =>
    run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages], { log, env }),
  );
}

/** Debian's own switch for "start nothing": a policy-rc.d that forbids it, there for as long as apt-get runs. */
async function withoutServices(body: () => Promise<unknown>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await body();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

/** Builds a root file system of the release in `directory`, without documentation. */
export async function bootstrap(directory: string, packages: readonly string[], log: string): Promise<void> {
  const argv = [
    'mmdebstrap',
    '--variant=minbase',
    '--mode=root',
    '--aptopt=APT::Install-Recommends "false"',
    ...(await proxyOptions()),
    ...['doc', 'man', 'locale', 'info'].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`),
    `--include=${packages.join(',')}`,
    RELEASE,
    directory,
    ...sourcesOf(RELEASE),
  ];
  const rooted = join(import.meta.dirname, 'node', 'rooted');
  await run(['unshare', '--mount', '--propagation', 'unchanged', rooted, places.run, ...argv], {
    log,
  });
}

/** This machine's own package source for the release; without one mmdebstrap takes Debian's default mirror. */
function sourcesOf(release: string): readonly string[] {
  const directory = '/etc/apt/sources.list.d';
  const names = existsSync(directory) ? readdirSync(directory).toSorted() : [];
  const candidates = [...names.map((name) => join(directory, name)), '/etc/apt/sources.list'];
  const found = candidates.find((path) => existsSync(path) && servesDebian(readFileSync(path, 'utf8'), release));
  return found ? [found] : [];
}

/** Tells whether a source list, in either of apt's two formats, holds Debian's own archive of the release. */
export function servesDebian(sourceList: string, release: string): boolean {
  const oneLine = new RegExp(`^deb\\s(\\[.*\\]\\s)?\\S*/debian/?\\s+${release}\\s.*\\bmain\\b`, 'm');
  const suites = new RegExp(`^Suites:(.*\\s)?${release}(\\s|$)`, 'm');
  return oneLine.test(sourceList) || (suites.test(sourceList) && /^URIs:.*\/debian\/?\s*$/m.test(sourceList));
}

async function proxyOptions(): Promise<readonly string[]> {
  const options: string[] = [];
  for (const scheme of ['http', 'https']) {
    const { stdout } = await tryRun(['apt-config', 'shell', 'proxy', `Acquire::${scheme}::Proxy`]);
    const proxy = /^proxy='(.+)'$/m.exec(stdout)?.[1];
    if (proxy) options.push(`--aptopt=Acquire::${scheme}::Proxy "${proxy}"`);
  }
  return options;
}
