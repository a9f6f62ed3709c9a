import * as assert from 'uvu/assert';
import { peerObject, poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { wantedEntry } from '../config/pool-content.ts';
import { Surveyor } from './surveyor.ts';
import { FakeWorld } from './testing/fake-world.ts';

const SCOPE = { ownNamespace: 'herald-system', configNamespaces: ['herald-system'] };
const SECOND = 1_000;
const among = poolObject('among', ['10.244.1.0/28']);
const apart = poolObject('apart', ['192.0.2.0/28']);

/** A surveyor of a cluster whose clock stands still until it is told otherwise, and what it asked the API server for. */
function surveying() {
  let now = 0;
  let podsTakeMs = 0;
  const asked: string[] = [];
  const world = new FakeWorld();
  world.put(world.stores.nodes, { metadata: { name: 'n1' }, spec: { podCIDRs: ['10.244.1.0/24'] } });
  const surveyor = new Surveyor(
    {
      stores: world.stores,
      clock: () => now,
      readPodAddresses: async () => {
        asked.push('pods');
        now += podsTakeMs;
        return world.pods;
      },
      readSecretFact: async ({ namespace, name }) => {
        asked.push(`${namespace}/${name}`);
        return world.secrets.get(`${namespace}/${name}`) ?? 'Missing';
      },
    },
    SCOPE,
  );
  return {
    world,
    surveyor,
    asked,
    wait: (ms: number) => {
      now += ms;
    },
    podsTake: (ms: number) => {
      podsTakeMs = ms;
    },
  };
}

spec('the surveyor', (test) => {
  test('asks for nothing where no pool meets a range of pods and no peer names a Secret', async () => {
    const { world, surveyor, asked } = surveying();
    world.put(world.stores.pools, apart);
    world.put(world.stores.bgpPeers, peerObject('tor'));
    const { surroundings, againMs } = await surveyor.survey([]);
    assert.equal(asked, []);
    assert.is(againMs, undefined);
    assert.is(surroundings.nodes.length, 1);
  });
  test('asks for pods where a pool meets a range of theirs, and keeps only those in the pool', async () => {
    const { world, surveyor, asked } = surveying();
    world.put(world.stores.pools, among);
    world.pods = ['10.244.1.7', '10.244.1.200'].map((address) => ({ pod: 'shop/web-0', address }));
    const { surroundings, againMs } = await surveyor.survey([]);
    assert.equal(surroundings.podAddresses, world.pods.slice(0, 1));
    assert.equal(asked, ['pods']);
    assert.is(againMs, 60 * SECOND);
  });
  test('does not ask for pods again within a minute, nor within ten once the pool is in force', async () => {
    const { world, surveyor, asked, wait } = surveying();
    world.put(world.stores.pools, among);
    await surveyor.survey([]);
    wait(59 * SECOND);
    await surveyor.survey([]);
    assert.equal(asked, ['pods']);
    wait(SECOND);
    await surveyor.survey([]);
    assert.equal(asked, ['pods', 'pods']);
    wait(599 * SECOND);
    const { againMs } = await surveyor.survey([wantedEntry(among)]);
    assert.equal(asked, ['pods', 'pods']);
    assert.is(againMs, 600 * SECOND);
  });
  test('asks for pods at once when another pool meets them', async () => {
    const { world, surveyor, asked } = surveying();
    world.put(world.stores.pools, among);
    await surveyor.survey([]);
    world.put(world.stores.pools, poolObject('more', ['10.244.1.64/28']));
    await surveyor.survey([]);
    assert.equal(asked, ['pods', 'pods']);
  });
  test('asks the more seldom the longer the answer takes', async () => {
    const { world, surveyor, asked, wait, podsTake } = surveying();
    world.put(world.stores.pools, among);
    podsTake(3 * SECOND);
    assert.is((await surveyor.survey([])).againMs, 300 * SECOND);
    wait(290 * SECOND);
    await surveyor.survey([]);
    assert.equal(asked, ['pods']);
  });
  test('looks at the Secrets that peers name, again after 5 seconds where one cannot be used, else after a minute', async () => {
    const { world, surveyor, asked, wait } = surveying();
    world.put(world.stores.bgpPeers, peerObject('tor', { passwordSecret: { name: 'bgp' } }));
    const first = await surveyor.survey([]);
    assert.is(first.surroundings.secrets?.get('herald-system/bgp'), 'Missing');
    assert.is(first.againMs, 5 * SECOND);
    world.secrets.set('herald-system/bgp', 'Usable');
    wait(5 * SECOND);
    const second = await surveyor.survey([]);
    assert.is(second.surroundings.secrets?.get('herald-system/bgp'), 'Usable');
    assert.is(second.againMs, 60 * SECOND);
    wait(59 * SECOND);
    await surveyor.survey([]);
    assert.equal(asked, ['herald-system/bgp', 'herald-system/bgp']);
  });
  test('looks at no Secret outside of the namespaces that are read, nor for a peer outside of them', async () => {
    const { world, surveyor, asked } = surveying();
    world.put(world.stores.bgpPeers, peerObject('tor', { passwordSecret: { name: 'bgp', namespace: 'shop' } }));
    const elsewhere = { passwordSecret: { name: 'bgp', namespace: 'herald-system' } };
    world.put(world.stores.bgpPeers, peerObject('far', elsewhere, { namespace: 'shop' }));
    await surveyor.survey([]);
    assert.equal(asked, []);
  });
});
