import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { HttpConnection } from './api-connection.ts';
import { ApiError } from './api-error.ts';
import { LeadershipLostError } from './leader-term.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { eventually } from './testing/waiting.ts';

const NODES = '/api/v1/nodes';

async function connected(
  body: (fake: FakeApiServer, connection: HttpConnection) => Promise<void>,
  options: Parameters<FakeApiServer['connect']>[0] = {},
): Promise<void> {
  const fake = await FakeApiServer.start();
  const connection = fake.connect(options);
  try {
    await body(fake, connection);
  } finally {
    connection.close();
    fake.close();
  }
}

spec('API connection', (test) => {
  test('sends and reads JSON with the authorization', () =>
    connected(async (fake, connection) => {
      const body = { metadata: { name: 'a' } };
      const created = await connection.request<typeof body>({ method: 'POST', path: NODES, body });
      assert.is(created.metadata.name, 'a');
      assert.is(fake.headers.authorization, 'Bearer t0ken');
      assert.is(fake.headers['content-type'], 'application/json');
    }));

  test('a refusal carries status and reason, and never the token', () =>
    connected(async (_fake, connection) => {
      const error = await rejection(ApiError, () => connection.request({ method: 'GET', path: `${NODES}/missing` }));
      assert.equal([error.status, error.reason], [404, 'NotFound']);
      assert.not.ok(JSON.stringify({ ...error, message: error.message, stack: error.stack }).includes('t0ken'));
    }));

  test('a request ends at its timeout, and says so', () =>
    connected(async (fake, connection) => {
      fake.before = () => sleep(1_000);
      const startedAt = performance.now();
      const error = await rejection(ApiError, () => connection.request({ method: 'GET', path: NODES, timeoutMs: 50 }));
      assert.equal([error.status, error.reason], [0, 'Timeout']);
      assert.ok(performance.now() - startedAt < 500);
    }));

  test('a request ends when nobody wants it any more', () =>
    connected(async (fake, connection) => {
      fake.before = () => sleep(1_000);
      const stop = new AbortController();
      const request = rejection(ApiError, () =>
        connection.request({ method: 'GET', path: NODES, signal: stop.signal }),
      );
      await eventually('it was sent', () => fake.requests.length === 1);
      stop.abort();
      assert.is((await request).reason, 'Aborted');
    }));

  test('an API server that is not there is an error without status', async () => {
    const fake = await FakeApiServer.start();
    const connection = fake.connect();
    fake.close();
    const error = await rejection(ApiError, () => connection.request({ method: 'GET', path: NODES }));
    assert.equal([error.status, error.reason], [0, 'ConnectionFailed']);
    connection.close();
  });

  test('a kept-alive connection that was closed meanwhile is not noticed', () =>
    connected(async (fake, connection) => {
      await connection.request({ method: 'GET', path: NODES });
      let isFirst = true;
      fake.before = () => {
        if (isFirst) fake.cut();
        isFirst = false;
      };
      await connection.request({ method: 'GET', path: NODES });
      assert.is(fake.requests.length, 3);
    }));

  test('a create is not sent twice', () =>
    connected(async (fake, connection) => {
      await connection.request({ method: 'GET', path: NODES });
      fake.before = () => fake.cut();
      const body = { metadata: { name: 'a' } };
      await rejection(ApiError, () => connection.request({ method: 'POST', path: NODES, body }));
      assert.is(fake.requests.length, 2);
    }));

  test('uses many connections at once, no more than allowed, and keeps them', () =>
    connected(
      async (fake, connection) => {
        let now = 0;
        let most = 0;
        fake.before = async () => {
          now += 1;
          most = Math.max(most, now);
          await sleep(10);
          now -= 1;
        };
        const requests = Array.from({ length: 40 }, () => connection.request({ method: 'GET', path: NODES }));
        await Promise.all(requests);
        assert.is(most, 8);
      },
      { maxSockets: 8 },
    ));

  test('the Lease does not wait behind the work', () =>
    connected(
      async (fake, connection) => {
        fake.before = (request) => (request === 'GET leases' ? undefined : sleep(100));
        const work = Array.from({ length: 4 }, () => connection.request({ method: 'GET', path: NODES }));
        const startedAt = performance.now();
        const path = '/apis/coordination.k8s.io/v1/leases';
        await connection.request({ method: 'GET', path, lane: 'lease' });
        assert.ok(performance.now() - startedAt < 80);
        await Promise.all(work);
      },
      { maxSockets: 1 },
    ));

  test('a guard is asked when the connection is ready, and what it throws stops the request', () =>
    connected(
      async (fake, connection) => {
        fake.before = () => sleep(50);
        let mayWrite = true;
        const guard = () => {
          if (!mayWrite) throw new LeadershipLostError('too late');
        };
        const put = (name: string) => connection.request({ method: 'PUT', path: `${NODES}/${name}`, body: {}, guard });
        fake.put('nodes', { metadata: { name: 'a' } });
        const first = put('a');
        const second = rejection(LeadershipLostError, () => put('b'));
        await eventually('the first was sent', () => fake.requests.length === 1);
        mayWrite = false;
        await first;
        await second;
        assert.equal(fake.requests, ['PUT nodes/a']);
      },
      { maxSockets: 1 },
    ));

  test('tells each request with its status', () => {
    const told: string[] = [];
    return connected(
      async (_fake, connection) => {
        await connection.request({ method: 'GET', path: NODES });
        await rejection(ApiError, () => connection.request({ method: 'GET', path: `${NODES}/missing` }));
        assert.equal(told, ['GET 200', 'GET 404']);
      },
      { metrics: { requested: (method, status) => void told.push(`${method} ${status}`) } },
    );
  });
});

spec('watch', (test) => {
  test('yields events until the API server ends it', () =>
    connected(async (fake, connection) => {
      const seen: string[] = [];
      const watching = (async () => {
        const query = { resourceVersion: String(fake.revision) };
        for await (const { type } of connection.watch(NODES, query, new AbortController().signal)) seen.push(type);
      })();
      await eventually('it watches', () => fake.requests.length === 1);
      fake.put('nodes', { metadata: { name: 'ä'.repeat(100_000) } });
      fake.bookmark('nodes');
      await eventually('both came', () => seen.length === 2);
      fake.endWatches();
      await watching;
      assert.equal(seen, ['ADDED', 'BOOKMARK']);
    }));

  test('ends in silence when its signal does', () =>
    connected(async (fake, connection) => {
      const stop = new AbortController();
      const watching = (async () => {
        for await (const _ of connection.watch(NODES, { resourceVersion: '1' }, stop.signal));
      })();
      await eventually('it watches', () => fake.requests.length === 1);
      stop.abort();
      await watching;
    }));

  test('a break is an error', () =>
    connected(async (fake, connection) => {
      const broken = rejection(ApiError, async () => {
        for await (const _ of connection.watch(NODES, { resourceVersion: '1' }, new AbortController().signal));
      });
      await eventually('it watches', () => fake.requests.length === 1);
      await sleep(10);
      fake.cut();
      assert.is((await broken).reason, 'ConnectionFailed');
    }));

  test('an ERROR event is an error with its code', () =>
    connected(async (fake, connection) => {
      fake.compact();
      const error = await rejection(ApiError, async () => {
        for await (const _ of connection.watch(NODES, { resourceVersion: '1' }, new AbortController().signal));
      });
      assert.equal([error.status, error.reason], [410, 'Expired']);
    }));
});
