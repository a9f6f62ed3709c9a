import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { type RunningServer, startHealthServer, startMetricsServer } from './http.ts';
import { createLogger } from './log.ts';
import { MetricsAccess, type ReviewConnection } from './metrics-access.ts';
import { createRegistry } from './registry.ts';

const log = createLogger({ level: 'none' });
const host = '127.0.0.1';

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const request = url.startsWith('https') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      let body = '';
      response.on('data', (chunk) => (body += chunk)).on('end', () => resolve({ status: response.statusCode, body }));
    };
    request(url, { headers, rejectUnauthorized: false, agent: false }, onResponse).on('error', reject).end();
  });
}

/** An API server that knows one token and one user who may read metrics; it counts what it is asked. */
function reviewer(
  allowed: readonly string[] = ['prometheus'],
): ReviewConnection & { asked: { path: string; spec: unknown }[] } {
  const asked: { path: string; spec: unknown }[] = [];
  return {
    asked,
    request: async <T>({ path, body }: { path: string; body: unknown }): Promise<T> => {
      const { spec: asks } = body as { spec: { token?: string; user?: string } };
      asked.push({ path, spec: asks });
      if (asks.token === 'broken') throw new Error('no API server');
      const status =
        asks.token === undefined
          ? { allowed: allowed.includes(asks.user ?? '') }
          : { authenticated: !asks.token.startsWith('bad'), user: { username: asks.token, groups: ['g'], uid: 'u' } };
      return { status } as T;
    },
  };
}

/** Uses a server and closes it whatever happens: one left open would keep a failed test from ending. */
async function using(starting: Promise<RunningServer>, use: (port: number) => Promise<void>): Promise<void> {
  const server = await starting;
  try {
    await use(server.port);
  } finally {
    await server.close();
    await server.close();
  }
}

spec('health server', (test) => {
  test('answers alive and ready, and says why not', async () => {
    let [ready, alive] = [{ ready: false, why: 'the informer of services has not synced' } as { ready: boolean }, true];
    await using(startHealthServer({ port: 0, host, isReady: () => ready, isAlive: () => alive }), async (port) => {
      const at = `http://${host}:${port}`;
      assert.equal(await get(`${at}/healthz`), { status: 200, body: 'ok\n' });
      assert.equal(await get(`${at}/readyz`), {
        status: 503,
        body: 'not ready: the informer of services has not synced\n',
      });
      [ready, alive] = [{ ready: true }, false];
      assert.equal(await get(`${at}/readyz?verbose`), { status: 200, body: 'ok\n' });
      assert.is((await get(`${at}/healthz`)).status, 503);
      ready = { ready: true, why: 'CRDsNotOurs' } as { ready: boolean };
      assert.equal(await get(`${at}/readyz`), { status: 200, body: 'ok, but CRDsNotOurs\n' });
      for (const target of ['/metrics', '//', '/%']) assert.is((await get(`${at}${target}`)).status, 404);
    });
  });

  test('names the port that is taken', async () => {
    const start = (port: number): Promise<RunningServer> =>
      startHealthServer({ port, host, isReady: () => ({ ready: true }) });
    await using(start(0), async (port) => {
      const error = await rejection(Error, () => start(port));
      assert.is(error.message, `cannot listen on port ${port}`);
      assert.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
    });
  });
});

spec('metrics server', (test) => {
  test('is plain on a loopback address', async () => {
    const options = { port: 0, host, registry: createRegistry('1.2.3'), connection: reviewer(), log };
    await using(startMetricsServer(options), async (port) => {
      const { status, body } = await get(`http://${host}:${port}/metrics`);
      assert.is(status, 200);
      assert.match(body, `herald_build_info{version="1.2.3",node_version="${process.version}"} 1`);
      assert.match(body, 'nodejs_eventloop_lag_seconds');
    });
  });

  test('elsewhere speaks TLS and asks the API server about the bearer', async () => {
    const connection = reviewer();
    const options = { port: 0, registry: createRegistry('1'), connection, log };
    await using(startMetricsServer(options), async (port) => {
      const statusFor = async (token?: string): Promise<number | undefined> =>
        (await get(`https://${host}:${port}/metrics`, token ? { authorization: `Bearer ${token}` } : {})).status;
      assert.is(await statusFor(), 401);
      assert.is(connection.asked.length, 0);
      assert.is(await statusFor('bad-token'), 401);
      assert.is(await statusFor('somebody'), 403);
      assert.is(await statusFor('broken'), 503);
      assert.is(await statusFor('prometheus'), 200);
      assert.equal(connection.asked.at(-2), {
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        spec: { token: 'prometheus' },
      });
      assert.equal(connection.asked.at(-1), {
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        spec: { user: 'prometheus', uid: 'u', groups: ['g'], nonResourceAttributes: { path: '/metrics', verb: 'get' } },
      });
      await rejection(Error, () => get(`http://${host}:${port}/metrics`));
    });
  });
});

spec('metrics access', (test) => {
  test('remembers an answer for a minute, and not a failure', async () => {
    let now = 0;
    const connection = reviewer();
    const access = new MetricsAccess({ connection, log, now: () => now });
    for (const expected of [2, 2]) {
      assert.is(await access.decide('Bearer prometheus'), 'Allowed');
      assert.is(connection.asked.length, expected);
    }
    now = 60_001;
    await access.decide('Bearer prometheus');
    assert.is(connection.asked.length, 4);
    await access.decide('Bearer broken');
    await access.decide('Bearer broken');
    assert.is(connection.asked.length, 6);
  });

  test('lets strangers make only few requests at once', async () => {
    const waiting: (() => void)[] = [];
    const connection: ReviewConnection = {
      request: <T>() => new Promise<T>((resolve) => waiting.push(() => resolve({} as T))),
    };
    const access = new MetricsAccess({ connection, log });
    const decisions = Array.from({ length: 10 }, (_, at) => access.decide(`Bearer t${at}`));
    assert.is(waiting.length, 4);
    for (const release of waiting) release();
    const counted = (await Promise.all(decisions)).filter((decision) => decision === 'Unavailable').length;
    assert.is(counted, 6);
  });
});
