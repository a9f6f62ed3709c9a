/** `make cluster`: creates the lab's cluster and hosts, or finds them running; what an interrupt left half done is done again. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { install, missingPackages } from './debian.ts';
import { type Engine, runningEngine, startPrivateEngine, systemDockerWorks, useSystemEngine } from './engine.ts';
import { areBuilt, buildKind, buildKubernetes, findGo, goTools } from './go-tools.ts';
import { buildHostRootfs, hostRootfs } from './host-rootfs.ts';
import { areHostsRunning, ensureNetwork, removeHosts, startHosts } from './hosts.ts';
import { hostImage, Images, nodeImage } from './images.ts';
import { KindCluster, readClusterState } from './kind-cluster.ts';
import { load } from './load.ts';
import { withLock } from './lock.ts';
import { buildNodeRootfs, nodeRootfs } from './node-rootfs.ts';
import { E2E_IMAGE, PUBLISHED_NODE_IMAGE, places } from './places.ts';
import { Problem } from './problem.ts';
import { endTools } from './process.ts';
import { Progress } from './progress.ts';
import { canPull, makePublishedHostImages } from './published.ts';

const GIB = 1024 ** 3;
const ROOM_COLD_GIB = 12;
const ROOM_WARM_GIB = 4;

const tools = goTools();
const rootfs = nodeRootfs(tools.key);
const hosts = hostRootfs();

/** Brings the cluster up from whatever state this machine is in. */
async function up(progress: Progress): Promise<void> {
  if (await isUp(progress)) return;
  assertRoom();
  const engine = await prepare(progress);
  const cluster = clusterOn(engine);
  const state = await cluster.state();
  if (state !== 'whole') await createCluster(progress, cluster, state, engine);
  await progress.step('client and router', 2, ({ log }) => startHosts(engine, hostImage(hosts), log));
}

/** A running cluster is used as it is, even one made by an older recipe: somebody may be at work on it. */
async function isUp(progress: Progress): Promise<boolean> {
  const engine = runningEngine();
  if (engine === undefined || (engine.kind === 'system' && !(await systemDockerWorks()))) return false;
  if ((await clusterOn(engine).state()) !== 'whole' || !(await areHostsRunning(engine))) return false;
  progress.say('the cluster is up already');
  if (readClusterState()?.nodeImage !== nodeImageOf(engine)) {
    progress.say('it was made by an older recipe: `make cluster-down cluster` makes it anew');
  }
  return true;
}

function clusterOn(engine: Engine): KindCluster {
  return new KindCluster(engine, tools.kind, join(places.logs, 'kind.log'));
}

function nodeImageOf(engine: Engine): string {
  return engine.kind === 'system' ? PUBLISHED_NODE_IMAGE : nodeImage(tools, rootfs, hosts);
}

async function createCluster(
  progress: Progress,
  cluster: KindCluster,
  state: 'absent' | 'broken',
  engine: Engine,
): Promise<void> {
  await removeHosts(engine);
  if (state === 'broken') await progress.step('removing a half-made cluster', 3, () => cluster.remove());
  await cluster.provideTools(engine.kind === 'private' ? tools.hyperkube : undefined);
  await ensureNetwork(engine, join(places.logs, 'kind.log'));
  await progress.step('cluster of three nodes', 40, () => cluster.create(nodeImageOf(engine)));
  if (engine.kind === 'system') await progress.step('image for test pods', 5, () => load(E2E_IMAGE));
}

/** Makes the engine run with every image in it. */
async function prepare(progress: Progress): Promise<Engine> {
  const running = runningEngine();
  if (running?.kind === 'private' && areBuilt(tools) && isRootfsBuilt()) return withImages(progress, running);
  if (running?.kind !== 'private' && (await systemDockerWorks())) {
    const pulled = await progress.step('published node image', 60, ({ log }) => canPull(log));
    if (pulled) return prepareSystem(progress);
    progress.say('that image cannot be pulled here: everything is built from Debian packages and Go modules');
  }
  return preparePrivate(progress);
}

