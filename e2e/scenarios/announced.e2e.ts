/** What pipelines wait for: Announced on the Service and Ready on its ServiceAnnouncement, true when it is true, and at the price promised. */

import * as assert from 'uvu/assert';
import { NAMESPACE, pods, processOf, ready, signal } from '../lib/herald.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { kubectl } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { conditionOf, METALLB, type World } from '../lib/world.ts';
import { requestCounts, writesTo } from '../lib/write-counts.ts';

const HERALD = 'heraldlb.io/v1alpha1';
const ANNOUNCED = 'heraldlb.io/Announced';
const NAME = 'told';

const announcementPath = ({ namespace }: World): string =>
  `${collection(HERALD, 'ServiceAnnouncement', namespace)}/${NAME}`;
const announcement = (world: World): Promise<KubeObject> => world.api.get(announcementPath(world));
/** 'True Announced' */
const said = (object: KubeObject, type: string): string => {
  const { status, reason } = conditionOf(object, type) ?? {};
  return `${status} ${reason}`;
};
const writes = async ({ api }: World) => {
  const counts = requestCounts(await api.text('/metrics')).filter(({ code }) => code.startsWith('2'));
  return {
    services: writesTo(counts, 'services'),
    announcements: writesTo(counts, 'serviceannouncements'),
    reports: writesTo(counts, 'nodeannouncements'),
    leases: writesTo(counts, 'leases'),
  };
};
/** Waits until both say so; fails with what they say instead. */
const bothSay = (world: World, words: string, withinMs: number): Promise<string> =>
  waitFor(
    `the Service and its announcement say ${words}`,
    { withinMs, everyMs: 100 },
    async () =>
      `${said(await world.api.get(world.servicePath(NAME)), ANNOUNCED)}, ${said(await announcement(world), 'Ready')}`,
    (both) => both === `${words}, ${words}`,
  );
const scale = async (world: World, replicas: number): Promise<void> => {
  await kubectl('-n', world.namespace, 'scale', 'deployment/web', `--replicas=${replicas}`);
};

scenario('announced', (test) => {
  test('a Service is two writes of status, one ServiceAnnouncement and one event IPAllocated', async (world) => {
    await world.pool();
    await world.advertise();
    await world.web({ node: world.controlPlane.name });
    const before = await writes(world);
    await world.service({ name: NAME });
    await kubectl('-n', world.namespace, 'wait', `--for=condition=${ANNOUNCED}`, `svc/${NAME}`, '--timeout=10s');
    await kubectl(
      '-n',
      world.namespace,
      'wait',
      '--for=condition=Ready',
      `serviceannouncement/${NAME}`,
      '--timeout=10s',
    );
    await pause(8_000);
    const after = await writes(world);
    assert.is(after.services - before.services, 3, 'the Service itself and its status twice');
    assert.is(after.announcements - before.announcements, 1);
    const events = await world.api.list(collection('events.k8s.io/v1', 'Event', world.namespace));
    const allocated = events.filter((event) => event['reason'] === 'IPAllocated' && event['regarding'].name === NAME);
    assert.is(allocated.length, 1);
  });

  test('the announcement names addresses, pool and announcer, in kubectl get too', async (world) => {
    const object = await announcement(world);
    const addresses = await world.addressesNow(NAME);
    assert.equal(object['addresses'], addresses);
    assert.is(object['pool'], world.name);
    const owner = await world.owner(addresses[0] ?? '');
    assert.is(object['by'], `l2:${owner.name}`);
    const table = await kubectl('-n', world.namespace, 'get', 'serviceannouncement', NAME);
    console.log(table);
    assert.match(table, new RegExp(`${NAME}\\s+True\\s+Announced\\s+${addresses.join(',')}\\s+l2:${owner.name}`));
    console.log(await kubectl('-n', NAMESPACE, 'get', 'nodeannouncements'));
  });

  test('at rest speakers renew their Leases and write nothing else', async (world) => {
    const before = await writes(world);
    await pause(11_000);
    const after = await writes(world);
    assert.is(after.reports - before.reports, 0, 'reports');
    assert.is(after.announcements - before.announcements, 0, 'announcements');
    assert.is(after.services - before.services, 0, 'services');
  });

  test('the speaker of the owner is killed: nothing is said of the Service, because it stays announced', async (world) => {
    const { by } = (await announcement(world)) as { by?: string };
    const node = (by ?? '').replace('l2:', '');
    const before = await world.api.get(world.servicePath(NAME));
    const victim = (await pods(world.api, 'herald-speaker')).find(({ spec }) => spec.nodeName === node);
    assert.ok(victim, `a speaker runs on ${node}`);
    await signal(await processOf(victim), 'KILL');
    await pause(6_000);
    await ready(world.api);
    await pause(2_000);
    const after = await world.api.get(world.servicePath(NAME));
    assert.is(after.metadata.resourceVersion, before.metadata.resourceVersion, 'the Service was not written');
    assert.is(said(await announcement(world), 'Ready'), 'True Announced');
  });

  test('without its advertisement it says NoAdvertisement, and with it again Announced', async (world) => {
    await world.api.delete(`${collection(METALLB, 'L2Advertisement', NAMESPACE)}/${world.name}`);
    await bothSay(world, 'False NoAdvertisement', 8_000);
    await world.advertise();
    await bothSay(world, 'True Announced', 8_000);
  });

  test('without endpoints it says NoEndpoints, and with them again Announced', async (world) => {
    await scale(world, 0);
    await bothSay(world, 'False NoEndpoints', 15_000);
    await scale(world, 1);
    await bothSay(world, 'True Announced', 20_000);
  });

  test('a Service that is no load balancer any more has no announcement', async (world) => {
    await world.api.patch(world.servicePath(NAME), { spec: { type: 'ClusterIP' } });
    await waitFor(
      'the announcement and the conditions are gone',
      { withinMs: 15_000, everyMs: 250 },
      async () => {
        const service = await world.api.get(world.servicePath(NAME));
        return [await world.api.find(announcementPath(world)), conditionOf(service, ANNOUNCED)];
      },
      ([object, condition]) => object === undefined && condition === undefined,
    );
  });
});
