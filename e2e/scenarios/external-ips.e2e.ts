/** External IPs: announced where a pool lends them to the namespace; refused, and said why, where it does not or another holds them. */

import * as assert from 'uvu/assert';
import { herald } from '../lib/herald-command.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { webService } from '../lib/web.ts';
import { conditionOf, type World } from '../lib/world.ts';

const ACCEPTED = 'heraldlb.io/ExternalIPsAccepted';
const ANNOUNCED = 'heraldlb.io/Announced';
const OTHER = 'e2e-external-ips-other';

/** A Service of type ClusterIP for the page. */
const naming = (name: string, externalIPs: readonly string[], namespace: string): KubeObject =>
  webService({ namespace, name, spec: { type: 'ClusterIP', ipFamilyPolicy: 'PreferDualStack', externalIPs } });

async function told(
  world: World,
  name: string,
  type: string,
  reason: string,
  namespace = world.namespace,
): Promise<void> {
  const path = `${collection('v1', 'Service', namespace)}/${name}`;
  await waitFor(
    `${name} says ${type.split('/')[1]} ${reason}`,
    { withinMs: 10_000 },
    async () => conditionOf(await world.api.get(path), type),
    (condition) => condition?.reason === reason,
  );
}

/** The last two addresses of the slice, one of each family: what is chosen begins with the first. */
const lastOf = (world: World): readonly string[] => [
  world.free.IPv4.addresses.at(-1) ?? '',
  world.free.IPv6.addresses.at(-1) ?? '',
];

scenario('external-ips', (test) => {
  test('a Service of type ClusterIP is reached at external IPs of both families', async (world) => {
    await world.pool({ externalIPs: true });
    await world.advertise();
    await world.web({ replicas: 2 });
    await world.api.create(naming('lent', lastOf(world), world.namespace));
    await told(world, 'lent', ACCEPTED, 'Accepted');
    for (const address of lastOf(world)) {
      await world.owner(address);
      assert.match(await world.fetchSoon(address), /served by/);
    }
  });

  test('it is said to be announced, like a load balancer', async (world) => {
    await told(world, 'lent', ANNOUNCED, 'Announced');
    const path = `${collection('heraldlb.io/v1alpha1', 'ServiceAnnouncement', world.namespace)}/lent`;
    const { addresses } = await world.api.get(path);
    assert.equal([...addresses].sort(), [...lastOf(world)].sort());
    const { stdout } = await herald('explain', `${world.namespace}/lent`);
    console.log(stdout);
    for (const address of lastOf(world)) assert.match(stdout, address);
  });

  test('nobody else is given it', async (world) => {
    const [address = ''] = lastOf(world);
    const annotations = { 'metallb.io/loadBalancerIPs': address };
    await world.service({ name: 'late', families: ['IPv4'], annotations });
    await told(world, 'late', 'heraldlb.io/AddressAssigned', 'AddressInUse');
  });

  test('what another Service holds is refused, and stays where it is', async (world) => {
    await world.service({ name: 'holder' });
    const addresses = await world.addressesOf('holder');
    const [address = ''] = addresses;
    const owner = (await world.owner(address)).name;
    await world.api.create(naming('thief', addresses, world.namespace));
    await told(world, 'thief', ACCEPTED, 'AddressInUse');
    await waitFor(
      'an event says so',
      { withinMs: 10_000 },
      async () =>
        (await world.api.list(collection('v1', 'Event', world.namespace))).map(({ reason }) => String(reason)),
      (reasons) => reasons.includes('ExternalIPsRefused'),
    );
    const { stdout } = await herald('explain', `${world.namespace}/thief`);
    console.log(stdout);
    assert.match(stdout, 'AddressInUse');
    assert.is((await world.owner(address)).name, owner);
    await world.api.delete(world.servicePath('thief'));
  });

  test('another namespace is refused, whatever it names', async (world) => {
    const address = world.free.IPv4.addresses.at(-2) ?? '';
    await world.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: OTHER } });
    await world.api.create(naming('stranger', [address], OTHER));
    await told(world, 'stranger', ACCEPTED, 'NamespaceNotSelected', OTHER);
    assert.equal(await world.answers(address), []);
    await world.api.delete(`${collection('v1', 'Namespace')}/${OTHER}`);
  });

  test('once it is no longer named nobody answers, and who waited for the address gets it', async (world) => {
    const [v4 = '', v6 = ''] = lastOf(world);
    await world.api.patch(world.servicePath('lent'), { spec: { externalIPs: null } });
    await world.silence(v6);
    assert.equal(await world.addressesOf('late'), [v4]);
    await waitFor(
      'nothing of ours is left on the Service',
      { withinMs: 10_000 },
      async () => (await world.api.get(world.servicePath('lent')))['status'].conditions ?? [],
      (conditions) => conditions.length === 0,
    );
  });
});
