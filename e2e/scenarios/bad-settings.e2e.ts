/** Bad settings at start: every mistake is listed at once and the exit code is 2; a speaker names the capability it lacks. */

import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import type { World } from '../lib/world.ts';

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly ports?: unknown;
  readonly livenessProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly startupProbe?: unknown;
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

interface Ended {
  readonly exitCode: number;
  readonly log: string;
}

/** Runs a workload's own pod once, changed, in Herald's namespace where its account and Secrets are; waits for its end. */
async function runOnce(
  world: World,
  workload: 'Deployment' | 'DaemonSet',
  change: (container: Container) => Container,
): Promise<Ended> {
  const source = workload === 'Deployment' ? 'herald-operator' : 'herald-speaker';
  const { spec } = await world.api.get(`${collection('apps/v1', workload, NAMESPACE)}/${source}`);
  const template = spec.template.spec;
  const [container] = template.containers as Container[];
  assert.ok(container, `${source} has a container`);
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `e2e-bad-${source}`, namespace: NAMESPACE },
    spec: {
      ...template,
      // The node's ports belong to the real one.
      hostNetwork: false,
      restartPolicy: 'Never',
      containers: [change(quiet(container))],
    },
  };
  const path = `${collection('v1', 'Pod', NAMESPACE)}/${pod.metadata.name}`;
  await world.api.delete(path, { gracePeriodSeconds: 0 });
  try {
    await world.api.create(pod);
    const ended = await waitFor(
      `${pod.metadata.name} ended`,
      { withinMs: 60_000 },
      async () =>
        (await world.api.get(path))['status'].containerStatuses?.[0]?.state?.terminated as
          | { exitCode: number }
          | undefined,
      Boolean,
    );
    assert.ok(ended);
    return { exitCode: ended.exitCode, log: await world.api.text(`${path}/log`) };
  } finally {
    await world.api.delete(path, { gracePeriodSeconds: 0 });
  }
}

/** Without ports, which on the host's network are the node's, and without probes. */
function quiet({
  ports: _ports,
  livenessProbe: _live,
  readinessProbe: _ready,
  startupProbe: _start,
  ...rest
}: Container): Container {
  return rest;
}

const withArgs = (container: Container, ...args: string[]): Container => ({
  ...container,
  args: [...(container.args ?? []), ...args],
});

/** The command may be in `command` or in `args`: bad flags go to the end of whatever starts the role. */
const BAD_FLAGS = ['--port=70000', '--log-level=loud', '--health-probe-port=none', '--no-such-flag=1'];

scenario('bad-settings', (test) => {
  for (const workload of ['Deployment', 'DaemonSet'] as const)
    test(`${workload}: every mistake at once, exit code 2`, async (world) => {
      const { exitCode, log } = await runOnce(world, workload, (container) => withArgs(container, ...BAD_FLAGS));
      console.log(log.trim());
      assert.is(exitCode, 2);
      for (const flag of BAD_FLAGS) assert.match(log, flag.split('=')[0] ?? '', `${flag} is named`);
    });

  test('a speaker without capabilities says which one it lacks and why it needs it', async (world) => {
    const { exitCode, log } = await runOnce(world, 'DaemonSet', (container) => ({
      ...container,
      securityContext: { ...container.securityContext, capabilities: { drop: ['ALL'] } },
    }));
    console.log(log.trim());
    assert.is.not(exitCode, 0);
    assert.match(log, /NET_RAW/);
  });
});
