/** The lab on a machine whose Docker can pull images: kind's published node image, and hosts made from it. */
import { type Engine, engineEnv } from './engine.ts';
import { HOST_PACKAGES, type HostRootfs, nodeBinary } from './host-rootfs.ts';
import { hostImage, type Images } from './images.ts';
import { PUBLISHED_NODE_IMAGE } from './places.ts';
import { run, tryRun } from './process.ts';

const BUILDER = 'herald-host-builder';

/** Tells whether this machine's Docker has the published node image or can pull it. */
export async function canPull(log: string): Promise<boolean> {
  const there = await tryRun(['docker', 'image', 'inspect', '--format', '{{.Id}}', PUBLISHED_NODE_IMAGE]);
  return there.code === 0 || (await tryRun(['docker', 'pull', '-q', PUBLISHED_NODE_IMAGE], { log })).code === 0;
}

/** Makes the hosts' image from the node image, which is a Debian too, and the test pods' image from that. */
export async function makePublishedHostImages(
  engine: Engine,
  images: Images,
  rootfs: HostRootfs,
  log: string,
): Promise<void> {
  if (!(await images.has(hostImage(rootfs)))) {
    const options = { env: engineEnv(engine), log };
    const docker = (...args: readonly string[]) => run(['docker', ...args], options);
    await tryRun(['docker', 'rm', '-f', BUILDER], options);
    await docker('run', '-d', '--name', BUILDER, '--entrypoint', 'sleep', PUBLISHED_NODE_IMAGE, 'infinity');
    try {
      const install = `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${HOST_PACKAGES.join(' ')}`;
      await docker('exec', BUILDER, 'sh', '-c', install);
      await docker('cp', '-L', nodeBinary(), `${BUILDER}:/usr/local/bin/node`);
      await docker('commit', '-c', 'ENTRYPOINT []', '-c', 'CMD ["bash"]', BUILDER, hostImage(rootfs));
    } finally {
      await docker('rm', '-f', BUILDER);
    }
  }
  await images.makeHostImages(rootfs);
}