async function prepareSystem(progress: Progress): Promise<Engine> {
  const engine = useSystemEngine();
  if (!existsSync(tools.kind)) await progress.step('kind from its Go module', 60, ({ log }) => buildKind(tools, log));
  const images = new Images(engine, join(places.logs, 'images.log'));
  if (!(await images.has(hostImage(hosts)))) {
    await progress.step('images of client and router', 60, ({ log }) =>
      makePublishedHostImages(engine, images, hosts, log),
    );
  }
  return engine;
}

async function preparePrivate(progress: Progress): Promise<Engine> {
  if (process.getuid?.() !== 0) {
    throw new Problem(
      'NotRoot',
      'There is no Docker here that can pull images, and only root can run one of our own: run this as root, or install Docker.',
    );
  }
  const missing = missingPackages();
  if (missing.length > 0) {
    await progress.step(`installing Debian packages: ${missing.join(' ')}`, 20, ({ log }) => install(missing, log));
  }
  if (!areBuilt(tools)) await findGo();
  const work = [startEngine(progress), buildBinaries(progress), buildRoots(progress)] as const;
  const [engine] = await Promise.all(work).catch((error: unknown) => {
    // What runs beside the step that failed would only delay the message: it goes on next time from where it was.
    endTools();
    throw error;
  });
  return withImages(progress, engine);
}

function startEngine(progress: Progress): Promise<Engine> {
  return progress.step('dockerd in its own network', 2, ({ log }) => startPrivateEngine(log));
}

async function buildBinaries(progress: Progress): Promise<void> {
  if (areBuilt(tools)) return;
  await progress.step('kind from its Go module', 50, ({ log }) => buildKind(tools, log));
  await progress.step('Kubernetes from its Go modules', 400, ({ log }) => buildKubernetes(tools, log));
}

async function buildRoots(progress: Progress): Promise<void> {
  if (!existsSync(hosts.archive)) {
    await progress.step('root file system of client and router', 45, ({ log }) => buildHostRootfs(hosts, log));
  }
  if (!existsSync(rootfs.directory)) {
    await progress.step('root file system of the nodes', 60, ({ log }) => buildNodeRootfs(rootfs, log));
  }
}

async function withImages(progress: Progress, engine: Engine): Promise<Engine> {
  const images = new Images(engine, join(places.logs, 'images.log'));
  const node = nodeImage(tools, rootfs, hosts);
  const haveAll = await Promise.all([node, hostImage(hosts), E2E_IMAGE].map((image) => images.has(image)));
  if (!haveAll.every(Boolean)) {
    await progress.step('images of client and router', 10, () => images.makeHostImages(hosts));
    await progress.step('node image', 20, () => images.makeNodeImage(node, tools, rootfs));
  }
  return engine;
}

function isRootfsBuilt(): boolean {
  return existsSync(rootfs.directory) && existsSync(hosts.archive);
}

/** @throws Problem when the caches would not fit */
function assertRoom(): void {
  const { bavail, bsize } = statfsSync(places.cache);
  const free = (bavail * bsize) / GIB;
  const needed = areBuilt(tools) && isRootfsBuilt() ? ROOM_WARM_GIB : ROOM_COLD_GIB;
  if (free < needed) {
    throw new Problem(
      'NoSpace',
      `${places.cache} has ${free.toFixed(1)} GiB free and the cluster needs ${needed}: make room there, or point HERALD_CACHE at a larger disk.`,
    );
  }
}

function usage(): string {
  return [
    'The cluster is ready: three nodes, and the hosts client and router on the same network.',
    '  make shell                                   a shell where kubectl reaches it',
    '  e2e/cluster/lab exec host -- kubectl get nodes',
    '  e2e/cluster/lab exec client -- curl ...      from outside the cluster',
    '  e2e/cluster/lab addresses                    free addresses for pools',
    '  make cluster-down                            removes all of it, keeps the caches',
  ].join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endTools();
    console.error('Interrupted. What is done stays; `make cluster` goes on from there.');
    process.exit(130);
  });
}

try {
  mkdirSync(places.run, { recursive: true });
  const progress = new Progress(places.logs, (line) => console.log(line));
  await withLock(() => up(progress));
  console.log(usage());
} catch (error) {
  console.error(error instanceof Problem ? error.message : error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
