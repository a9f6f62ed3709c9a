/** What others write into the status of a Service is left alone where it is not ours to take, and never fought over. */

import * as assert from 'uvu/assert';
import { ready, scaleOperators } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, type World } from '../lib/world.ts';

const ASSIGNED = 'heraldlb.io/AddressAssigned';

/** Writes the whole status as another controller does, by Update. */
async function writeAsOther(world: World, name: string, ingress: object[]): Promise<KubeObject> {
  const path = world.servicePath(name);
  const service = await world.api.get(path);
  const status = { ...service['status'], loadBalancer: { ingress } };
  return world.api.replace(`${path}/status?fieldManager=other-controller`, { ...service, status });
}

const reasonOf = async (world: World, name: string): Promise<string | undefined> =>
  conditionOf(await world.api.get(world.servicePath(name)), ASSIGNED)?.reason;
const told = (world: World, name: string, reason: string): Promise<string | undefined> =>
  waitFor(
    `${name} is ${reason}`,
    { withinMs: 15_000 },
    () => reasonOf(world, name),
    (seen) => seen === reason,
  );

async function eventsOf({ api, namespace }: World, reason: string): Promise<number> {
  const events = await api.list(collection('events.k8s.io/v1', 'Event', namespace));
  return events.filter((event) => event['reason'] === reason).length;
}

scenario('not-ours', (test) => {
  test('a Service of another class is left alone, whatever its status shows', async (world) => {
    await world.pool();
    await world.advertise();
    await world.web();
    const other = await world.service({ name: 'classy', spec: { loadBalancerClass: 'example.com/cloud' } });
    const address = world.free.IPv4.addresses[7] ?? '';
    const { metadata } = await writeAsOther(world, 'classy', [{ ip: address }]);
    await pause(3_000);
    const after = await world.api.get(world.servicePath('classy'));
    assert.equal([after.metadata.uid, after.metadata.resourceVersion], [other.metadata.uid, metadata.resourceVersion]);
    await world.silence(address);
  });

  test('addresses that no pool has, and host names, are not adopted: an event and a condition say so', async (world) => {
    await scaleOperators(world.api, 0);
    await world.service({ name: 'elsewhere', families: ['IPv4'] });
    await world.service({ name: 'cloudy', families: ['IPv4'] });
    await writeAsOther(world, 'elsewhere', [{ ip: '203.0.113.200' }]);
    await writeAsOther(world, 'cloudy', [{ hostname: 'lb.example.com' }]);
    await scaleOperators(world.api, 2);
    await ready(world.api);
    for (const name of ['elsewhere', 'cloudy']) await told(world, name, 'NotOurs');
    const [elsewhere, cloudy] = await Promise.all(
      ['elsewhere', 'cloudy'].map((name) => world.api.get(world.servicePath(name))),
    );
    assert.equal(elsewhere?.['status'].loadBalancer.ingress[0].ip, '203.0.113.200');
    assert.equal(cloudy?.['status'].loadBalancer.ingress, [{ hostname: 'lb.example.com' }]);
    await waitFor(
      'an event for each',
      { withinMs: 5_000 },
      () => eventsOf(world, 'NotOurs'),
      (count) => count === 2,
    );
  });

  test('once the status is empty, the Service gets an address of ours', async (world) => {
    await writeAsOther(world, 'elsewhere', []);
    await told(world, 'elsewhere', 'Assigned');
  });

  test('two changes back and forth, and Herald stops: the status stays as the other wrote it', async (world) => {
    const [own = ''] = await world.addressesNow('elsewhere');
    const wanted = world.free.IPv4.addresses[7] ?? '';
    await writeAsOther(world, 'elsewhere', [{ ip: wanted }]);
    const isBack = ([address]: string[]): boolean => address === own;
    await waitFor('it is put back', { withinMs: 5_000, everyMs: 50 }, () => world.addressesNow('elsewhere'), isBack);
    await writeAsOther(world, 'elsewhere', [{ ip: wanted }]);
    await told(world, 'elsewhere', 'ContestedStatus');
    await writeAsOther(world, 'elsewhere', [{ ip: own }]);
    const { metadata } = await writeAsOther(world, 'elsewhere', [{ ip: wanted }]);
    await pause(3_000);
    const after = await world.api.get(world.servicePath('elsewhere'));
    assert.is(after.metadata.resourceVersion, metadata.resourceVersion, 'nothing was written since');
    assert.equal(await world.addressesNow('elsewhere'), [wanted]);
    await world.silence(wanted);
    assert.is(await eventsOf(world, 'ContestedStatus'), 1);
  });

  test('nobody else gets what is contested', async (world) => {
    const contested = world.free.IPv4.addresses[7] ?? '';
    await world.service({
      name: 'greedy',
      families: ['IPv4'],
      annotations: { 'metallb.io/loadBalancerIPs': contested },
    });
    await told(world, 'greedy', 'AddressInUse');
  });
});
