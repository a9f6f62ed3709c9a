import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { AddressServer, type AddressServerOptions } from '../../testing/address-server.ts';
import { ip } from '../../testing/allocation.ts';
import { rejection, spec } from '../../testing/spec.ts';
import { formatIp } from '../net/address.ts';
import { selfSignedCertificate } from '../observability/self-signed.ts';
import { type ClaimRequest, SourceError } from './address-source.ts';
import { HttpSource, type HttpSourceOptions } from './http-source.ts';

const SIGNAL = new AbortController().signal;
const TOKEN = 'c2VjcmV0-of-the-source';
const request = (id: string, more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  id,
  cluster: 'cluster-1',
  pool: 'herald-system/office',
  family: 4,
  service: { namespace: 'shop', name: 'web', uid: `uid-${id}` },
  order: '5',
  within: ['192.0.2.0/24'],
  ...more,
});

async function withServer(
  options: Partial<AddressServerOptions & HttpSourceOptions>,
  body: (source: HttpSource, server: AddressServer) => Promise<void>,
): Promise<void> {
  const { token, timeoutMs = 2_000, ...rest } = options;
  const addresses = ['192.0.2.10', '192.0.2.11', '2001:db8::10'];
  const server = await new AddressServer({ addresses, ...(token !== undefined && { token: TOKEN }), ...rest }).start();
  const source = new HttpSource({ url: server.url, timeoutMs, token, ...rest });
  try {
    await body(source, server);
  } finally {
    source.close();
    await server.stop();
  }
}

/** In words what came of a claim. */
async function claimed(source: HttpSource, id: string, more: Partial<ClaimRequest> = {}): Promise<string> {
  const answer = await source.claim(request(id, more), SIGNAL);
  return answer.outcome === 'Granted' ? formatIp(answer.address) : `refused: ${answer.message}`;
}

