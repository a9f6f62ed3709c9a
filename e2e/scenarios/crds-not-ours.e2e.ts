/** The definition of pools is MetalLB's, without our fields: Herald says so and goes on, and takes ours up when they come. */

import * as assert from 'uvu/assert';
import { applyManifests, leader, NAMESPACE, processOf, ready, signal } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { tryExec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';

const DEFINITION = `${collection('apiextensions.k8s.io/v1', 'CustomResourceDefinition')}/ipaddresspools.metallb.io`;
const OURS = ['conditions', 'inForce', 'observedGeneration'];
const HEALTH_PORT = 17_472;

/** Takes from the definition what MetalLB's does not have. */
async function forgetOurFields({ api }: World): Promise<void> {
  const definition = await api.get(DEFINITION);
  for (const version of definition['spec'].versions) {
    const { properties } = version.schema.openAPIV3Schema;
    delete properties.status.default;
    for (const name of OURS) delete properties.status.properties[name];
  }
  await api.replace(DEFINITION, definition);
}

const poolOf = ({ api, name }: World): Promise<KubeObject> =>
  api.get(`${collection(METALLB, 'IPAddressPool', NAMESPACE)}/${name}`);

async function readiness(pod: KubeObject): Promise<string> {
  const { nodeName } = pod['spec'] as { nodeName: string };
  const { podIP } = pod['status'] as { podIP: string };
  return (await tryExec(nodeName, ['curl', '-s', '-m', '3', `http://${podIP}:${HEALTH_PORT}/readyz`])).stdout;
}

scenario('crds-not-ours', (test) => {
  test('with a definition like that of MetalLB a new leader says CRDsNotOurs', async (world) => {
    await world.pool();
    await forgetOurFields(world);
    try {
      await signal(await processOf(await leader(world.api)), 'KILL');
      const words = 'CRDsNotOurs: ipaddresspools.metallb.io has no status.';
      await waitFor(
        'the readiness message says so',
        { withinMs: 40_000 },
        async () => readiness(await leader(world.api)),
        (body) => body.startsWith('ok, but') && body.includes(words),
      );
      await waitFor(
        'an event on the definition says so',
        { withinMs: 10_000 },
        () => world.api.list(collection('events.k8s.io/v1', 'Event', 'default')),
        (events) =>
          events.some(({ reason, regarding }) => reason === 'CRDsNotOurs' && regarding.name.startsWith('ipadd')),
      );
      // It goes on: Services get addresses, and nothing is written into the pool in vain.
      await world.service({ name: 'served' });
      await world.addressesOf('served');
      const before = await poolOf(world);
      await pause(5_000);
      assert.is((await poolOf(world)).metadata.resourceVersion, before.metadata.resourceVersion);
      assert.is(before['status']?.conditions, undefined);
    } finally {
      await applyManifests();
    }
  });

  test('with our definition back the pool is told how it is', async (world) => {
    await waitFor(
      'the pool is Ready',
      { withinMs: 20_000 },
      async () => conditionOf(await poolOf(world), 'Ready')?.status,
      (status) => status === 'True',
    );
    await ready(world.api);
  });
});
