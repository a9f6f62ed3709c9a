/** MetalLB's leavings on a real API server: what cannot be done with them, and that migrate makes them Herald's, however often it is interrupted. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { rejection, spec } from '../../../testing/spec.ts';
import { ApiError } from '../../cluster/api-error.ts';
import type { CustomResourceDefinition } from '../../cluster/objects.ts';
import { connection, server } from '../../cluster/testing/real-cluster.ts';
import { migrate } from '../migrate.ts';
import { createNamespace, definitionsServed } from '../testing/definitions.ts';
import { memoryIo } from '../testing/memory-io.ts';
import { definitionPath, gatherMigrationState } from './gather.ts';
import { patiently } from './patience.ts';
import { perform } from './perform.ts';
import { planMigration } from './plan.ts';
import type { StoredObject } from './state.ts';
import * as metallb from './testing/metallb-state.ts';

interface Items {
  readonly items: readonly StoredObject[];
}

const list = async (path: string): Promise<readonly StoredObject[]> =>
  (await patiently(() => connection.request<Items>({ method: 'GET', path }))).items;
const specsOf = (objects: readonly StoredObject[]) => objects.map(({ metadata, spec }) => [metadata.name, spec]);
const definition = (name: string) =>
  connection.request<CustomResourceDefinition & { spec: Record<string, unknown>; status: Record<string, unknown> }>({
    method: 'GET',
    path: definitionPath(name),
  });

const ourDefinitions = (): CustomResourceDefinition[] =>
  parseAllDocuments(readFileSync('cdk8s/dist/crds/crds.yaml', 'utf8')).map((document) => document.toJS());

/** The command as a person runs it. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = memoryIo({ connection: server.connect() });
  try {
    return { code: await migrate.run(args, io), ...io.printed };
  } catch (error) {
    return { code: 1, stdout: io.printed.stdout, stderr: (error as Error).message };
  }
}

const workload = '/apis/apps/v1/namespaces/metallb-system/deployments';

async function startController(): Promise<void> {
  const labels = { app: 'metallb', component: 'controller' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'controller', image: 'none' }] } };
  const deployment = { spec: { replicas: 1, selector: { matchLabels: labels }, template } };
  const body = { metadata: { name: 'controller', labels }, ...deployment };
  await connection.request({ method: 'POST', path: workload, body });
}

spec(
  'migration on a real API server',
  (test) => {
    let revisions: ReadonlyMap<string, string | undefined> | undefined;

    test('MetalLB leaves peers, pools and webhooks of which nothing can be read or changed', async () => {
      await createNamespace(connection, metallb.NAMESPACE);
      await metallb.peersOfBothVersions(connection);
      await metallb.oldAddressPools(connection);
      await metallb.currentKinds(connection);
      await metallb.orphanedWebhook(connection);
      await startController();
      const path = '/apis/metallb.io/v1beta2/bgppeers';
      const unread = await rejection(ApiError, () => connection.request({ method: 'GET', path }));
      // The second: its cache of a kind cannot begin as long as one object cannot be converted.
      assert.match(unread.message, /conversion webhook|storage is \(re\)initializing/);
      const body = { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name: 'no' } };
      const refused = await rejection(ApiError, () => metallb.create(connection, 'ipaddresspools', body));
      assert.match(refused.message, /failed calling webhook/);
      const ours = ourDefinitions().filter(({ metadata }) => metadata.name === 'bgppeers.metallb.io');
      const invalid = await rejection(ApiError, () => definitionsServed(connection, ours));
      assert.match(invalid.message, /spec.conversion/);
    });

    test('it refuses while the controller is meant to run', async () => {
      const { code, stderr } = await run('--apply');
      assert.is(code, 1);
      assert.match(stderr, /controller still runs \(Deployment metallb-system\/controller\)/);
      const body = { spec: { replicas: 0 } };
      const path = `${workload}/controller`;
      await connection.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
    });

    test('a dry run writes nothing', async () => {
      const before = await definition('bgppeers.metallb.io');
      const { code, stdout, stderr } = await run();
      assert.is(code, 2, stderr);
      assert.match(stdout, /kubectl delete validatingwebhookconfiguration metallb-webhook-configuration/);
      assert.match(stderr, /BGPPeers show as they are stored once/);
      assert.is((await definition('bgppeers.metallb.io')).metadata.resourceVersion, before.metadata.resourceVersion);
    });

    test('interrupted after one step, after two, after three, it comes to its end', async () => {
      for (let steps = 1; steps < 10; steps += 1) {
        const plan = planMigration(await gatherMigrationState(connection));
        assert.equal(plan.refusals, []);
        if (plan.steps.length === 0) break;
        // The first list without the webhook shows what the objects were before they are written again.
        if (plan.unread.length === 0) revisions ??= await revisionsOfPeers();
        for (const step of plan.steps.slice(0, steps)) await perform(connection, step);
      }
      assert.equal(planMigration(await gatherMigrationState(connection)).steps, []);
    });

    test('every peer was written again, without what Go had written for nothing', async () => {
      const peers = await list('/apis/metallb.io/v1beta2/bgppeers');
      assert.equal(specsOf(peers), [
        ['by-hand', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' }],
        ['by-program', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.2' }],
        ['new', { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.3' }],
      ]);
      // A write of the same content is none where the object is stored in that version already.
      const written = peers.filter(({ metadata }) => revisions?.get(metadata.name) !== metadata.resourceVersion);
      assert.equal(
        written.map(({ metadata }) => metadata.name),
        ['by-hand', 'by-program'],
      );
      assert.equal((await definition('bgppeers.metallb.io')).status['storedVersions'], ['v1beta2']);
      assert.equal((await definition('addresspools.metallb.io')).status['storedVersions'], ['v1beta1']);
    });

    test('the old pools have become objects of today, beside those that were', async () => {
      assert.equal(await list('/apis/metallb.io/v1beta1/addresspools'), []);
      assert.equal(specsOf(await list('/apis/metallb.io/v1beta1/ipaddresspools')), [
        ['current', { addresses: ['203.0.113.0/28'] }],
        ['lan', { addresses: ['192.0.2.0/28'] }],
        ['wan', { addresses: ['198.51.100.0/24'], autoAssign: false }],
      ]);
      assert.equal(specsOf(await list('/apis/metallb.io/v1beta1/l2advertisements')), [
        ['lan', { ipAddressPools: ['lan'] }],
      ]);
      assert.equal(specsOf(await list('/apis/metallb.io/v1beta1/bgpadvertisements')), [
        ['wan', { ipAddressPools: ['wan'], aggregationLength: 32, localPref: 100 }],
        ['wan-2', { ipAddressPools: ['wan'], aggregationLength: 24 }],
      ]);
    });

    test('nothing is left to do; our definitions go over it, and then too', async () => {
      assert.is((await run('--apply')).stdout, 'nothing is left to do\n');
      await definitionsServed(connection, ourDefinitions());
      const peers = await list('/apis/metallb.io/v1beta2/bgppeers');
      assert.is(peers.length, 3);
      const { code, stderr } = await run();
      assert.is(code, 0, stderr);
    });

    test('with our definitions in place before it, peers of the old version are read, and written anew', async () => {
      const name = 'bgppeers.metallb.io';
      await connection.request({ method: 'DELETE', path: definitionPath(name) });
      await gone(definitionPath(name));
      await metallb.peersOfOldVersion(connection);
      await definitionsServed(connection, ourDefinitions());
      const read = await list('/apis/metallb.io/v1beta2/bgppeers');
      assert.equal(
        read.map(({ spec }) => spec?.['peerPort']),
        [179, 0],
      );
      const { code, stderr } = await run('--apply');
      assert.is(code, 0, stderr);
      const { spec } = (await list('/apis/metallb.io/v1beta2/bgppeers'))[1] ?? {};
      assert.equal([spec?.['peerPort'], spec?.['holdTime'], spec?.['keepaliveTime']], [179, undefined, undefined]);
      assert.equal((await definition(name)).status['storedVersions'], ['v1beta2']);
    });
  },
  { timeoutMs: 120_000 },
);

async function revisionsOfPeers(): Promise<ReadonlyMap<string, string | undefined>> {
  const peers = await list('/apis/metallb.io/v1beta2/bgppeers');
  return new Map(peers.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

async function gone(path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const isThere = await connection.request({ method: 'GET', path }).then(
      () => true,
      () => false,
    );
    if (!isThere) return;
    await sleep(50);
  }
  throw new Error(`${path} is still there`);
}
