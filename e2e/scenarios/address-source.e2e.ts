/** A pool with a source: Services get what a server in a pod gives, whatever fails between it and the operator. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { E2E_IMAGE, repository } from '../cluster/places.ts';
import { leader, NAMESPACE, processOf, ready, signal } from '../lib/herald.ts';
import type { KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import type { World } from '../lib/world.ts';

const SECRET = 'e2e-address-source';
const TOKEN = 'an-e2e-token';
/** The operator asks again within 5 s in the first minute. */
const WITHIN_MS = 15_000;

/** The server of testing/address-server.ts, with addresses from the far end of the scenario's own. */
function serverObjects({ namespace, free }: World): KubeObject[] {
  const metadata = { name: 'ipam', namespace };
  const labels = { app: 'ipam' };
  const container = {
    name: 'server',
    image: E2E_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '/server/address-server.ts'],
    env: [
      { name: 'ADDRESSES', value: free.IPv4.addresses.slice(2).join(',') },
      { name: 'TOKEN', value: TOKEN },
    ],
    readinessProbe: { httpGet: { path: '/state', port: 8080 }, periodSeconds: 1 },
    volumeMounts: [{ name: 'server', mountPath: '/server' }],
  };
  const pod = {
    terminationGracePeriodSeconds: 1,
    containers: [container],
    volumes: [{ name: 'server', configMap: { name: 'ipam' } }],
  };
  const template = { metadata: { labels }, spec: pod };
  const data = { 'address-server.ts': readFileSync(join(repository, 'testing/address-server.ts'), 'utf8') };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector: { matchLabels: labels }, template } },
  ];
}

/** Asks the server through the API server, past its token. */
const ask = <T>(world: World, what: string): Promise<T> =>
  world.api.get<T>(`${world.servicePath('ipam')}:80/proxy/${what}`);
const fail = (world: World, fault: string): Promise<unknown> => ask(world, `faults?${fault}`);

/** 'web 172.18.255.7': who has which claim. */
async function claims(world: World): Promise<string[]> {
  const state = await ask<{ claims: { address: string; service: { name: string } }[] }>(world, 'state');
  return state.claims.map(({ address, service }) => `${service.name} ${address}`).sort();
}

/** Until the claims are exactly what these Services have. */
async function claimsAreThoseOf(world: World, ...names: readonly string[]): Promise<void> {
  const held = await Promise.all(names.map(async (name) => `${name} ${(await world.addressesNow(name)).join()}`));
  const are = (found: string[]): boolean => found.join() === held.sort().join();
  await waitFor(`claimed is ${held.join(', ')}`, { withinMs: WITHIN_MS, everyMs: 100 }, () => claims(world), are);
}

/** Gone with the pool, whatever becomes of the scenario. */
async function createSecret(world: World, pool: KubeObject): Promise<void> {
  const { name, uid = '' } = pool.metadata;
  const owner = { apiVersion: pool.apiVersion, kind: pool.kind, name, uid };
  const metadata = { name: SECRET, namespace: NAMESPACE, ownerReferences: [owner] };
  const secrets = `/api/v1/namespaces/${NAMESPACE}/secrets`;
  await world.api.delete(`${secrets}/${SECRET}`);
  await world.api.createAt(secrets, { metadata, data: { token: Buffer.from(TOKEN).toString('base64') } });
}

const create = (world: World, name: string): Promise<unknown> => world.service({ name, families: ['IPv4'] });

scenario('address-source', (test) => {
  test('a Service waits for its source, and says what is missing', async (world) => {
    for (const object of serverObjects(world)) await world.api.apply(object);
    const { spec } = await world.api.get(world.servicePath('ipam'));
    // The lab has no DNS.
    const url = `http://${spec.clusterIP}/ipam`;
    await world.api.delete(`/api/v1/namespaces/${NAMESPACE}/secrets/${SECRET}`);
    const pool = await world.pool({ source: { http: { url, secretRef: { name: SECRET }, timeout: '1s' } } });
    await create(world, 'web');
    const { message = '' } = (await world.says('web', 'SourceUnreachable', WITHIN_MS)) ?? {};
    assert.match(message, new RegExp(`there is no Secret ${NAMESPACE}/${SECRET}`));
    await createSecret(world, pool);
  });

  test('it gets the address that the source gives, and nobody else has that', async (world) => {
    assert.equal(await world.addressesOf('web', 60_000), world.free.IPv4.addresses.slice(2, 3));
    await claimsAreThoseOf(world, 'web');
  });

  test('an answer that is lost costs no address', async (world) => {
    await fail(world, 'mode=lost&times=2');
    await create(world, 'lost');
    await world.addressesOf('lost', WITHIN_MS);
    await claimsAreThoseOf(world, 'lost', 'web');
  });

  test('while the source is down Services keep what they have, new ones are told, and an operator may be killed', async (world) => {
    const held = await world.addressesNow('web');
    await fail(world, 'mode=down');
    await create(world, 'new');
    await world.says('new', 'SourceUnreachable', WITHIN_MS);
    await world.api.delete(world.servicePath('lost'));
    await signal(await processOf(await leader(world.api)), 'KILL');
    await ready(world.api);
    const { message = '' } = (await world.says('new', 'SourceUnreachable', WITHIN_MS)) ?? {};
    assert.match(message, new RegExp(`^The source of pool ${world.name} cannot be used: `));
    assert.equal(await world.addressesNow('web'), held);
    await fail(world, 'mode=none');
    await world.addressesOf('new', WITHIN_MS);
    assert.equal(await world.addressesNow('web'), held);
    await claimsAreThoseOf(world, 'new', 'web');
  });

  test('an operator that is killed between the claim and the status loses and doubles nothing', async (world) => {
    await fail(world, 'mode=late&times=1&delayMs=900');
    await create(world, 'killed');
    await waitFor(
      'the claim is made and not answered yet',
      { withinMs: 5_000, everyMs: 20 },
      () => claims(world),
      (found) => found.some((claim) => claim.startsWith('killed ')),
    );
    await signal(await processOf(await leader(world.api)), 'KILL');
    await world.addressesOf('killed', WITHIN_MS);
    await claimsAreThoseOf(world, 'killed', 'new', 'web');
    await ready(world.api);
  });

  test('what Services give up goes back to the source', async (world) => {
    for (const name of ['web', 'new', 'killed']) await world.api.delete(world.servicePath(name));
    await claimsAreThoseOf(world);
  });
});
