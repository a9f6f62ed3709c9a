/** The lab's images: Kubernetes' components as one image, the node image with it inside, the hosts' and the test pods' image. */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf, keyOfFiles } from './cache.ts';
import { type Engine, engineEnv } from './engine.ts';
import type { GoTools } from './go-tools.ts';
import type { HostRootfs } from './host-rootfs.ts';
import type { NodeRootfs } from './node-rootfs.ts';
import { E2E_IMAGE, KUBERNETES_VERSION, places } from './places.ts';
import { pipe, run, tryRun } from './process.ts';

const PATH = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'etcd'];
const BUILDER = 'herald-node-builder';
const E2E_APPLETS = [
  'sh',
  'cat',
  'echo',
  'env',
  'httpd',
  'ip',
  'ls',
  'mkdir',
  'nc',
  'printf',
  'rm',
  'sleep',
  'stress',
  'test',
  'true',
  'wget',
  'yes',
];

/** Names of images by what is in them, so that an image that exists is the right one. */
export function hostImage(rootfs: HostRootfs): string {
  return `localhost/herald-host:${rootfs.key}`;
}
/** The node image's name. */
export function nodeImage(tools: GoTools, rootfs: NodeRootfs, hosts: HostRootfs): string {
  return `localhost/herald-node:${keyOf(tools.key, rootfs.key, hosts.key, keyOfFiles([import.meta.filename]))}`;
}
/** The name under which the test pods' image is kept in the engine. */
export function e2eImage(hosts: HostRootfs): string {
  return `localhost/herald-e2e:${keyOf(hosts.key, keyOfFiles([import.meta.filename]))}`;
}

/** Builds the lab's images in one engine. */
export class Images {
  readonly #env: Readonly<Record<string, string>>;
  readonly #log: string;

  constructor(engine: Engine, log: string) {
    this.#env = engineEnv(engine);
    this.#log = log;
  }

