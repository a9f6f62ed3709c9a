import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { CredentialsError } from './credentials.ts';
import { personCredentials } from './person-credentials.ts';

async function inFolder(files: Record<string, string>, body: (folder: string) => unknown): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-person-'));
  try {
    mkdirSync(join(folder, '.kube'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o755 });
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const kubeconfig = (name: string, user: string): string => `
current-context: ${name}
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}}}, {name: other, context: {cluster: ${name}, user: nobody}}]
clusters: [{name: ${name}, cluster: {server: 'https://${name}.test:6443'}}]
users: [{name: ${name}, user: ${user}}]
`;
/** A credential plugin that tells whether it was told what kubectl tells. */
const PLUGIN = `#!/bin/sh
case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) token=from-$1 ;; *) token=untold ;; esac
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$token'"}}'
`;

spec('credentials of a person', (test) => {
  test('are those of ~/.kube/config where nothing is said', () =>
    inFolder({ '.kube/config': kubeconfig('home', '{token: t}') }, async (HOME) => {
      const credentials = await personCredentials({}, { HOME });
      assert.is(credentials.server.href, 'https://home.test:6443/');
      assert.is(credentials.authorization(), 'Bearer t');
    }));

  test('are those of KUBECONFIG before that, and of the flag before both; a context may be chosen', () =>
    inFolder({ a: kubeconfig('a', '{token: t}'), b: kubeconfig('b', '{token: u}') }, async (folder) => {
      const env = { HOME: folder, KUBECONFIG: join(folder, 'a') };
      assert.is((await personCredentials({}, env)).server.hostname, 'a.test');
      assert.is((await personCredentials({ kubeconfig: join(folder, 'b') }, env)).server.hostname, 'b.test');
      assert.is((await personCredentials({ context: 'other' }, env)).authorization(), undefined);
    }));

  test('come from several files merged, and a missing one is left out', () =>
    inFolder({ a: kubeconfig('a', '{token: t}'), b: kubeconfig('b', '{token: u}') }, async (folder) => {
      const KUBECONFIG = ['a', 'missing', 'b'].map((name) => join(folder, name)).join(delimiter);
      const credentials = await personCredentials({ context: 'b' }, { HOME: folder, KUBECONFIG });
      assert.is(credentials.server.hostname, 'b.test');
      assert.is(credentials.authorization(), 'Bearer u');
    }));

  test('come from a plugin, which is told what kubectl tells', () =>
    inFolder({ plugin: PLUGIN }, async (folder) => {
      const exec = `{apiVersion: client.authentication.k8s.io/v1, command: ${join(folder, 'plugin')}, args: [plugin], interactiveMode: Never}`;
      const path = join(folder, 'c');
      writeFileSync(path, kubeconfig('c', `{exec: ${exec}}`));
      const credentials = await personCredentials({ kubeconfig: path }, {});
      assert.is(credentials.authorization(), 'Bearer from-plugin');
      assert.is(credentials.server.hostname, 'c.test');
    }));

  test('may be a name and a password', () =>
    inFolder({ a: kubeconfig('a', '{username: me, password: secret}') }, async (folder) => {
      const credentials = await personCredentials({ kubeconfig: join(folder, 'a') }, {});
      assert.is(credentials.authorization(), `Basic ${Buffer.from('me:secret').toString('base64')}`);
    }));

  test('are refused by one sentence that says where', () =>
    inFolder(
      {
        a: kubeconfig('a', '{token: t}'),
        yaml: 'contexts: [',
        failing: kubeconfig('f', '{exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/at-all}}'),
      },
      async (folder) => {
        const says = async (choice: { kubeconfig?: string; context?: string }, env = {}): Promise<string> =>
          (await rejection(CredentialsError, () => personCredentials(choice, { HOME: '/nowhere', ...env }))).message;
        assert.match(await says({}), 'there is no ~/.kube/config; set KUBECONFIG or --kubeconfig');
        assert.match(await says({ kubeconfig: '/nowhere/x' }), '/nowhere/x cannot be read');
        assert.match(await says({ kubeconfig: join(folder, 'yaml') }), 'is no kubeconfig');
        assert.match(await says({ kubeconfig: join(folder, 'a'), context: 'x' }), 'has no context x: it has a, other');
        assert.match(await says({}, { KUBECONFIG: `/nowhere/x${delimiter}/nowhere/y` }), 'none of them exists');
        assert.match(await says({ kubeconfig: join(folder, 'failing') }), /no credentials: .*ENOENT/);
      },
    ));
});
