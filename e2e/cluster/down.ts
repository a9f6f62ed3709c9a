/** `make cluster-down`: ends the cluster and everything that `make cluster` made but the caches, and proves it. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Engine,
  engineEnv,
  INOTIFY,
  isRunning,
  type PrivateEngine,
  rememberedEngine,
  withNamespaces,
} from './engine.ts';
import { goTools } from './go-tools.ts';
import { removeHosts } from './hosts.ts';
import { KindCluster } from './kind-cluster.ts';
import { endProcesses, findLeftovers, isInside, isOnlyLab, removeCgroups } from './leftovers.ts';
import { withLock } from './lock.ts';
import { NETWORK, places } from './places.ts';
import { Problem } from './problem.ts';
import { run, tryRun } from './process.ts';
import { Progress } from './progress.ts';

/** Ends whatever there is; nothing at all is no error. */
async function down(progress: Progress): Promise<void> {
  const engine = rememberedEngine();
  if (engine === undefined) return progress.say('there is no cluster');
  if (engine.kind === 'system')
    await progress.step('removing the cluster', 5, ({ log }) => removeFromSystem(engine, log));
  else await endPrivate(progress, engine);
  const kept = ['lock'];
  for (const name of readdirSync(places.run)) {
    if (!kept.includes(name)) rmSync(join(places.run, name), { recursive: true, force: true });
  }
  progress.say(`nothing is left but the caches in ${places.cache}`);
}

async function endPrivate(progress: Progress, last: PrivateEngine): Promise<void> {
  const engine = isRunning(last) ? withNamespaces(last) : last;
  if (process.getuid?.() !== 0) throw new Problem('NotRoot', 'The cluster was made by root: remove it as root.');
  if (isInside(engine)) {
    throw new Problem(
      'Inside',
      'This shell runs in the network of the cluster: leave it (exit) and run `make cluster-down` outside.',
    );
  }
  if (isRunning(engine)) await progress.step('removing the containers', 3, ({ log }) => removeContainers(engine, log));
  await progress.step('ending dockerd', 1, async () => {
    await endProcesses(engine);
    removeCgroups(engine);
    if (engine.inotifyBefore !== undefined && isOnlyLab(engine)) writeFileSync(INOTIFY, engine.inotifyBefore);
  });
  const leftovers = findLeftovers(engine);
  if (leftovers.length > 0) {
    throw new Problem(
      'Leftovers',
      `Something of the cluster would not go; end it by hand and try again:\n${leftovers.join('\n')}`,
    );
  }
}

/** Every container and volume of an engine of our own is ours. */
async function removeContainers(engine: Engine, log: string): Promise<void> {
  const options = { env: engineEnv(engine), log };
  const { stdout } = await run(['docker', 'ps', '-aq'], { env: engineEnv(engine) });
  const ids = stdout.split('\n').filter((id) => id !== '');
  // A frozen container cannot be killed before it is thawed.
  await tryRun(['docker', 'unpause', ...ids], options);
  if (ids.length > 0) await run(['docker', 'rm', '-f', '-v', ...ids], options);
  await tryRun(['docker', 'network', 'rm', NETWORK], options);
}

async function removeFromSystem(engine: Engine, log: string): Promise<void> {
  const cluster = new KindCluster(engine, goTools().kind, log);
  if ((await cluster.state()) !== 'absent') await cluster.remove();
  await removeHosts(engine);
  const { stdout } = await run(['docker', 'network', 'ls', '-q', '--filter', 'label=herald.lab']);
  if (stdout.trim() !== '') await tryRun(['docker', 'network', 'rm', ...stdout.trim().split('\n')], { log });
}

try {
  mkdirSync(places.run, { recursive: true });
  const progress = new Progress(places.logs, (line) => console.log(line));
  await withLock(() => down(progress));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
