/**
 * Flux, unchanged, syncs the repository of examples/flux: definitions, operator, configuration and an app in waves; a
 * change is announced, a breaking one fails with our message, what leaves Git leaves the network, drift is put back.
 */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { repository } from '../../cluster/places.ts';
import { Flux, gitRepositoryPath, kustomizationPath } from '../../lib/flux.ts';
import { GitSource } from '../../lib/git-source.ts';
import { NAMESPACE } from '../../lib/herald.ts';
import { collection, type KubeObject } from '../../lib/kube-api.ts';
import { kubectl } from '../../lib/lab.ts';
import { scenario } from '../../lib/scenario.ts';
import { pause, waitFor } from '../../lib/wait-for.ts';
import { webObjects } from '../../lib/web.ts';
import { conditionOf, METALLB, type World } from '../../lib/world.ts';

const EXAMPLE = join(repository, 'examples/flux');
const FLEET = 'clusters/production/fleet.yaml';
const POOL = 'config/pool.yaml';
const WAVES = ['herald', 'herald-config', 'shop'] as const;
const FIVE_MINUTES = 300_000;

/** What the tests hand on to each other. */
interface Story {
  readonly flux: Flux;
  readonly git: GitSource;
}
let story: Story | undefined;
const told = (): Story => {
  if (!story) throw new Error('the first test did not come to its end');
  return story;
};

/** The example in the lab's terms: its addresses, a namespace of the scenario, an image that the nodes have, no patience. */
function prepare(git: GitSource, world: World): void {
  for (const folder of ['clusters', 'config', 'apps']) git.copy(join(EXAMPLE, folder), folder);
  for (const folder of ['crds', 'default']) git.copy(join(repository, 'cdk8s/dist', folder), `herald/${folder}`);
  git.edit(FLEET, /interval: 10m/g, 'interval: 30m');
  git.edit(FLEET, /retryInterval: 1m/g, 'retryInterval: 5s');
  git.edit(FLEET, 'timeout: 1m', 'timeout: 30s');
  git.edit(FLEET, /namespace: shop/g, `namespace: ${world.namespace}`);
  git.edit(POOL, /- 192\.0\.2\.240-192\.0\.2\.247/, `- ${world.free.IPv4.range}`);
  git.edit(POOL, 'spec:', `spec:\n  serviceAllocation:\n    namespaces:\n      - ${world.namespace}`);
  for (const file of [POOL, 'config/advertisement.yaml']) {
    const label = `labels:\n    e2e.heraldlb.io/scenario: ${world.name}\n  namespace: ${NAMESPACE}`;
    git.edit(file, `namespace: ${NAMESPACE}`, label);
    git.edit(file, /public/g, world.name);
  }
  git.edit('apps/shop/namespace.yaml', 'name: shop', `name: ${world.namespace}`);
  git.edit('apps/shop/service.yaml', 'namespace: shop', `namespace: ${world.namespace}`);
  const web = webObjects({ namespace: world.namespace }).map((object) => stringify(object));
  git.write('apps/shop/deployment.yaml', web.join('---\n'));
}

const poolPath = ({ name }: World): string => `${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${name}`;
const advertisementPath = ({ name }: World): string => `${collection(METALLB, 'L2Advertisement', NAMESPACE)}/${name}`;
const pool = (world: World): Promise<KubeObject> => world.api.get(poolPath(world));
const stalledMessage = (object: KubeObject): string => {
  const stalled = conditionOf(object, 'Stalled');
  assert.is(stalled?.reason, 'WouldBreakServices', JSON.stringify(object['status']));
  return stalled?.message ?? '';
};
const message = (kustomization: KubeObject): string => conditionOf(kustomization, 'Ready')?.message ?? '';