  /** Tells whether the engine has the image. */
  async has(image: string): Promise<boolean> {
    const { code } = await tryRun(['docker', 'image', 'inspect', '--format', '{{.Id}}', image], { env: this.#env });
    return code === 0;
  }

  /** Imports the hosts' root file system and takes the test pods' image out of it. */
  async makeHostImages(rootfs: HostRootfs): Promise<void> {
    const image = hostImage(rootfs);
    if (!(await this.has(image))) await this.#import(rootfs.archive, image, [PATH]);
    if (!(await this.has(e2eImage(rootfs)))) await this.#makeE2eImage(image, e2eImage(rootfs));
    await this.#docker('tag', e2eImage(rootfs), E2E_IMAGE);
  }

  /** Makes the node image: the root file system, Kubernetes, and every image a node needs in containerd's own store. */
  async makeNodeImage(image: string, tools: GoTools, rootfs: NodeRootfs): Promise<void> {
    if (await this.has(image)) return;
    const base = `localhost/herald-node-base:${rootfs.key}`;
    if (!(await this.has(base))) await this.#import(rootfs.root, base, [PATH]);
    const components = await this.#makeComponentImages(tools, rootfs);
    await this.#startBuilder(base);
    try {
      await this.#copyKubernetes(tools);
      await this.#fillStore([...components, E2E_IMAGE]);
      const entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]';
      await this.#docker('commit', '-c', entry, '-c', 'ENV container=docker', BUILDER, image);
    } finally {
      await this.#docker('rm', '-f', BUILDER);
    }
    await this.#removeOthers(image, base);
  }

  /** One image under every name that kubeadm asks for. */
  async #makeComponentImages(tools: GoTools, rootfs: NodeRootfs): Promise<readonly string[]> {
    const names = await componentNames(tools);
    const context = join(places.run, 'kube');
    rmSync(context, { recursive: true, force: true });
    mkdirSync(join(context, 'usr/local/bin'), { recursive: true });
    await run(['tar', '-C', context, '-xf', rootfs.kubeFiles], { log: this.#log });
    cpSync(tools.hyperkube, join(context, 'usr/local/bin/hyperkube'));
    for (const component of COMPONENTS) symlinkSync('hyperkube', join(context, 'usr/local/bin', component));
    cpSync(tools.pause, join(context, 'pause'));
    const [first = '', ...others] = names;
    const changes = [PATH, 'CMD ["/pause"]'].flatMap((change) => ['-c', change]);
    await pipe(['tar', '-C', context, '-c', '.'], ['docker', 'import', ...changes, '-', first], this.#options);
    for (const name of others) await this.#docker('tag', first, name);
    rmSync(context, { recursive: true });
    return names;
  }

  async #startBuilder(base: string): Promise<void> {
    await tryRun(['docker', 'rm', '-f', BUILDER], { env: this.#env });
    const isolation = ['--privileged', '--security-opt', 'seccomp=unconfined', '--cgroupns=private', '--net', 'none'];
    await this.#docker('run', '-d', '--name', BUILDER, ...isolation, '--entrypoint', 'sleep', base, 'infinity');
  }

  async #copyKubernetes(tools: GoTools): Promise<void> {
    const pause = (await componentNames(tools)).find((name) => /\/pause:/.test(name)) ?? '';
    await this.#docker('cp', tools.hyperkube, `${BUILDER}:/usr/bin/hyperkube`);
    await this.#inBuilder('cd /usr/bin && for name in kubelet kubeadm kubectl; do ln -sf hyperkube $name; done');
    await this.#inBuilder(
      `sed -i -e 's#sandbox_image = .*#sandbox_image = "${pause}"#' -e 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml`,
    );
  }

  async #fillStore(images: readonly string[]): Promise<void> {
    await this.#docker('exec', '-d', BUILDER, 'containerd');
    await this.#inBuilder('for i in $(seq 100); do ctr version >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1');
    const import_ = [
      'docker',
      'exec',
      '-i',
      '--privileged',
      BUILDER,
      'ctr',
      '-n',
      'k8s.io',
      'images',
      'import',
      '--no-unpack',
      '-',
    ];
    await pipe(['docker', 'save', ...images], import_, this.#options);
    // A short-lived child of it may be gone before the signal: what counts is that none is left.
    await this.#inBuilder(
      'kill $(pidof containerd) 2>/dev/null; for i in $(seq 100); do pidof containerd >/dev/null || exit 0; sleep 0.1; done; exit 1',
    );
  }

  async #makeE2eImage(from: string, image: string): Promise<void> {
    const libraries =
      'libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 libstdc++.so.6 libgcc_s.so.1 libnss_files.so.2 libresolv.so.2';
    const script = [
      'set -e; mkdir -p /e2e/bin /e2e/usr/local/bin /e2e/lib64 /e2e/lib/x86_64-linux-gnu /e2e/tmp /e2e/etc; cd /e2e',
      `cp /bin/busybox bin/; for applet in ${E2E_APPLETS.join(' ')}; do ln -s busybox bin/$applet; done`,
      'cp /usr/local/bin/node usr/local/bin/; cp -L /lib64/ld-linux-x86-64.so.2 lib64/',
      `for library in ${libraries}; do cp -L /lib/x86_64-linux-gnu/$library /usr/lib/x86_64-linux-gnu/$library lib/x86_64-linux-gnu/ 2>/dev/null || true; done`,
      'tar -c .',
    ].join('\n');
    const argv = ['docker', 'run', '--rm', '--net', 'none', from, 'sh', '-c', script];
    await pipe(argv, ['docker', 'import', '-c', PATH, '-', image], this.#options);
  }

  async #import(archive: string, image: string, changes: readonly string[]): Promise<void> {
    const argv = ['docker', 'import', ...changes.flatMap((change) => ['-c', change]), '-', image];
    await run(argv, { env: this.#env, log: this.#log, stdinFile: archive });
  }

  /** Removes what earlier recipes left, so that the data root does not grow. */
  async #removeOthers(...kept: readonly string[]): Promise<void> {
    const { stdout } = await run(['docker', 'images', '--format', '{{.Repository}}:{{.Tag}}'], { env: this.#env });
    const old = stdout
      .split('\n')
      .filter((name) => /^localhost\/herald-node(-base)?:/.test(name) && !kept.includes(name));
    for (const name of old) await tryRun(['docker', 'rmi', name], { env: this.#env, log: this.#log });
  }

  get #options(): { env: Readonly<Record<string, string>>; log: string } {
    return { env: this.#env, log: this.#log };
  }

  async #docker(...args: readonly string[]): Promise<void> {
    await run(['docker', ...args], this.#options);
  }

  async #inBuilder(script: string): Promise<void> {
    await this.#docker('exec', BUILDER, 'sh', '-c', script);
  }
}

/** Asks kubeadm for the images it will want, pause among them; CoreDNS is left out of the lab. */
async function componentNames(tools: GoTools): Promise<readonly string[]> {
  const list = ['kubeadm', 'config', 'images', 'list', '--kubernetes-version', KUBERNETES_VERSION];
  const { stdout } = await run([tools.hyperkube, ...list]);
  return stdout
    .trim()
    .split('\n')
    .filter((name) => !name.includes('coredns'));
}
