/** All CRDs are deleted, with every object, and created again: the network does not notice. */

import * as assert from 'uvu/assert';
import { applyManifests, ready } from '../lib/herald.ts';
import { collection, type KubeApi, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { assertServesAnother, assertUndisturbed, threeServices } from '../lib/undisturbed.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB } from '../lib/world.ts';

const CRDS = collection('apiextensions.k8s.io/v1', 'CustomResourceDefinition');

const ourCrds = async (api: KubeApi): Promise<KubeObject[]> =>
  (await api.list(CRDS)).filter(({ metadata }) => /\.(metallb|heraldlb)\.io$/.test(metadata.name));

scenario(
  'crds-recreated',
  (test) => {
    test('three Services are in service', threeServices);

    test('the CRDs are deleted, are away for a while, and come back with their objects', (world) =>
      assertUndisturbed(world, async () => {
        const before = await ourCrds(world.api);
        assert.ok(before.length >= 6, `${before.length} CRDs`);
        for (const { metadata } of before) await world.api.delete(`${CRDS}/${metadata.name}`);
        await waitFor('the CRDs are gone', { withinMs: 60_000 }, async () => (await ourCrds(world.api)).length === 0);
        await pause(10_000);
        await applyManifests();
        assert.is((await ourCrds(world.api)).length, before.length);
        // A Git operator brings the objects after the CRDs, not with them.
        await pause(5_000);
        await world.pool();
        await world.advertise();
        await pause(10_000);
        await ready(world.api);
      }));

    test('the pool is Ready again and serves a new Service', async (world) => {
      const path = `${collection(METALLB, 'IPAddressPool', 'herald-system')}/${world.name}`;
      await waitFor(
        'the pool is Ready',
        { withinMs: 15_000 },
        async () => conditionOf(await world.api.get(path), 'Ready'),
        (ready) => ready?.status === 'True',
      );
      await assertServesAnother(world);
    });
  },
  240_000,
);
