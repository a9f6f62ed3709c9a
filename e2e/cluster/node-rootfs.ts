/** The root file system of a node: Debian with systemd, containerd and kind's own files, and what kube-proxy needs beside Kubernetes. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { keyOf, keyOfFiles, once, prune } from './cache.ts';
import { bootstrap, RELEASE } from './debian.ts';
import { kindNodeFiles } from './go-tools.ts';
import { KUBERNETES_VERSION, places } from './places.ts';
import { run } from './process.ts';

// jq: kind's hook before each container's start reads its bundle's path by it.
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'util-linux', 'mount', 'kmod', 'bash', 'procps', 'ca-certificates', 'busybox-static'],
  ...['containerd', 'runc', 'containernetworking-plugins', 'conntrack', 'iptables', 'nftables', 'iproute2', 'ethtool'],
  ...['netbase', 'jq', 'socat', 'iputils-ping', 'iputils-arping', 'curl', 'tcpdump'],
];
const NETFILTER_TOOLS = ['xtables-nft-multi', 'nft', 'conntrack'];

/** Two archives: the node's whole root, and the files an image for kube-proxy needs of it. */
export interface NodeRootfs {
  readonly key: string;
  readonly directory: string;
  readonly root: string;
  readonly kubeFiles: string;
}

/** Where the archives are, built or not. */
export function nodeRootfs(toolsKey: string): NodeRootfs {
  const key = keyOf(keyOfFiles([import.meta.filename]), toolsKey, RELEASE, ...PACKAGES);
  const directory = join(places.rootfs, `node-${key}`);
  return { key, directory, root: join(directory, 'root.tar'), kubeFiles: join(directory, 'kube.tar') };
}

/** Builds both archives unless they are there. */
export async function buildNodeRootfs(rootfs: NodeRootfs, log: string): Promise<void> {
  await once(rootfs.directory, async (unfinished) => {
    const root = join(unfinished, 'root');
    mkdirSync(unfinished, { recursive: true });
    await bootstrap(root, PACKAGES, log);
    copyKindFiles(root, await kindNodeFiles());
    trimUnits(root);
    await configureContainerd(root, log);
    writeFileSync(join(root, 'etc/sysctl.d/20-herald.conf'), 'net.ipv4.ip_forward=1\nnet.ipv6.conf.all.forwarding=1\n');
    writeFileSync(join(root, 'kind/version'), KUBERNETES_VERSION);
    for (const unit of ['kubelet', 'containerd', 'undo-mount-hacks']) {
      await run(['chroot', root, 'systemctl', 'enable', `${unit}.service`], { log });
    }
    await run(['chroot', root, 'systemctl', 'mask', 'systemd-binfmt.service'], { log });
    await archiveKubeFiles(root, unfinished, log);
    await run(['tar', '-C', root, '-cf', join(unfinished, 'root.tar'), '.'], { log });
    rmSync(root, { recursive: true });
  });
  prune(places.rootfs, 'node-', 2);
}

function copyKindFiles(root: string, kindFiles: string): void {
  // Go keeps its module cache read-only: copies must not inherit that.
  for (const [from, to, mode] of [
    ['etc', 'etc', 0o644],
    ['kind/bin', 'kind/bin', 0o755],
  ] as const) {
    for (const entry of readdirSync(join(kindFiles, from), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const source = join(entry.parentPath, entry.name);
      const target = join(root, to, source.slice(join(kindFiles, from).length));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, readFileSync(source), { mode });
    }
  }
  for (const directory of ['kind/manifests', 'opt/cni/bin', 'etc/kubernetes/manifests']) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  // kind takes a node for started at "Multi-User" or at this text, which on cgroup v1 appears before systemd runs.
  const entrypoint = readFileSync(join(kindFiles, 'usr/local/bin/entrypoint'), 'utf8');
  const target = join(root, 'usr/local/bin/entrypoint');
  writeFileSync(target, entrypoint.replaceAll('detected cgroup v1', 'using cgroup v1'));
  chmodSync(target, 0o755);
}

