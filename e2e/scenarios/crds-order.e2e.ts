/**
 * Definitions come before, with and after the objects that use them, in one `kubectl apply` that is tried again once, as
 * Git operators do: no webhook must be up, nothing must be applied in an order, and the objects are in force at the end.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { repository } from '../cluster/places.ts';
import { applyManifests, NAMESPACE, ready } from '../lib/herald.ts';
import { collection, type KubeApi, type KubeObject } from '../lib/kube-api.ts';
import { tryExec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';

const CRDS = collection('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const definitions = parseAllDocuments(readFileSync(join(repository, 'cdk8s/dist/crds/crds.yaml'), 'utf8')).map(
  (document) => document.toJS() as KubeObject,
);

const objectsOf = (world: World): KubeObject[] => {
  const serviceAllocation = { namespaces: [world.namespace] };
  return [
    world.configObject('IPAddressPool', world.name, { addresses: [world.free.IPv4.range], serviceAllocation }),
    world.configObject('L2Advertisement', world.name, { ipAddressPools: [world.name] }),
  ];
};

/** The definitions of an even place in the list, the objects, the other definitions. */
const among = (objects: readonly KubeObject[]): KubeObject[] => [
  ...definitions.filter((_, at) => at % 2 === 0),
  ...objects,
  ...definitions.filter((_, at) => at % 2 === 1),
];

async function deleteDefinitions(api: KubeApi): Promise<void> {
  for (const { metadata } of definitions) await api.delete(`${CRDS}/${metadata.name}`);
  const left = async (): Promise<string[]> => {
    const names = new Set(definitions.map(({ metadata }) => metadata.name));
    return (await api.list(CRDS)).map(({ metadata }) => metadata.name).filter((name) => names.has(name));
  };
  await waitFor('the definitions are gone', { withinMs: 60_000 }, left, ({ length }) => length === 0);
}

/** One `kubectl apply`, and one more where the first could not do everything. */
async function applyTwice(items: readonly KubeObject[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const apply = () => tryExec('host', ['kubectl', 'apply', '-f', '-'], { input });
  if ((await apply()).code === 0) return;
  await pause(1_000);
  const { code, stderr } = await apply();
  assert.is(code, 0, stderr);
}

async function assertInForce(world: World): Promise<void> {
  for (const kind of ['IPAddressPool', 'L2Advertisement'] as const)
    await waitFor(
      `the ${kind} is Ready`,
      { withinMs: 20_000 },
      async () => conditionOf(await world.api.get(`${collection(METALLB, kind, NAMESPACE)}/${world.name}`), 'Ready'),
      (condition) => condition?.status === 'True',
    );
}

scenario(
  'crds-order',
  (test) => {
    const orders: Readonly<Record<string, (objects: readonly KubeObject[]) => readonly KubeObject[]>> = {
      before: (objects) => [...definitions, ...objects],
      'before and after': among,
      after: (objects) => [...objects, ...definitions],
    };
    for (const [order, inOrder] of Object.entries(orders))
      test(`definitions stand ${order} the objects`, async (world) => {
        await deleteDefinitions(world.api);
        await applyTwice(inOrder(objectsOf(world)));
        await assertInForce(world);
      });

    test('a Service is served', async (world) => {
      await world.web();
      await world.service({ name: 'web', families: ['IPv4'] });
      const [address = ''] = await world.addressesOf('web');
      await world.owner(address);
    });

    test('the installation is as it was', async (world) => {
      await applyManifests();
      await ready(world.api);
    });
  },
  240_000,
);
