import * as assert from 'uvu/assert';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import type { Service } from '../cluster/objects.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service, settled } from './testing/stories.ts';

const LENT = '10.0.0.9';
const lending = (more: Parameters<typeof poolObject>[2] = {}) =>
  poolObject('a', ['10.0.0.0/24'], { externalIPs: true, serviceAllocation: { namespaces: ['shop'] }, ...more });
const naming = (
  name: string,
  externalIPs: readonly string[] = [LENT],
  more: Parameters<typeof service>[1] = {},
): Service => service(name, { ...more, spec: { type: 'ClusterIP', externalIPs, ...more.spec } });
const asking = (name: string, address = LENT): Service =>
  service(name, { annotations: { 'metallb.io/loadBalancerIPs': address } });

/** A world that leads, with a pool that lends addresses to namespace shop. */
async function lends(...services: readonly Service[]): Promise<FakeWorld> {
  const world = new FakeWorld();
  world.put(world.stores.namespaces, { metadata: { name: 'shop' } });
  world.put(world.stores.pools, lending());
  for (const each of services) put(world, each);
  world.lead();
  await settled(world);
  return world;
}
const put = (world: FakeWorld, each: Service): Service =>
  world.put(each.spec.type === 'LoadBalancer' ? world.stores.services : world.stores.externalServices, each);

/** 'shop/dns 10.0.0.9' for each that speakers are told to announce. */
const granted = (world: FakeWorld): readonly string[] =>
  (world.stores.poolSets.get('herald-system/herald')?.externalIPs ?? []).map(
    ({ address, service: key }) => `${key} ${address}`,
  );
/** 'False AddressInUse' */
function toldOf(world: FakeWorld, name: string): string {
  const { services, externalServices } = world.stores;
  const { conditions } = (services.get(`shop/${name}`) ?? externalServices.get(`shop/${name}`))?.status ?? {};
  const told = conditions?.find(({ type }) => type === 'heraldlb.io/ExternalIPsAccepted');
  return told ? `${told.status} ${told.reason}` : 'none';
}
const writesTo = (world: FakeWorld, name: string): number =>
  world.writes.filter((write) => write === `services shop/${name}`).length;

spec('external IPs under a leader', (test) => {
  test('are granted in the PoolSet, and the Service is told by one write and no event', async () => {
    const world = await lends();
    put(world, naming('dns'));
    await eventually('it is granted', () => granted(world).length === 1);
    await settled(world);
    assert.equal(granted(world), [`shop/dns ${LENT}`]);
    assert.is(toldOf(world, 'dns'), 'True Accepted');
    assert.is(writesTo(world, 'dns'), 1);
    assert.equal(world.events, []);
    assert.is(world.writes.filter((write) => write.startsWith('externalips')).length, 1);
    await world.die();
  });

  test('are given to nobody else, and to who waits once they are no longer named', async () => {
    const world = await lends(naming('dns'));
    put(world, asking('late'));
    await eventually('the other is refused', () => world.reasonOf('shop/late') === 'AddressInUse');
    const said = world.stores.services.get('shop/late')?.status?.conditions?.[0]?.message ?? '';
    assert.match(said, `${LENT} is an external IP of shop/dns`);
    world.remove(world.stores.externalServices, 'shop/dns');
    await eventually('the one who waited has it', () => world.addressesOf('shop/late')[0] === LENT);
    assert.equal(granted(world), []);
    await world.die();
  });

  test('stay with who has them when the next leader finds somebody who asks for them', async () => {
    const world = await lends(naming('dns'));
    await world.die();
    world.put(world.stores.services, asking('late'));
    const writes = world.writes.length;
    world.lead();
    await eventually('the other is refused', () => world.reasonOf('shop/late') === 'AddressInUse');
    await settled(world);
    assert.equal(granted(world), [`shop/dns ${LENT}`]);
    assert.equal(
      world.writes.slice(writes).filter((write) => /externalips|dns/.test(write)),
      [],
      'a new leader writes nothing about them',
    );
    await world.die();
  });

  test('are refused where another Service holds them, with one event, and what it holds stays', async () => {
    const world = await lends(asking('holder'), naming('thief'));
    assert.equal(world.addressesOf('shop/holder'), [LENT]);
    assert.is(toldOf(world, 'thief'), 'False AddressInUse');
    assert.equal(granted(world), []);
    assert.equal(
      world.events.filter((event) => event.includes('thief')),
      [`Warning ExternalIPsRefused shop/thief: ${LENT} is held by shop/holder.`],
    );
    world.remove(world.stores.services, 'shop/holder');
    await eventually('it is granted once the holder is gone', () => toldOf(world, 'thief') === 'True Accepted');
    await world.die();
  });

  test('are refused where a load balancer of another class shows them', async () => {
    const other = service('other', { spec: { loadBalancerClass: 'x' } });
    const world = await lends({ ...other, status: { loadBalancer: { ingress: [{ ip: LENT }] } } }, naming('thief'));
    assert.is(toldOf(world, 'thief'), 'False AddressInUse');
    await world.die();
  });

  test('are taken back when the pool, a node or the Service says so', async () => {
    const world = await lends(naming('dns'));
    world.put(world.stores.pools, lending({ externalIPs: false, metadata: { generation: 2 } }));
    await eventually('the pool lends no more', () => toldOf(world, 'dns') === 'False PoolWithoutExternalIPs');
    assert.equal(granted(world), []);
    world.put(world.stores.pools, lending({ metadata: { generation: 3 } }));
    await eventually('it lends again', () => toldOf(world, 'dns') === 'True Accepted');
    const addresses = [{ type: 'InternalIP', address: LENT }];
    world.put(world.stores.nodes, { metadata: { name: 'node-a' }, status: { addresses } });
    await eventually('a node has it', () => toldOf(world, 'dns') === 'False ClusterAddress');
    world.remove(world.stores.nodes, 'node-a');
    await eventually('the node is gone', () => toldOf(world, 'dns') === 'True Accepted');
    const { spec: before, ...rest } = world.stores.externalServices.get('shop/dns') as Service;
    const { externalIPs: _, ...without } = before;
    world.put(world.stores.externalServices, { ...rest, spec: without });
    await eventually('nothing of ours is left', () => toldOf(world, 'dns') === 'none');
    assert.equal(granted(world), []);
    await world.die();
  });

  test('of a load balancer are told beside its address', async () => {
    const world = await lends(service('web', { spec: { externalIPs: [LENT, '192.0.2.1'] } }));
    await eventually('both are said', () => toldOf(world, 'web') === 'True Accepted');
    assert.is(world.reasonOf('shop/web'), 'Assigned');
    assert.equal(world.addressesOf('shop/web'), ['10.0.0.0']);
    assert.equal(granted(world), [`shop/web ${LENT}`]);
    await settled(world);
    assert.is(writesTo(world, 'web'), 2);
    await world.die();
  });

  test('cost nothing where nobody names any', async () => {
    const world = await lends(service('web'));
    assert.equal(
      world.writes.filter((write) => write.startsWith('externalips')),
      [],
    );
    assert.is(writesTo(world, 'web'), 1);
    await world.die();
  });
});