/** What kind's own base image removes: units that make no sense in a container. */
function trimUnits(root: string): void {
  const units = join(root, 'lib/systemd/system');
  const clear = (directory: string, isUnwanted: (name: string) => boolean = () => true) => {
    for (const name of readdirSync(directory).filter(isUnwanted)) rmSync(join(directory, name), { recursive: true });
  };
  rmSync(join(units, 'sysinit.target.wants/systemd-tmpfiles-setup.service'), { force: true });
  rmSync(join(units, 'containerd.service'), { force: true });
  clear(join(units, 'sockets.target.wants'), (name) => /udev|initctl/.test(name));
  for (const target of ['multi-user', 'local-fs', 'basic']) {
    mkdirSync(join(units, `${target}.target.wants`), { recursive: true });
    clear(join(units, `${target}.target.wants`));
  }
  for (const name of readdirSync(join(root, 'etc/systemd/system'))) {
    if (name.endsWith('.wants')) clear(join(root, 'etc/systemd/system', name));
  }
  writeFileSync(join(root, 'etc/systemd/journald.conf'), '[Journal]\nReadKMsg=no\n');
}

async function configureContainerd(root: string, log: string): Promise<void> {
  for (const name of ['containerd', 'ctr', 'containerd-shim-runc-v2']) {
    symlinkSync(`/usr/bin/${name}`, join(root, 'usr/local/bin', name));
  }
  symlinkSync('/usr/sbin/runc', join(root, 'usr/local/sbin/runc'));
  for (const plugin of ['bridge', 'host-local', 'loopback', 'ptp', 'portmap']) {
    cpSync(join(root, 'usr/lib/cni', plugin), join(root, 'opt/cni/bin', plugin));
  }
  const { stdout } = await run(['chroot', root, 'ctr', 'oci', 'spec']);
  const spec = JSON.parse(stdout) as { hooks?: object; process: { rlimits?: unknown } };
  spec.hooks = { createContainer: [{ path: '/kind/bin/mount-product-files.sh' }] };
  delete spec.process.rlimits;
  writeFileSync(join(root, 'etc/containerd/cri-base.json'), JSON.stringify(spec));
  // `kind export logs` asks for crictl; everything else does without.
  writeFileSync(join(root, 'usr/local/bin/crictl'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  await run(['chroot', root, 'containerd', '--version'], { log });
}

/** kube-proxy calls nft, or iptables with its plugins, and conntrack: those, their libraries, and a shell. */
async function archiveKubeFiles(root: string, directory: string, log: string): Promise<void> {
  const kube = join(directory, 'kube');
  const libraries = 'usr/lib/x86_64-linux-gnu';
  const plugins = join(libraries, 'xtables');
  for (const part of ['usr/local/bin', 'usr/sbin', 'bin', 'lib64', 'tmp', 'etc', 'run', libraries]) {
    mkdirSync(join(kube, part), { recursive: true });
  }
  symlinkSync('usr/lib', join(kube, 'lib'));
  cpSync(join(root, plugins), join(kube, plugins), { recursive: true });
  const objects = readdirSync(join(root, plugins)).map((name) => `/${join(plugins, name)}`);
  for (const tool of NETFILTER_TOOLS) {
    objects.push(`/usr/sbin/${tool}`);
    cpSync(join(root, 'usr/sbin', tool), join(kube, 'usr/sbin', tool));
  }
  const { stdout } = await run(['chroot', root, 'ldd', ...objects]);
  const needed = [...new Set(stdout.match(/\/\S+\.so[^\s:)]*/g))].filter(
    (library) => !library.startsWith(`/${plugins}`),
  );
  const real = (await run(['chroot', root, 'realpath', ...needed])).stdout.trim().split('\n');
  for (const [at, library] of needed.entries()) {
    const target = library.startsWith('/lib64') ? library : join(libraries, basename(library));
    copyFileSync(join(root, real[at] ?? library), join(kube, target));
  }
  for (const name of ['iptables', 'ip6tables'].flatMap((tool) =>
    ['', '-save', '-restore'].map((part) => tool + part),
  )) {
    for (const variant of [name, name.replace(/^(ip6?tables)/, '$1-nft')]) {
      symlinkSync('xtables-nft-multi', join(kube, 'usr/sbin', variant));
    }
  }
  // Without it nft prints protocols as numbers, and kube-proxy then takes every element that it finds for a stranger:
  // after each restart and each failed transaction it would remove them all, 10.96.0.1 included.
  cpSync(join(root, 'etc/protocols'), join(kube, 'etc/protocols'));
  cpSync(join(root, 'bin/busybox'), join(kube, 'bin/busybox'));
  for (const applet of ['sh', 'ls', 'cat', 'sleep', 'nc', 'ip']) symlinkSync('busybox', join(kube, 'bin', applet));
  await run(['tar', '-C', kube, '-cf', join(directory, 'kube.tar'), '.'], { log });
  rmSync(kube, { recursive: true });
}
