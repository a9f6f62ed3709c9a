import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { createLogger } from '../observability/log.ts';
import { ApiError } from './api-error.ts';
import { ApiServers, serversIn } from './api-servers.ts';
import { followApiServers } from './follow-api-servers.ts';
import type { EndpointSlice } from './objects.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually } from './testing/waiting.ts';

const CONFIGURED = { url: new URL('https://10.96.0.1:443') };
const A = new URL('https://192.0.2.1:6443');
const B = new URL('https://192.0.2.2:6443');
const NAMESPACES = { method: 'GET', path: '/api/v1/namespaces' } as const;

const slice = (over: Partial<EndpointSlice> = {}): EndpointSlice => ({
  metadata: { namespace: 'default', name: 'kubernetes' },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['192.0.2.1'] }, { addresses: ['2001:db8::1', 'no address'] }],
  ports: [{ name: 'https', port: 6443 }],
  ...over,
});

spec('API servers', (test) => {
  test('the configured one is kept while it works', () => {
    const servers = new ApiServers(CONFIGURED);
    servers.learn([A, B]);
    assert.is(servers.current, CONFIGURED);
  });

  test('after a failure the next one is tried, by a name that its certificate bears, and at last the first again', () => {
    const servers = new ApiServers(CONFIGURED);
    servers.learn([A, B]);
    const tried = [0, 1, 2, 3].map(() => {
      const { current } = servers;
      servers.failed(current);
      return `${current.url.host} ${current.servername}`;
    });
    assert.equal(tried, [
      '10.96.0.1 undefined',
      '192.0.2.1:6443 kubernetes.default.svc',
      '192.0.2.2:6443 kubernetes.default.svc',
      '10.96.0.1 undefined',
    ]);
  });

  test('many requests that fail at one server leave it once', () => {
    const servers = new ApiServers(CONFIGURED);
    servers.learn([A, B]);
    const { current } = servers;
    servers.failed(current);
    servers.failed(current);
    assert.is(servers.current.url, A);
  });

  test('what is in use stays in use while it is known, and a server that is gone is left', () => {
    const servers = new ApiServers(CONFIGURED);
    servers.learn([A, B]);
    servers.failed(servers.current);
    servers.learn([B, new URL(A)]);
    assert.is(servers.current.url.href, A.href);
    servers.learn([B]);
    assert.is(servers.current, CONFIGURED);
  });

  test('the slice of the Service kubernetes says where they are', () => {
    const hrefs = serversIn(slice()).map(({ href }) => href);
    assert.equal(hrefs, ['https://192.0.2.1:6443/', 'https://[2001:db8::1]:6443/']);
    assert.equal(serversIn(slice({ ports: [{ name: 'other', port: 1 }] })), []);
    assert.equal(serversIn(slice({ endpoints: null })), []);
  });

  test('a connection whose server is gone goes on at one that was learnt', async () => {
    const [gone, other] = await Promise.all([FakeApiServer.start(), FakeApiServer.start()]);
    const connection = gone.connect();
    await connection.request(NAMESPACES);
    connection.learnServers([other.url]);
    gone.close();
    await rejection(ApiError, () => connection.request(NAMESPACES));
    await connection.request(NAMESPACES);
    assert.is(other.requests.length, 1);
    connection.close();
    other.close();
  });

  test('an answer that is a refusal is no reason to leave a server', async () => {
    const [first, other] = await Promise.all([FakeApiServer.start(), FakeApiServer.start()]);
    const connection = first.connect();
    connection.learnServers([other.url]);
    for (const _ of [1, 2])
      await rejection(ApiError, () => connection.request({ ...NAMESPACES, path: '/api/v1/namespaces/missing' }));
    assert.is(other.requests.length, 0);
    connection.close();
    first.close();
    other.close();
  });

  test('the slice is read from the cluster, and an empty one takes nothing away', async () => {
    const fake = await FakeApiServer.start();
    const connection = fake.connect();
    const learnt: string[][] = [];
    connection.learnServers = (urls) => void learnt.push(urls.map(({ host }) => host));
    const log = createLogger({ level: 'error' });
    for (const endpoints of [slice().endpoints ?? [], []]) {
      fake.put('endpointslices', slice({ endpoints }));
      const stop = new AbortController();
      const asked = fake.requests.length;
      const following = followApiServers({ connection, log }, stop.signal);
      await eventually('it was read', () => fake.requests.length > asked);
      stop.abort();
      await following;
    }
    assert.equal(learnt, [['192.0.2.1:6443', '[2001:db8::1]:6443']]);
    connection.close();
    fake.close();
  });
});
