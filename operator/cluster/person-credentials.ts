/** How a person reaches the API server: as kubectl does, from a flag, KUBECONFIG, ~/.kube/config, or the pod. */

import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import {
  type Credentials,
  CredentialsError,
  inClusterCredentials,
  kubeconfigCredentials,
  PluginNeededError,
} from './credentials.ts';

/** What may be chosen; nothing chosen is what kubectl would take. */
export interface CredentialsChoice {
  /** A path, or several as in KUBECONFIG. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** @throws {CredentialsError} with a sentence for people */
export async function personCredentials(
  { kubeconfig, context }: CredentialsChoice,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Credentials> {
  const paths = pathsOf(kubeconfig, env);
  const [only] = paths;
  if (only === undefined) {
    if (env['KUBERNETES_SERVICE_HOST']) return inClusterCredentials(env);
    throw new CredentialsError('no way to the cluster: there is no ~/.kube/config; set KUBECONFIG or --kubeconfig');
  }
  if (paths.length > 1) return libraryCredentials(paths, context);
  try {
    return kubeconfigCredentials(only, context);
  } catch (error) {
    if (!(error instanceof PluginNeededError)) throw error;
    return libraryCredentials(paths, context);
  }
}

/** Files of a list that are missing are left out, as kubectl does; a single one must be there. */
function pathsOf(kubeconfig: string | undefined, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const named = (kubeconfig ?? env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  if (named.length === 1) return named;
  const there = named.filter((path) => existsSync(path));
  if (named.length > 0 && there.length === 0) throw new CredentialsError(`${named.join(', ')}: none of them exists`);
  if (there.length > 0) return there;
  const usual = join(env['HOME'] ?? homedir(), '.kube', 'config');
  return existsSync(usual) ? [usual] : [];
}

/**
 * Credential plugins, passwords and merged files: what the client library knows.
 *
 * Loaded only when needed, because loading it takes longer than all that a command does.
 */
async function libraryCredentials(paths: readonly string[], context: string | undefined): Promise<Credentials> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const place = paths.join(delimiter);
  try {
    for (const [at, path] of paths.entries()) {
      if (at === 0) config.loadFromFile(path);
      else {
        const more = new KubeConfig();
        more.loadFromFile(path);
        config.mergeConfig(withoutKnown(more, config), true);
      }
    }
  } catch (cause) {
    throw new CredentialsError(`${place} cannot be used: ${(cause as Error).message}`, { cause });
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  const known = config.getContexts().map(({ name }) => name);
  if (!cluster)
    throw new CredentialsError(`${place} has no context ${config.getCurrentContext()}: it has ${known.join(', ')}`);
  if (cluster.proxyUrl) throw new CredentialsError(`${place}: proxy-url is not supported: use kubectl proxy`);
  tellExecInfo(config.getCurrentUser()?.exec);
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new CredentialsError(`${place}: no credentials: ${(cause as Error).message.trim()}`, { cause });
  }
  return credentialsOf(new URL(cluster.server), options);
}

/** Of two that bear one name the first file's counts, as with kubectl; the library refuses them. */
function withoutKnown(more: KubeConfig, known: KubeConfig): KubeConfig {
  const isNew =
    (list: readonly { readonly name: string }[]) =>
    ({ name }: { readonly name: string }): boolean =>
      !list.some((one) => one.name === name);
  more.clusters = more.clusters.filter(isNew(known.clusters));
  more.users = more.users.filter(isNew(known.users));
  more.contexts = more.contexts.filter(isNew(known.contexts));
  return more;
}

/** client-go always sets it, and plugins may refuse to work without (client.authentication.k8s.io/v1). */
function tellExecInfo(exec: { env?: { name: string; value: string }[]; apiVersion?: string } | undefined): void {
  if (!exec) return;
  const { apiVersion = 'client.authentication.k8s.io/v1' } = exec;
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
}

function credentialsOf(
  server: URL,
  { ca, cert, key, servername, auth, headers, ...rest }: RequestOptions,
): Credentials {
  const text = (value: unknown): string | undefined => (value ? String(value) : undefined);
  const { Authorization } = (headers ?? {}) as { readonly Authorization?: string };
  const authorization = Authorization ?? (auth ? `Basic ${Buffer.from(auth).toString('base64')}` : undefined);
  return {
    server,
    tls: {
      ca: text(ca),
      cert: text(cert),
      key: text(key),
      servername,
      rejectUnauthorized: rest.rejectUnauthorized ?? true,
    },
    authorization: () => authorization,
    // A command is over before its credentials are.
    refused: () => undefined,
  };
}
