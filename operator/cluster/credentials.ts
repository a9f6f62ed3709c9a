/** Where the API server is and how we prove who we are: from a pod's service account, or from a kubeconfig. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

export interface Credentials {
  readonly server: URL;
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
    readonly servername?: string | undefined;
    readonly rejectUnauthorized?: boolean | undefined;
  };
  /** The value of the Authorization header; undefined where a client certificate speaks for us. */
  authorization(): string | undefined;
  /** Says that the API server did not accept the last authorization: the next one is read anew. */
  refused(): void;
}

/** No way to the API server can be made of what is configured. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
  readonly reason = 'CredentialsError';
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews a token long before it ends; client-go reads it again as often. */
const TOKEN_KEPT_MS = 60_000;

/** The credentials of the pod that we run in. @throws {CredentialsError} outside of one */
export function inClusterCredentials(env: NodeJS.ProcessEnv = process.env, folder = SERVICE_ACCOUNT): Credentials {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (!host) throw new CredentialsError('not in a pod: KUBERNETES_SERVICE_HOST is not set');
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    tls: { ca: read(`${folder}/ca.crt`) },
    ...tokenFrom(`${folder}/token`),
  };
}

/** A token that lives in a file and changes there. */
function tokenFrom(path: string): Pick<Credentials, 'authorization' | 'refused'> {
  let token = read(path).trim();
  let readAt = performance.now();
  return {
    authorization() {
      if (performance.now() - readAt > TOKEN_KEPT_MS) {
        token = read(path).trim();
        readAt = performance.now();
      }
      return `Bearer ${token}`;
    },
    refused() {
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}

interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly exec?: unknown;
  readonly 'auth-provider'?: unknown;
  readonly username?: string;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { readonly name: string; readonly context: { cluster: string; user: string } }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[];
  readonly users?: readonly { readonly name: string; readonly user: KubeconfigUser }[];
}

/** The user of the kubeconfig gets its credentials from a program, a provider or a password. */
export class PluginNeededError extends CredentialsError {}

/**
 * The credentials of a context of a kubeconfig.
 *
 * @param chosen a context; without it the current one @throws {CredentialsError} for what it cannot use
 */
export function kubeconfigCredentials(path: string, chosen?: string): Credentials {
  const { 'current-context': current, contexts, clusters, users } = kubeconfigOf(path);
  const wanted = chosen ?? current;
  const context = contexts?.find(({ name }) => name === wanted)?.context;
  if (!context) throw new CredentialsError(missingContext(path, chosen, contexts));
  const cluster = clusters?.find(({ name }) => name === context.cluster)?.cluster;
  const user = users?.find(({ name }) => name === context.user)?.user ?? {};
  if (!cluster?.server) throw new CredentialsError(`${path}: context ${wanted} names no cluster with a server`);
  if (cluster['proxy-url']) throw new CredentialsError(`${path}: proxy-url is not supported: use kubectl proxy`);
  if (user.exec || user['auth-provider'] || user.username)
    throw new PluginNeededError(`${path}: only client certificates and tokens are supported`);
  const data = (inline: string | undefined, file: string | undefined): string | undefined =>
    inline ? Buffer.from(inline, 'base64').toString() : file && read(resolve(dirname(path), file));
  return {
    server: new URL(cluster.server),
    tls: {
      ca: data(cluster['certificate-authority-data'], cluster['certificate-authority']),
      cert: data(user['client-certificate-data'], user['client-certificate']),
      key: data(user['client-key-data'], user['client-key']),
      servername: cluster['tls-server-name'],
      rejectUnauthorized: !cluster['insecure-skip-tls-verify'],
    },
    ...authorizationOf(user, dirname(path)),
  };
}

function kubeconfigOf(path: string): Kubeconfig {
  const text = read(path);
  try {
    return (parse(text) ?? {}) as Kubeconfig;
  } catch (cause) {
    throw new CredentialsError(`${path} is no kubeconfig: it is not YAML`, { cause });
  }
}

function missingContext(path: string, chosen: string | undefined, contexts: Kubeconfig['contexts'] = []): string {
  const known = contexts.map(({ name }) => name).join(', ');
  const there = known === '' ? 'it has none' : `it has ${known}`;
  return chosen === undefined
    ? `${path} names no current context: ${there}`
    : `${path} has no context ${chosen}: ${there}`;
}

function authorizationOf({ token, tokenFile }: KubeconfigUser, folder: string) {
  if (tokenFile) return tokenFrom(resolve(folder, tokenFile));
  return { authorization: () => (token ? `Bearer ${token}` : undefined), refused: () => undefined };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CredentialsError(`${path} cannot be read`, { cause });
  }
}
