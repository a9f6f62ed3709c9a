import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { CredentialsError, inClusterCredentials, kubeconfigCredentials } from './credentials.ts';

/** A folder with these files, until the test is over. */
async function inFolder(files: Record<string, string>, body: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-credentials-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const kubeconfig = (cluster: string, user: string): string => `
current-context: here
contexts: [{name: there, context: {cluster: b, user: b}}, {name: here, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: ${cluster}}]
users: [{name: a, user: ${user}}]
`;

spec('credentials', (test) => {
  test('of a pod: service host, CA, and a token that is read again when it was refused', () =>
    inFolder({ 'ca.crt': 'CA', token: 'one\n' }, (folder) => {
      const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
      const credentials = inClusterCredentials(env, folder);
      assert.is(credentials.server.href, 'https://10.96.0.1/');
      assert.is(credentials.tls.ca, 'CA');
      assert.is(credentials.authorization(), 'Bearer one');
      writeFileSync(join(folder, 'token'), 'two');
      assert.is(credentials.authorization(), 'Bearer one');
      credentials.refused();
      assert.is(credentials.authorization(), 'Bearer two');
    }));

  test('of a pod in a cluster of IPv6', () =>
    inFolder({ 'ca.crt': 'CA', token: 'one' }, (folder) => {
      const { server } = inClusterCredentials({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, folder);
      assert.is(server.host, '[fd00::1]');
    }));

  test('outside of a pod there are none', () => rejection(CredentialsError, () => inClusterCredentials({})));

  test('of a kubeconfig with inline certificates', () =>
    inFolder(
      {
        config: kubeconfig(
          `{server: 'https://127.0.0.1:6443', certificate-authority-data: ${base64('CA')}, tls-server-name: api}`,
          `{client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}}`,
        ),
      },
      (folder) => {
        const { server, tls, authorization } = kubeconfigCredentials(join(folder, 'config'));
        assert.is(server.port, '6443');
        assert.equal(tls, { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'api', rejectUnauthorized: true });
        assert.is(authorization(), undefined);
      },
    ));

  test('of a kubeconfig with files beside it, and a token', () =>
    inFolder(
      {
        ca: 'CA',
        token: 'T',
        config: kubeconfig("{server: 'https://a', certificate-authority: ca}", '{tokenFile: token}'),
      },
      (folder) => {
        const { tls, authorization } = kubeconfigCredentials(join(folder, 'config'));
        assert.is(tls.ca, 'CA');
        assert.is(authorization(), 'Bearer T');
      },
    ));

  for (const [name, cluster, user] of [
    ['a plugin', "{server: 'https://a'}", '{exec: {command: aws}}'],
    ['a password', "{server: 'https://a'}", '{username: me, password: secret}'],
    ['a proxy', "{server: 'https://a', proxy-url: 'http://p'}", '{}'],
    ['no server', '{}', '{}'],
  ] as const) {
    test(`a kubeconfig with ${name} is refused`, () =>
      inFolder({ config: kubeconfig(cluster, user) }, (folder) =>
        rejection(CredentialsError, () => kubeconfigCredentials(join(folder, 'config'))),
      ));
  }

  test('a missing kubeconfig is named', async () => {
    const error = await rejection(CredentialsError, () => kubeconfigCredentials('/nowhere/config'));
    assert.ok(error.message.includes('/nowhere/config'));
  });
});
