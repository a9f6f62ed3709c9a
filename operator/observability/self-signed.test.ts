import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { selfSignedCertificate } from './self-signed.ts';

spec('self-signed certificate', (test) => {
  const now = new Date('2026-05-01T12:00:00.000Z');
  const names = ['herald', 'herald-operator.herald-system.svc'] as const;

  test('is read back with its names, validity and signature', () => {
    const { cert } = selfSignedCertificate(names, now);
    const read = new X509Certificate(cert);
    assert.is(read.subject, 'CN=herald');
    assert.is(read.issuer, 'CN=herald');
    assert.is(read.subjectAltName, 'DNS:herald, DNS:herald-operator.herald-system.svc');
    assert.is(new Date(read.validFrom).toISOString(), '2026-04-30T12:00:00.000Z');
    assert.ok(new Date(read.validTo) > new Date('2036-04-01T00:00:00.000Z'));
    assert.is(read.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.ok(read.verify(read.publicKey));
    assert.is(read.checkHost('herald-operator.herald-system.svc'), 'herald-operator.herald-system.svc');
  });

  test('matches its key and no other', () => {
    const [one, other] = [selfSignedCertificate(names, now), selfSignedCertificate(names, now)];
    const read = new X509Certificate(one.cert);
    assert.not.ok(read.verify(new X509Certificate(other.cert).publicKey));
    assert.not.equal(read.serialNumber, new X509Certificate(other.cert).serialNumber);
  });

  test('is short enough and long enough for every length form', () => {
    for (const length of [1, 60, 120, 130, 250, 260, 1000]) {
      const read = new X509Certificate(selfSignedCertificate(['herald', 'x'.repeat(length)], now).cert);
      assert.is(read.subjectAltName, `DNS:herald, DNS:${'x'.repeat(length)}`);
    }
  });

  test('carries a TLS 1.3 connection of a client that trusts it', async () => {
    const pair = selfSignedCertificate(['localhost'], new Date());
    const server = createServer({ ...pair, minVersion: 'TLSv1.3' }, (_, response) => response.end('served'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    const { port } = server.address() as { port: number };
    const status = await new Promise((resolve, reject) => {
      const options = { port, host: '127.0.0.1', servername: 'localhost', ca: pair.cert, agent: false as const };
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    server.close();
    assert.is(status, 200);
  });
});
