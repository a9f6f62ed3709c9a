import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { FakeApiServer } from '../cluster/testing/fake-api-server.ts';
import { eventually, memoryLogger } from '../cluster/testing/waiting.ts';
import { type IpAddress, parseIp } from '../net/address.ts';
import { ClusterView } from './cluster-view.ts';

const OWN = 'herald-system';
const node = (name: string, address: string, more: object = {}) => ({
  metadata: { name, labels: {} },
  status: { addresses: [{ type: 'InternalIP', address }], conditions: [], ...more },
});
const service = (more: object = {}) => ({
  metadata: { namespace: 'shop', name: 'web', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { type: 'LoadBalancer', selector: { app: 'web' } },
  status: { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } },
  ...more,
});
const slice = (nodeName: string, ready = true) => ({
  metadata: { namespace: 'shop', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ nodeName, addresses: ['10.0.0.1'], conditions: { ready } }],
});
const advertisement = (namespace = OWN, spec: object = {}) => ({
  metadata: { namespace, name: 'all' },
  spec,
});
const entry = { namespace: OWN, name: 'public', generation: 1, hash: 'h', autoAssign: true, avoidBuggyIPs: false };
const poolSet = (...addresses: string[]) => ({
  apiVersion: 'heraldlb.io/v1alpha1',
  kind: 'PoolSet',
  metadata: { namespace: OWN, name: 'herald' },
  pools: [{ ...entry, addresses }],
});
const external = (name: string, externalIPs: readonly string[]) => ({
  metadata: { namespace: 'shop', name },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', externalIPs },
});
const definition = (name: string) => ({
  metadata: { name },
  status: { conditions: [{ type: 'Established', status: 'True' }] },
});

