import * as assert from 'uvu/assert';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { announcedServiceOf } from '../advertising/announced-service.ts';
import type { Service } from '../cluster/objects.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service, settled } from './testing/stories.ts';

/** As MetalLB's web site shows it (usage, IP address sharing): DNS by TCP and by UDP at one address. */
const dns = (protocol: 'TCP' | 'UDP', more: { born?: string } = {}): Service =>
  service(`dns-service-${protocol.toLowerCase()}`, {
    ...more,
    spec: { loadBalancerIP: '1.2.3.4', ports: [{ port: 53, protocol }], selector: { app: 'dns' } },
    annotations: { 'metallb.io/allow-shared-ip': 'key-to-share-1.2.3.4' },
  });
const TCP = 'shop/dns-service-tcp';
const UDP = 'shop/dns-service-udp';

/** A world that leads, with both Services. */
async function sharing(): Promise<FakeWorld> {
  const world = new FakeWorld();
  world.put(world.stores.pools, poolObject('a', ['1.2.3.0/29']));
  for (const protocol of ['TCP', 'UDP'] as const) world.put(world.stores.services, dns(protocol));
  world.lead();
  await eventually('both have it', () => [TCP, UDP].every((key) => world.addressesOf(key)[0] === '1.2.3.4'));
  return world;
}
const usedOf = (world: FakeWorld) => world.report()?.pools[0]?.use;
const countedIn = (world: FakeWorld) => {
  const { assignedIPv4, availableIPv4 } = world.stores.pools.get('herald-system/a')?.status ?? {};
  return [assignedIPv4, availableIPv4];
};

spec('an address that two Services share', (test) => {
  test('is given to both, and both may announce it', async () => {
    const world = await sharing();
    for (const key of [TCP, UDP]) {
      assert.is(world.reasonOf(key), 'Assigned');
      const seen = announcedServiceOf(world.stores.services.get(key) as Service, [], '');
      assert.equal([seen?.addresses, seen?.sharingKey], [['1.2.3.4'], 'key-to-share-1.2.3.4']);
    }
    await world.die();
  });

  test('counts once, until the last of them is gone', async () => {
    const world = await sharing();
    await eventually('the status of the pool counts one', () => String(countedIn(world)) === '1,7');
    assert.is(usedOf(world)?.ipv4, 1);
    world.remove(world.stores.services, TCP);
    await settled(world);
    assert.equal([usedOf(world)?.ipv4, countedIn(world)], [1, [1, 7]]);
    assert.equal(world.addressesOf(UDP), ['1.2.3.4']);
    world.remove(world.stores.services, UDP);
    await eventually('the status of the pool counts none', () => String(countedIn(world)) === '0,8');
    assert.is(usedOf(world)?.ipv4, 0);
    await world.die();
  });

  test('stays with both over a restart, which writes nothing', async () => {
    const world = await sharing();
    await settled(world);
    await world.die();
    const writes = world.writes.length;
    world.lead();
    await settled(world, 200);
    assert.equal(world.writes.slice(writes), []);
    await world.die();
  });

  test('is refused to a third with a port of theirs, which gets it once that one is gone', async () => {
    const world = await sharing();
    const { metadata, ...clash } = dns('UDP', { born: '2026-01-02T00:00:00Z' });
    world.put(world.stores.services, { ...clash, metadata: { ...metadata, name: 'clash', uid: 'uid-clash' } });
    await eventually('it is refused', () => world.reasonOf('shop/clash') === 'AddressInUse');
    world.remove(world.stores.services, UDP);
    await eventually('it has the address', () => world.addressesOf('shop/clash')[0] === '1.2.3.4');
    assert.equal(world.addressesOf(TCP), ['1.2.3.4']);
    await world.die();
  });
});
