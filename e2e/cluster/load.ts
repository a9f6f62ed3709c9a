/** Puts images on the nodes, as `kind load` does, but from an archive as well and on all nodes at once. */
import { closeSync, openSync, statSync } from 'node:fs';
import { labEngine, nodeNames } from './container.ts';
import { engineEnv } from './engine.ts';
import { launchOn } from './exec.ts';
import { Problem } from './problem.ts';
import { CommandError, ending, pipe, run, start } from './process.ts';

const IMPORT = ['ctr', '-n', 'k8s.io', 'images', 'import', '--all-platforms', '--digests', '-'];

/**
 * Loads an image of the engine, or an archive (docker or OCI layout, `.tar`), into containerd on every node.
 * @throws Problem when there is neither such an archive nor such an image
 */
export async function load(imageOrArchive: string): Promise<readonly string[]> {
  const engine = labEngine();
  const nodes = await nodeNames(engine);
  const isArchive = statSync(imageOrArchive, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isArchive) await assertImage(imageOrArchive);
  await Promise.all(
    nodes.map((node) => (isArchive ? fromArchive(node, imageOrArchive) : fromEngine(node, imageOrArchive))),
  );
  return nodes;
}

async function fromArchive(node: string, archive: string): Promise<void> {
  const launch = await launchOn(node, IMPORT);
  const file = openSync(archive, 'r');
  try {
    const child = start(launch.argv, { env: launch.env, stdio: [file, 'pipe', 'pipe'] });
    const result = await ending(child);
    if (result.code !== 0) throw new CommandError([node, ...IMPORT], result);
  } finally {
    closeSync(file);
  }
}

async function fromEngine(node: string, image: string): Promise<void> {
  const launch = await launchOn(node, IMPORT);
  await pipe(['docker', 'save', image], launch.argv, { env: engineEnv(labEngine()) });
}

async function assertImage(image: string): Promise<void> {
  const argv = ['docker', 'image', 'inspect', '--format', '{{.Id}}', image];
  await run(argv, { env: engineEnv(labEngine()) }).catch(() => {
    throw new Problem('NoSuchImage', `${image} is neither a file nor an image of the lab's engine.`);
  });
}