async function viewing(
  body: (stage: {
    api: FakeApiServer;
    view: ClusterView;
    changes: string[];
    told: () => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const api = await FakeApiServer.start();
  for (const name of ['l2advertisements.metallb.io', 'poolsets.heraldlb.io'])
    api.put('customresourcedefinitions', definition(name));
  api.put('nodes', node('a', '192.0.2.1'));
  api.put('nodes', node('b', '192.0.2.2'));
  api.put('services', service());
  api.put('endpointslices', slice('a'));
  api.put('l2advertisements', advertisement());
  api.put('poolsets', poolSet('198.51.100.0/24'));
  const connection = api.connect();
  const stopping = new AbortController();
  const heartbeat = { port: 7946, intervalMs: 100, missed: 3 };
  const own = { namespace: OWN, configNamespaces: [OWN, 'metallb-system'], nodeName: 'a' };
  const settings = { ...own, lbClass: '', ignoreExcludeLb: false, heartbeat };
  const view = new ClusterView({ connection, settings, log: memoryLogger() });
  const changes: string[] = [];
  view.onChange((change) => void changes.push(change.kind === 'Service' ? change.key : change.kind));
  const done = view.run(stopping.signal);
  try {
    await eventually('everything is listed', () => view.hasSynced);
    changes.length = 0;
    await body({ api, view, changes, told: () => eventually('a change is told', () => changes.length > 0) });
  } finally {
    stopping.abort();
    await done;
    connection.close();
    api.close();
  }
}
const changed = parseIp('203.0.113.1') as IpAddress;
/** Long enough for a watch event to arrive. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 60));

spec('cluster view', (test) => {
  test('sees Services, nodes, pools and advertisements', () =>
    viewing(async ({ view }) => {
      const { pools, advertisements, nodes } = view.config();
      assert.equal(
        [pools.map(({ name }) => name), advertisements.map(({ name }) => name), nodes.map(({ name }) => name)],
        [['public'], ['all'], ['a', 'b']],
      );
      assert.equal(view.peers(), [{ node: 'b', address: '192.0.2.2' }]);
      assert.equal(view.announcedService('shop/web')?.endpoints, { anywhere: true, nodes: new Set(['a']) });
    }));
  test('lets no node announce that has no address for heartbeats', () =>
    viewing(async ({ api, view, told }) => {
      api.put('nodes', node('b', '192.0.2.2', { addresses: [{ type: 'ExternalIP', address: '203.0.113.9' }] }));
      await told();
      assert.equal([view.config().nodes.map(({ name }) => name), view.peers()], [['a'], []]);
    }));
  test('tells the Service when its endpoints change', () =>
    viewing(async ({ api, view, changes, told }) => {
      api.put('endpointslices', slice('b'));
      await told();
      assert.equal(changes, ['shop/web']);
      assert.equal([...(view.announcedService('shop/web')?.endpoints.nodes ?? [])], ['b']);
    }));
  test('tells nothing of the heartbeats of the kubelet', () =>
    viewing(async ({ api, changes, told }) => {
      const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'now' }];
      api.put('nodes', node('b', '192.0.2.2', { conditions }));
      await pause();
      assert.equal(changes, []);
      api.put('nodes', node('b', '192.0.2.2', { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] }));
      await told();
      assert.equal(changes, ['Config']);
    }));
  test('tells nothing of an advertisement whose status alone has changed', () =>
    viewing(async ({ api, view, changes, told }) => {
      api.put('l2advertisements', { ...advertisement(), status: { pools: 'all' } });
      await pause();
      assert.equal(changes, []);
      api.put('l2advertisements', advertisement(OWN, { interfaces: ['eth1'] }));
      await told();
      assert.equal(view.config().advertisements[0]?.interfaces, ['eth1']);
    }));
  test('keeps the pools when somebody deletes the PoolSet by hand', () =>
    viewing(async ({ api, view, told }) => {
      api.delete('poolsets', 'herald', OWN);
      await pause();
      assert.is(view.config().pools.length, 1);
      api.put('poolsets', poolSet('203.0.113.0/24'));
      await told();
      assert.equal(
        view.config().pools.map(({ addresses }) => addresses.has(changed)),
        [true],
      );
    }));
  test('keeps the advertisements while their definition is away, and goes on seeing Services', () =>
    viewing(async ({ api, view, told }) => {
      api.delete('customresourcedefinitions', 'l2advertisements.metallb.io');
      api.delete('l2advertisements', 'all', OWN);
      api.unserve('l2advertisements');
      await pause();
      assert.is(view.config().advertisements.length, 1);
      api.put('services', service({ metadata: { namespace: 'shop', name: 'api' } }));
      await told();
      assert.ok(view.announcedService('shop/api') && view.hasSynced);
    }));
  test('keeps everything while the API server is down', () =>
    viewing(async ({ api, view }) => {
      api.down();
      await pause();
      assert.ok(view.hasSynced && view.announcedService('shop/web'));
      assert.is(view.config().pools.length, 1);
    }));
  test('uses no advertisement of a namespace that is not watched', () =>
    viewing(async ({ api, view, told }) => {
      api.put('l2advertisements', {
        ...advertisement('elsewhere'),
        metadata: { namespace: 'elsewhere', name: 'other' },
      });
      await told();
      assert.equal(
        view.config().advertisements.map(({ name }) => name),
        ['all'],
      );
    }));
  test('asks for Services of other types while external IPs are announced, and sees those alone that it may announce', () =>
    viewing(async ({ api, view, changes, told }) => {
      const listed = () => api.requests.filter((request) => request === 'GET services').length;
      assert.is(listed(), 1);
      api.put('services', external('dns', ['198.51.100.9', '198.51.100.10']));
      await told();
      assert.is(view.announcedService('shop/dns'), undefined);

      changes.length = 0;
      const granting = {
        ...poolSet('198.51.100.0/24'),
        externalIPs: [{ address: '198.51.100.9', service: 'shop/dns' }],
      };
      api.put('poolsets', granting);
      await eventually('the other Services were listed', () => listed() === 2);
      assert.equal(view.announcedService('shop/dns')?.addresses, ['198.51.100.9']);
      assert.not(changes.includes('Config'), 'no pool changed');

      changes.length = 0;
      api.put('poolsets', { ...granting, externalIPs: [] });
      await told();
      assert.ok(changes.includes('shop/dns'));
      assert.is(view.announcedService('shop/dns'), undefined);
    }));
});
