/** The promise behind many scenarios: whatever happens to the control plane, no address changes and the speakers answer. */

import * as assert from 'uvu/assert';
import { watchAnswers } from './answer-watch.ts';
import { renewKubeProxy } from './faults.ts';
import { herald } from './herald-command.ts';
import { collection, type KubeObject } from './kube-api.ts';
import { keyOf, Observer } from './observer.ts';
import { waitFor } from './wait-for.ts';
import { addressesIn, type World } from './world.ts';

/** How many Services the event must leave alone. */
const SERVICES = ['one', 'two', 'three'] as const;

/** A pool, an advertisement and three Services in service, with both families, fetched once from the client. */
export async function threeServices(world: World): Promise<void> {
  await world.pool();
  await world.advertise();
  await world.web();
  await Promise.all(SERVICES.map((name) => world.service({ name })));
  const addresses = (await Promise.all(SERVICES.map((name) => world.addressesOf(name)))).flat();
  await Promise.all(addresses.map((address) => world.fetchSoon(address)));
}

/** Every address that each Service ever had while the observer looked, in order, the empty ones as well. */
function historyOf(observer: Observer): Record<string, string[]> {
  const history: Record<string, string[]> = {};
  for (const { object } of observer.sightings) {
    const seen = addressesIn(object).join(',') || 'none';
    const states = history[keyOf(object)] ?? [];
    history[keyOf(object)] = states.at(-1) === seen ? states : [...states, seen];
  }
  return history;
}

/**
 * Makes the event happen and asserts that meanwhile and afterwards no Service of the scenario changed its addresses,
 * no two hold the same, each address was answered in every round by the same single node, and the page still comes.
 */
export async function assertUndisturbed(world: World, event: () => Promise<void>): Promise<void> {
  const before = await Promise.all(SERVICES.map((name) => world.addressesNow(name)));
  const addresses = before.flat();
  assert.is(addresses.length, 2 * SERVICES.length, 'every Service has both families before the event');
  assert.is(new Set(addresses).size, addresses.length, 'no address is held twice before the event');
  const owners = new Map(
    await Promise.all(addresses.map(async (address) => [address, (await world.owner(address)).mac] as const)),
  );

  const observer = await Observer.start(world.api, collection('v1', 'Service', world.namespace));
  const watch = await watchAnswers(addresses);
  try {
    await event();
  } finally {
    observer.stop();
  }
  const rounds = await watch.stop();

  assert.equal(
    await Promise.all(SERVICES.map((name) => world.addressesNow(name))),
    before,
    'addresses after the event',
  );
  for (const [at, name] of SERVICES.entries())
    assert.equal(
      historyOf(observer)[`${world.namespace}/${name}`],
      [before[at]?.join(',')],
      `${name} through the event`,
    );
  const wrong = rounds.filter(({ address, macs }) => macs.length !== 1 || macs[0] !== owners.get(address));
  assert.ok(rounds.length >= addresses.length, `asked ${rounds.length} times`);
  assert.equal(wrong, [], `of ${rounds.length} rounds every one is answered by the same single node`);
  await Promise.all(addresses.map((address) => world.fetch(address)));
}

/** The longest pause between two tries of an informer, with what the API server needs after its start. */
const HERALD_MS = 20_000;

/** After an outage it asks again ever more seldom (client-go's backoff). */
const CONTROLLER_MANAGER_MS = 90_000;

/** A Service that comes after the event gets addresses, one node answers for each, and the page comes. */
export async function assertServesAnother(world: World): Promise<void> {
  await world.service({ name: 'later' });
  const addresses = await world.addressesOf('later', HERALD_MS);
  await endpointsOf(world, 'later', addresses.length);
  try {
    await Promise.all(addresses.map((address) => world.owner(address, HERALD_MS)));
  } catch (error) {
    const { stdout, stderr } = await herald('explain', `${world.namespace}/later`);
    throw new Error(`nobody answers; herald explain says:\n${stdout}${stderr}`, { cause: error });
  }
  await renewKubeProxy(world.api);
  await Promise.all(addresses.map((address) => world.fetchSoon(address)));
}

/** The controller manager says where a new Service is served, once it has found the API server again. */
async function endpointsOf(world: World, name: string, families: number): Promise<void> {
  const ofService = encodeURIComponent(`kubernetes.io/service-name=${name}`);
  const slices = `${collection('discovery.k8s.io/v1', 'EndpointSlice', world.namespace)}?labelSelector=${ofService}`;
  await waitFor(
    `${name} has endpoints of every family`,
    { withinMs: CONTROLLER_MANAGER_MS, everyMs: 200 },
    async () => (await world.api.list(slices)).filter(isServed).length,
    (served) => served === families,
  );
}

const isServed = ({ endpoints }: KubeObject): boolean =>
  ((endpoints ?? []) as { conditions?: { ready?: boolean } }[]).some(({ conditions }) => conditions?.ready);
