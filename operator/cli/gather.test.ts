import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from '../cluster/api-connection.ts';
import { ApiError } from '../cluster/api-error.ts';
import { CommandError } from './command.ts';
import { gather } from './gather.ts';
import { NOW } from './testing/cluster.ts';
import { memoryIo } from './testing/memory-io.ts';

const service = {
  metadata: { namespace: 'shop', name: 'web' },
  spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', healthCheckNodePort: 30_000 },
};
const deployment = (namespace: string, ...command: string[]) => ({
  metadata: { namespace, name: 'herald-operator' },
  spec: { template: { spec: { containers: [{ name: 'operator', command: ['herald', 'operator', ...command] }] } } },
});

/** An API server that lists what it is given by path, and answers 404 or a failure for everything else. */
function cluster(lists: Readonly<Record<string, readonly object[] | ApiError>>, isClosed: { value: boolean }) {
  const connection: ApiConnection = {
    async request<T>({ path }: ApiRequest): Promise<T> {
      const items = lists[path] ?? new ApiError(404, 'NotFound', path);
      if (items instanceof ApiError) throw items;
      return { metadata: { resourceVersion: '7' }, items } as T;
    },
    watch: () => {
      throw new Error('nobody watches here');
    },
    close: () => {
      isClosed.value = true;
    },
  };
  return memoryIo({ connection });
}

spec('a snapshot of a cluster', (test) => {
  test('holds every kind, typed and trimmed, and where Herald runs', async () => {
    const isClosed = { value: false };
    const io = cluster(
      {
        '/api/v1/services': [service],
        '/apis/apps/v1/deployments': [deployment('lb', '--config-namespaces=more', '--lb-class', 'ours')],
      },
      isClosed,
    );
    const snapshot = await gather(io, {});
    assert.equal(snapshot.services, [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace: 'shop', name: 'web' },
        spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1' },
      },
    ]);
    const { namespace, configNamespaces, lbClass, isFound } = snapshot.installation;
    assert.equal(
      { namespace, configNamespaces, lbClass, isFound },
      {
        namespace: 'lb',
        configNamespaces: ['lb', 'more'],
        lbClass: 'ours',
        isFound: true,
      },
    );
    assert.is(snapshot.takenAt, NOW);
    assert.equal(snapshot.pools, []);
    assert.ok(isClosed.value);
  });

  test('says which kinds it could not read', async () => {
    const forbidden = new ApiError(403, 'Forbidden', 'pods is forbidden');
    const { unread } = await gather(cluster({ '/api/v1/pods': forbidden }, { value: false }), {});
    assert.equal([...unread], [['pods', 'pods is forbidden']]);
  });

  test('is none where nobody answers, and the connection is closed', async () => {
    const isClosed = { value: false };
    const silent = new ApiError(0, 'ConnectionFailed', 'GET /api/v1/services: connect ECONNREFUSED');
    const io = cluster({ '/api/v1/services': silent }, isClosed);
    const { message } = await rejection(CommandError, () => gather(io, {}));
    assert.match(message, /^the API server cannot be reached: .*ECONNREFUSED/);
    assert.ok(isClosed.value);
  });

  test('asks which of two installations is meant', async () => {
    const io = cluster({ '/apis/apps/v1/deployments': [deployment('a'), deployment('b')] }, { value: false });
    const { message } = await rejection(CommandError, () => gather(io, {}));
    assert.is(message, 'Herald runs in a and b: choose one with --herald-namespace');
    assert.is((await gather(io, { 'herald-namespace': 'b' })).installation.namespace, 'b');
  });

  test('may be taken of an export', async () => {
    const text = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: LoadBalancer}}
- {apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {type: ClusterIP}}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: public, namespace: herald-system}
spec: {addresses: [192.0.2.0/24]}
`;
    const snapshot = await gather(memoryIo({ files: { 'cluster.yaml': text } }), { from: 'cluster.yaml' });
    assert.equal(
      snapshot.services.map(({ metadata }) => metadata.name),
      ['web'],
    );
    assert.equal(
      snapshot.pools.map(({ metadata }) => metadata.name),
      ['public'],
    );
    assert.not(snapshot.installation.isFound);
  });

  test('is refused for an export that is not YAML, with the place', async () => {
    const io = memoryIo({ files: { 'x.yaml': 'apiVersion: metallb.io/v1beta1\nkind: [' } });
    assert.match((await rejection(CommandError, () => gather(io, { from: 'x.yaml' }))).message, /^x\.yaml:\d+: /);
    await rejection(CommandError, () => gather(io, { from: 'missing.yaml' }));
  });
});