/** A server that says one thing to everything. */
async function saying(status: number, body: string, run: (source: HttpSource) => Promise<void>): Promise<void> {
  const server = createServer((_: IncomingMessage, response) => {
    response.writeHead(status, { 'retry-after': '7', location: 'http://127.0.0.1:1/elsewhere' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const source = new HttpSource({ url: `http://127.0.0.1:${port}`, timeoutMs: 2_000, token: TOKEN });
  try {
    await run(source);
  } finally {
    source.close();
    server.close();
  }
}

spec('an external source over HTTP', (test) => {
  test('gives an address, the same one whenever the claim is repeated, and takes it back', () =>
    withServer({}, async (source, server) => {
      assert.is(await claimed(source, 'a'), '192.0.2.10');
      assert.is(await claimed(source, 'a', { order: '6' }), '192.0.2.10');
      assert.is(await claimed(source, 'b', { address: ip('192.0.2.11') }), '192.0.2.11');
      assert.is(await claimed(source, 'c', { family: 6, within: ['2001:db8::/64'] }), '2001:db8::10');
      assert.is(await claimed(source, 'd'), 'refused: no address is free');
      await source.release('a', '7', SIGNAL);
      await source.release('a', '8', SIGNAL);
      assert.is(await claimed(source, 'd'), '192.0.2.10');
      assert.equal([...server.claims.keys()].sort(), ['b', 'c', 'd']);
    }));

  test('lists the claims of a cluster, page by page', () =>
    withServer({ pageSize: 2 }, async (source) => {
      for (const [id, family] of [
        ['a', 4],
        ['b', 4],
        ['c', 6],
      ] as const)
        await source.claim(request(id, { family }), SIGNAL);
      const listed = await source.list('cluster-1', SIGNAL);
      assert.equal(
        listed.map(({ id, family, address, service: { uid } }) => `${id} ${family} ${formatIp(address)} ${uid}`),
        ['a 4 192.0.2.10 uid-a', 'b 4 192.0.2.11 uid-b', 'c 6 2001:db8::10 uid-c'],
      );
      assert.equal(await source.list('cluster-2', SIGNAL), []);
    }));

  test('does nothing that is older than the last word about a claim', () =>
    withServer({}, async (source, server) => {
      await source.claim(request('a', { order: '0007-3' }), SIGNAL);
      const late = await rejection(SourceError, () => source.release('a', '0007-2', SIGNAL));
      assert.equal([late.reason, late.order], ['Outdated', '0007-3']);
      const later = await rejection(SourceError, () => source.claim(request('a', { order: '0006-9' }), SIGNAL));
      assert.is(later.reason, 'Outdated');
      assert.is(server.claims.size, 1);
    }));

  test('is told apart by why it failed', () =>
    withServer({}, async (source, server) => {
      const reasons: string[] = [];
      for (const mode of ['down', 'error', 'lost', 'garbage', 'endless'] as const) {
        server.fault = { mode };
        const { reason } = await rejection(SourceError, () => source.claim(request(mode), SIGNAL));
        reasons.push(`${mode} ${reason}`);
      }
      const said = ['down Unreachable', 'error Failed', 'lost Unreachable', 'garbage BadAnswer', 'endless BadAnswer'];
      assert.equal(reasons, said);
      const endless = await rejection(SourceError, () => source.claim(request('endless'), SIGNAL));
      assert.match(endless.message, /something of more than 1048576 octets$/);
      await server.stop();
      const { reason, message } = await rejection(SourceError, () => source.list('cluster-1', SIGNAL));
      assert.is(reason, 'Unreachable');
      assert.match(message, /ECONNREFUSED/);
    }));

  test('is waited for as long as the pool says', () =>
    withServer({ timeoutMs: 100 }, async (source, server) => {
      for (const mode of ['late', 'slow'] as const) {
        server.fault = { mode, delayMs: 300 };
        const { reason, message } = await rejection(SourceError, () => source.claim(request(mode), SIGNAL));
        assert.equal([reason, message], ['Timeout', 'PUT of a claim was not answered within 100 ms']);
      }
    }));

  test('never has its token in an error, and gets it only at its own address', async () => {
    await withServer({ token: 'wrong-words' }, async (source) => {
      const error = await rejection(SourceError, () => source.claim(request('a'), SIGNAL));
      assert.is(error.reason, 'Unauthorized');
      assert.not.match(JSON.stringify({ ...error, message: error.message, stack: error.stack }), /wrong-words/);
    });
    await withServer({ token: TOKEN }, async (source) => assert.is(await claimed(source, 'a'), '192.0.2.10'));
    await saying(307, '', async (source) => {
      const { reason, message } = await rejection(SourceError, () => source.claim(request('a'), SIGNAL));
      assert.equal([reason, message], ['BadAnswer', 'PUT of a claim was answered with 307']);
    });
  });

  test('may say what it likes, and one short line of it is shown', async () => {
    const words = `no\nroom\u001b[31m ${'x'.repeat(1_000)}`;
    await saying(422, JSON.stringify({ message: words }), async (source) => {
      const said = await claimed(source, 'a');
      assert.match(said, /^refused: no room \[31m x+…$/);
      assert.ok(said.length <= 'refused: '.length + 256);
    });
    await saying(409, '', async (source) => assert.is(await claimed(source, 'a'), 'refused: it says 409 and no more'));
    await saying(503, 'busy', async (source) => {
      const { reason, retryAfterMs } = await rejection(SourceError, () => source.claim(request('a'), SIGNAL));
      assert.equal([reason, retryAfterMs], ['Failed', 7_000]);
    });
  });

  test('is believed only when it says what the protocol knows', async () => {
    for (const body of ['{"address": "192.0.2.999"}', '{"address": 7}', '[]', 'null', '{"address": "192.0.2.1/24"}'])
      await saying(200, body, async (source) => {
        const { reason } = await rejection(SourceError, () => source.claim(request('a'), SIGNAL));
        assert.is(reason, 'BadAnswer', body);
      });
    for (const body of ['{}', '{"claims": [{"id": "a"}]}', '{"claims": [], "next": 3}'])
      await saying(200, body, async (source) => {
        const { reason } = await rejection(SourceError, () => source.list('cluster-1', SIGNAL));
        assert.is(reason, 'BadAnswer', body);
      });
    await saying(200, '{"claims": [], "next": "again"}', async (source) => {
      const { message } = await rejection(SourceError, () => source.list('cluster-1', SIGNAL));
      assert.match(message, /more than 100 pages/);
    });
  });

  test('speaks TLS to who has a certificate of the CA that the Secret names, and to nobody else', async () => {
    const { cert, key } = selfSignedCertificate(['localhost'], new Date());
    const server = createTlsServer({ cert, key }, (_, response) => response.end('{"address": "192.0.2.10"}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const sources = [cert, undefined, selfSignedCertificate(['localhost'], new Date()).cert].map(
      (ca) => new HttpSource({ url, timeoutMs: 2_000, ca }),
    );
    const [trusting, careful, deceived] = sources as [HttpSource, HttpSource, HttpSource];
    try {
      assert.is(await claimed(trusting, 'a'), '192.0.2.10');
      for (const source of [careful, deceived]) {
        const { reason, message } = await rejection(SourceError, () => claimed(source, 'a'));
        assert.is(reason, 'Unreachable');
        assert.match(message, /certificate/);
      }
    } finally {
      for (const source of sources) source.close();
      server.close();
    }
  });

  test('hears nothing from who may not write any more', () => {
    const guard = () => {
      throw new TypeError('deposed');
    };
    return withServer({ guard }, async (source, server) => {
      await rejection(TypeError, () => source.claim(request('a'), SIGNAL));
      assert.equal(server.done, []);
    });
  });

  test('is left at once by who is told to stop', () =>
    withServer({}, async (source, server) => {
      server.fault = { mode: 'slow', delayMs: 1_000 };
      const stop = new AbortController();
      const ended = rejection(RangeError, () => source.claim(request('a'), stop.signal));
      stop.abort(new RangeError('the term has ended'));
      await ended;
    }));
});
