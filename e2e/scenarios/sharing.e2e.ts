/** Two Services share one address: DNS by TCP and by UDP. Who may share, who may not and says why, and who stays when one goes. */

import * as assert from 'uvu/assert';
import { askUdp } from '../lib/ask-udp.ts';
import { collection } from '../lib/kube-api.ts';
import { exec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { webService } from '../lib/web.ts';
import { addressesIn, conditionOf, familyOf, type World } from '../lib/world.ts';

const ASSIGNED = 'heraldlb.io/AddressAssigned';
const OTHER = 'e2e-sharing-other';
const KEY = { 'metallb.io/allow-shared-ip': 'dns' };
const TCP = { name: 'dns-tcp', port: 53, targetPort: 8080, protocol: 'TCP' };
const UDP = { name: 'dns-udp', port: 53, targetPort: 9000, protocol: 'UDP' };

const asking = (addresses: readonly string[]) => ({ ...KEY, 'metallb.io/loadBalancerIPs': addresses.join(',') });

/** The page on port 53. */
const fetchDns = (address: string): Promise<string> =>
  exec('client', ['curl', '-sS', '--fail', '--max-time', '3', `http://${hostOf(address)}:53/`]);
const hostOf = (address: string): string => (familyOf(address) === 'IPv6' ? `[${address}]` : address);

const answersByTcp = (address: string): Promise<string> =>
  waitFor(
    `${address} answers by TCP`,
    { withinMs: 20_000 },
    () => fetchDns(address),
    (page) => page.includes('served by'),
  );
const answersByUdp = (address: string): Promise<string> =>
  waitFor(
    `${address} answers by UDP`,
    { withinMs: 20_000 },
    () => askUdp(address, 53),
    (text) => text.startsWith('17 '),
  );

async function refusalOf(world: World, path: string, words: RegExp): Promise<void> {
  const told = await waitFor(
    `the Service at ${path} is refused`,
    { withinMs: 10_000 },
    async () => conditionOf(await world.api.get(path), ASSIGNED),
    (condition) => condition?.status === 'False' && words.test(condition.message),
  );
  assert.is(told?.reason, 'AddressInUse');
}

const announcementOf = (world: World, name: string) =>
  world.api.find(`${collection('heraldlb.io/v1alpha1', 'ServiceAnnouncement', world.namespace)}/${name}`);

scenario('sharing', (test) => {
  const otherPath = (name: string): string => `${collection('v1', 'Service', OTHER)}/${name}`;

  test('two Services with one key and different ports have the same addresses', async (world) => {
    await world.pool({ serviceAllocation: { namespaces: [world.namespace, OTHER] } });
    await world.advertise();
    await world.web({ replicas: 2 });
    await world.service({ name: 'tcp', annotations: KEY, spec: { ports: [TCP] } });
    const addresses = await world.addressesOf('tcp');
    assert.equal(addresses.map(familyOf), ['IPv4', 'IPv6']);
    await world.service({ name: 'udp', annotations: asking(addresses), spec: { ports: [UDP] } });
    assert.equal(await world.addressesOf('udp'), addresses);
  });

  test('both answer, over both families, and one node announces', async (world) => {
    for (const address of await world.addressesNow('tcp')) {
      await world.owner(address);
      await answersByTcp(address);
      await answersByUdp(address);
    }
  });

  test('each of them is said to be announced', async (world) => {
    for (const name of ['tcp', 'udp'])
      await waitFor(
        `${name} is announced`,
        { withinMs: 10_000 },
        async () => (await announcementOf(world, name)) ?? { metadata: { name } },
        (found) => conditionOf(found, 'Ready')?.status === 'True' && found['announcers'].length === 2,
      );
  });

  test('a third that wants a port of theirs gets nothing, and reads which', async (world) => {
    const addresses = await world.addressesNow('tcp');
    await world.service({ name: 'clash', annotations: asking(addresses), spec: { ports: [UDP] } });
    await refusalOf(world, world.servicePath('clash'), /UDP\/53.*udp/);
    await world.api.delete(world.servicePath('clash'));
  });

  test('a key reaches no other namespace, until the pool says so', async (world) => {
    const addresses = await world.addressesNow('tcp');
    await world.api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: OTHER } });
    const ports = [{ name: 'echo', port: 9001, targetPort: 9001, protocol: 'TCP' }];
    const service = webService({ namespace: OTHER, name: 'guest', annotations: asking(addresses), spec: { ports } });
    await world.api.create(service);
    await refusalOf(world, otherPath('guest'), /another namespace/);
    const serviceAllocation = { namespaces: [world.namespace, OTHER] };
    await world.pool({ serviceAllocation, shareAcrossNamespaces: true });
    await waitFor(
      'the guest has the addresses',
      { withinMs: 10_000 },
      async () => addressesIn(await world.api.get(otherPath('guest'))),
      (held) => JSON.stringify(held) === JSON.stringify(addresses),
    );
    await world.api.delete(`${collection('v1', 'Namespace')}/${OTHER}`);
  });

  test('one goes, and the other answers on', async (world) => {
    const addresses = await world.addressesNow('udp');
    await world.api.delete(world.servicePath('tcp'));
    for (const address of addresses) {
      await world.owner(address);
      await answersByUdp(address);
    }
    await waitFor(
      'nothing answers by TCP any more',
      { withinMs: 20_000 },
      () => fetchDns(addresses[0] ?? '').catch(() => 'refused'),
      (page) => page === 'refused',
    );
    assert.equal(await world.addressesNow('udp'), addresses);
  });

  test('the last one goes, and nobody answers', async (world) => {
    const addresses = await world.addressesNow('udp');
    await world.api.delete(world.servicePath('udp'));
    for (const address of addresses) await world.silence(address);
  });
});