scenario(
  'flux',
  (test) => {
    test('definitions, operator, configuration and app come in waves, each when the one before it is Ready', async (world) => {
      const flux = await Flux.start(world.api);
      const git = await GitSource.open(world.api, gitRepositoryPath('fleet'));
      story = { flux, git };
      prepare(git, world);
      await kubectl('apply', '-f', join(git.folder, FLEET));
      const revision = await git.push('the whole fleet');
      const readyAt: string[] = [];
      for (const name of WAVES) {
        const ready = conditionOf(await flux.ready(name, revision, 'True', FIVE_MINUTES), 'Ready');
        readyAt.push((ready as { lastTransitionTime?: string }).lastTransitionTime ?? '');
      }
      assert.equal(readyAt, readyAt.toSorted());
      assert.ok(
        flux.log.some((line) => line.includes('Dependencies do not meet ready condition')),
        'waves waited',
      );
    });

    test('an app that is Ready is announced', async (world) => {
      const [address = ''] = await world.addressesNow('web');
      assert.ok(world.free.IPv4.addresses.includes(address), address);
      await world.owner(address);
      assert.match(await world.fetchSoon(address), /served by/);
    });

    test('a change that is pushed is announced', async (world) => {
      const { flux, git } = told();
      const service = git.read('apps/shop/service.yaml');
      git.write('apps/shop/api.yaml', service.replace('name: web', 'name: api'));
      git.edit('apps/shop/kustomization.yaml', '  - service.yaml', '  - service.yaml\n  - api.yaml');
      await flux.ready('shop', await git.push('a second Service'), 'True');
      const [address = ''] = await world.addressesOf('api');
      await world.owner(address);
      assert.match(await world.fetchSoon(address), /served by/);
    });

    test('a change that would break Services fails with our message, and nothing moves', async (world) => {
      const { flux, git } = told();
      const before = await Promise.all(['web', 'api'].map((name) => world.addressesNow(name)));
      git.edit(POOL, world.free.IPv4.range, world.free.IPv4.addresses.slice(-2).join('-'));
      const failed = await flux.ready('herald-config', await git.push('fewer addresses'), 'False');
      assert.is(conditionOf(failed, 'Ready')?.reason, 'HealthCheckFailed');
      assert.match(message(failed), 'WouldBreakServices');
      assert.match(message(failed), `${world.namespace}/web`);
      assert.match(message(failed), stalledMessage(await pool(world)));
      assert.equal(await Promise.all(['web', 'api'].map((name) => world.addressesNow(name))), before);
      for (const [address = ''] of before) await world.owner(address);
    });

    test('without the expression of the example it fails at once, and names the pool', async (world) => {
      const { flux, git } = told();
      await world.api.patch(kustomizationPath('herald-config'), { spec: { healthCheckExprs: null } });
      const revision = await git.push('nothing new');
      const failed = await flux.ready('herald-config', revision, 'False');
      assert.match(message(failed), 'failed early due to stalled resources');
      assert.match(message(failed), `IPAddressPool/${NAMESPACE}/${world.name} status: 'Failed'`);
    });

    test('the same change with the hash of the message is applied', async (world) => {
      const { flux, git } = told();
      const [, hash = ''] = /allow-disruption: "([0-9a-f]{12})"/.exec(stalledMessage(await pool(world))) ?? [];
      git.edit(POOL, 'metadata:', `metadata:\n  annotations:\n    heraldlb.io/allow-disruption: "${hash}"`);
      await flux.ready('herald-config', await git.push('fewer addresses, on purpose'), 'True');
      const left = world.free.IPv4.addresses.slice(-2);
      for (const name of ['web', 'api']) {
        const [address = ''] = await waitFor(
          `${name} has one of the addresses that are left`,
          { withinMs: 10_000 },
          () => world.addressesNow(name),
          ([now = '']) => left.includes(now),
        );
        await world.owner(address);
      }
    });

    test('what leaves Git leaves the cluster and the network', async (world) => {
      const { flux, git } = told();
      const [address = ''] = await world.addressesNow('api');
      git.remove('apps/shop/api.yaml');
      git.edit('apps/shop/kustomization.yaml', '\n  - api.yaml', '');
      await flux.ready('shop', await git.push('one Service'), 'True');
      assert.is(await world.api.find(world.servicePath('api')), undefined);
      await world.silence(address);
    });

    test('drift is put back', async (world) => {
      const { flux } = told();
      const { addresses } = (await pool(world))['spec'];
      await world.api.patch(poolPath(world), { spec: { addresses: [...addresses, '192.0.2.1/32'] } });
      await world.api.delete(advertisementPath(world));
      await flux.reconcile('herald-config');
      assert.equal((await pool(world))['spec'].addresses, addresses);
      await world.api.get(advertisementPath(world));
      const [address = ''] = await world.addressesNow('web');
      await world.owner(address);
    });

    test('and nothing flaps: reconciled again and again, Flux and Herald write nothing', async (world) => {
      const { flux } = told();
      await waitFor(
        'the pool is Ready',
        { withinMs: 10_000 },
        async () => conditionOf(await pool(world), 'Ready')?.status === 'True',
      );
      await pause(3_000);
      const seen = async (): Promise<string[]> => {
        const crds = await world.api.list(collection('apiextensions.k8s.io/v1', 'CustomResourceDefinition'));
        const paths = [
          poolPath(world),
          advertisementPath(world),
          `${collection('apps/v1', 'Deployment', NAMESPACE)}/herald-operator`,
          `${collection('apps/v1', 'DaemonSet', NAMESPACE)}/herald-speaker`,
          world.servicePath('web'),
        ];
        const objects = [...crds, ...(await Promise.all(paths.map((path) => world.api.get(path))))];
        return objects.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
      };
      const before = await seen();
      for (let round = 0; round < 3; round++) for (const name of WAVES) await flux.reconcile(name);
      assert.equal(await seen(), before);
    });

    test('Flux goes, and Herald stays', async (world) => {
      const { flux, git } = told();
      await flux.stop();
      git.close();
      const [address = ''] = await world.addressesNow('web');
      await world.owner(address);
      await world.clear();
    });
  },
  FIVE_MINUTES,
);
