import * as assert from 'uvu/assert';
import { communityObject, peerObject, poolObject, profileObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';

const KEY = 'herald-system/controller';

/** A leader in a cluster with one good and one bad pool. */
async function leading(body: (world: FakeWorld) => Promise<void>): Promise<void> {
  const world = new FakeWorld();
  world.put(world.stores.pools, poolObject('a', ['10.0.0.0/24']));
  world.put(world.stores.pools, poolObject('bad', ['nonsense']));
  world.lead();
  try {
    await body(world);
  } finally {
    await world.die();
  }
}
const stateOf = (world: FakeWorld) => world.stores.configurationStates.get(KEY);
const resultIs = (world: FakeWorld, result: string): Promise<void> =>
  eventually(`it is ${result}`, () => stateOf(world)?.status?.result === result);

spec('the leader and its ConfigurationState', (test) => {
  test('says what is at fault, and that nothing is any more', () =>
    leading(async (world) => {
      await resultIs(world, 'Invalid');
      assert.match(stateOf(world)?.status?.errorSummary ?? '', 'IPAddressPool herald-system/bad: ');
      world.remove(world.stores.pools, 'herald-system/bad');
      await resultIs(world, 'Valid');
      assert.is(stateOf(world)?.status?.errorSummary || undefined, undefined);
      assert.is(stateOf(world)?.status?.conditions?.[0]?.lastTransitionTime, '2026-06-01T00:00:00Z');
    }));
  test('is there again when somebody deletes it', () =>
    leading(async (world) => {
      await resultIs(world, 'Invalid');
      world.remove(world.stores.configurationStates, KEY);
      await resultIs(world, 'Invalid');
    }));
  test('is written once for a burst of objects', () =>
    leading(async (world) => {
      await resultIs(world, 'Invalid');
      const writesOf = () => world.writes.filter((write) => write.startsWith('configurationstates ')).length;
      const before = writesOf();
      for (let at = 0; at < 20; at++) {
        world.put(world.stores.pools, poolObject(`bad-${at}`, ['nonsense']));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await eventually('it names all', () => stateOf(world)?.status?.errorSummary?.split('\n').length === 21);
      assert.ok(writesOf() - before <= 2, `${writesOf() - before} writes`);
    }));
});

spec('the leader and what it knows of the cluster', (test) => {
  test('tells profiles, communities and peers how they are', () =>
    leading(async (world) => {
      world.put(world.stores.bfdProfiles, profileObject('fast'));
      world.put(world.stores.communities, communityObject('site', { blackhole: '65535:666' }));
      world.put(world.stores.bgpPeers, peerObject('tor', { bfdProfile: 'fast', passwordSecret: { name: 'bgp' } }));
      const { bfdProfiles, communities, bgpPeers } = world.stores;
      await eventually('all are told', () => bgpPeers.get('herald-system/tor')?.status?.conditions !== undefined);
      await eventually('the names too', () => world.readyOf(communities.get('herald-system/site')) === 'True Defined');
      assert.is(world.readyOf(bfdProfiles.get('herald-system/fast')), 'False BackendMissing');
      const refs = bgpPeers.get('herald-system/tor')?.status?.conditions?.find(({ type }) => type === 'ResolvedRefs');
      assert.is(refs?.reason, 'SecretNotFound');
    }));
  test('refuses a pool where a pod lives, and takes it where none does', () =>
    leading(async (world) => {
      world.pods = [{ pod: 'shop/web-0', address: '10.244.1.7' }];
      world.put(world.stores.nodes, { metadata: { name: 'n1' }, spec: { podCIDRs: ['10.244.1.0/24'] } });
      world.put(world.stores.pools, poolObject('lived-in', ['10.244.1.0/28']));
      const isTold = (name: string, words: string) =>
        eventually(
          `${name} is ${words}`,
          () => world.readyOf(world.stores.pools.get(`herald-system/${name}`)) === words,
        );
      await isTold('lived-in', 'False OverlapsPodRange');
      world.put(world.stores.pools, poolObject('empty', ['10.244.1.128/28']));
      await isTold('empty', 'True Serving');
    }));
});
