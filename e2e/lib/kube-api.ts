/** The API server as scenarios see it: plain HTTPS with the lab's kubeconfig, so that timing is ours and not kubectl's. */

import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

/** Any object of the API; scenarios look into it by path. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: { manager: string; operation: string; subresource?: string }[];
  };
  // biome-ignore lint/suspicious/noExplicitAny: the shape is whatever the API server says; assertions check it
  [field: string]: any;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

/** An answer other than 2xx. */
export class KubeApiError extends Error {
  readonly status: number;
  constructor(what: string, status: number, message: string) {
    super(`${what}: ${status} ${message}`);
    this.name = 'KubeApiError';
    this.status = status;
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  IPAddressPool: 'ipaddresspools',
  L2Advertisement: 'l2advertisements',
  BGPPeer: 'bgppeers',
  BGPAdvertisement: 'bgpadvertisements',
  BFDProfile: 'bfdprofiles',
  Community: 'communities',
  ConfigurationState: 'configurationstates',
  ServiceL2Status: 'servicel2statuses',
  PoolSet: 'poolsets',
  AddressReservation: 'addressreservations',
  AddressQuota: 'addressquotas',
  AddressProbe: 'addressprobes',
  ServiceAnnouncement: 'serviceannouncements',
  NodeAnnouncement: 'nodeannouncements',
  Service: 'services',
  Namespace: 'namespaces',
  ConfigMap: 'configmaps',
  Deployment: 'deployments',
  DaemonSet: 'daemonsets',
  Pod: 'pods',
  Node: 'nodes',
  Event: 'events',
  EndpointSlice: 'endpointslices',
  Lease: 'leases',
  CustomResourceDefinition: 'customresourcedefinitions',
};

/** The path of a collection: of a namespace's, or everywhere. */
export function collection(apiVersion: string, kind: string, namespace?: string): string {
  const plural = PLURALS[kind];
  if (plural === undefined) throw new Error(`unknown kind ${kind}`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** The path of one object, as it names itself. */
export function pathOf({ apiVersion = '', kind = '', metadata }: KubeObject): string {
  return `${collection(apiVersion, kind, metadata.namespace)}/${metadata.name}`;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

const CALL_TIMEOUT_MS = 10_000;
const DELETE_TIMEOUT_MS = 120_000;

export class KubeApi {
  readonly #server: URL;
  readonly #agent: Agent;

  /** @param kubeconfig the path of a file with embedded certificates, as kind writes it */
  constructor(kubeconfig: string, { maxSockets = 64 } = {}) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
    const pem = (base64: string): Buffer => Buffer.from(base64, 'base64');
    this.#server = new URL(clusters[0].cluster.server);
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets,
      ca: pem(clusters[0].cluster['certificate-authority-data']),
      cert: pem(users[0].user['client-certificate-data']),
      key: pem(users[0].user['client-key-data']),
    });
  }

  async get<T = KubeObject>(path: string): Promise<T> {
    return JSON.parse(await this.text(path)) as T;
  }

  /** The object, or undefined where there is none. */
  async find(path: string): Promise<KubeObject | undefined> {
    try {
      return await this.get(path);
    } catch (error) {
      if (error instanceof KubeApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<KubeObject[]> {
    return (await this.get<{ items: KubeObject[] }>(path)).items;
  }

  create(object: KubeObject): Promise<KubeObject> {
    const { apiVersion = '', kind = '', metadata } = object;
    return this.#json({ method: 'POST', path: collection(apiVersion, kind, metadata.namespace), body: object });
  }

  /** Creates in the collection at `path`, which may carry a query such as `?dryRun=All`. */
  createAt(path: string, body: unknown): Promise<KubeObject> {
    return this.#json({ method: 'POST', path, body });
  }

  /** Server-side apply as the manager `e2e`. */
  apply(object: KubeObject): Promise<KubeObject> {
    const path = `${pathOf(object)}?fieldManager=e2e&force=true`;
    return this.#json({ method: 'PATCH', path, body: object, contentType: 'application/apply-patch+yaml' });
  }

  /** Server-side apply to a subresource; the query names the manager. */
  applyAt(path: string, body: unknown): Promise<KubeObject> {
    return this.#json({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' });
  }

  /** JSON merge patch. */
  patch(path: string, body: unknown): Promise<KubeObject> {
    return this.#json({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  }

  replace(path: string, body: unknown): Promise<KubeObject> {
    return this.#json({ method: 'PUT', path, body });
  }

  /** Deletes; what is not there is no error. */
  async delete(path: string, body?: unknown): Promise<void> {
    try {
      // A whole collection may take the API server its time.
      const signal = AbortSignal.timeout(DELETE_TIMEOUT_MS);
      await this.#read({ method: 'DELETE', path, signal, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      if (!(error instanceof KubeApiError && error.status === 404)) throw error;
    }
  }

  text(path: string): Promise<string> {
    return this.#read({ method: 'GET', path });
  }

  /** Calls back for each event until the signal, or until the connection ends; resolves then. */
  async watch(path: string, resourceVersion: string, signal: AbortSignal, onEvent: (event: WatchEvent) => void) {
    const separator = path.includes('?') ? '&' : '?';
    const query = `watch=1&resourceVersion=${resourceVersion}`;
    const response = await this.#send({ method: 'GET', path: `${path}${separator}${query}`, signal });
    let rest = '';
    response.setEncoding('utf8');
    for await (const text of response) {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line) onEvent(JSON.parse(line) as WatchEvent);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #json(call: Call): Promise<KubeObject> {
    return JSON.parse(await this.#read(call)) as KubeObject;
  }

  async #read(call: Call): Promise<string> {
    const response = await this.#send({ ...call, signal: call.signal ?? AbortSignal.timeout(CALL_TIMEOUT_MS) });
    return textOf(response);
  }

  #send({ method, path, body, contentType = 'application/json', signal }: Call): Promise<IncomingMessage> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    // Without a length Node sends the body of a DELETE unframed, and it would be read as the next request.
    const headers =
      content === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(content) };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, this.#server), {
        method,
        agent: this.#agent,
        headers,
        ...(signal ? { signal } : {}),
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const status = response.statusCode ?? 0;
        if (status >= 200 && status < 300) {
          resolve(response);
          return;
        }
        const fail = (text: string): void => reject(new KubeApiError(`${method} ${path}`, status, messageOf(text)));
        textOf(response).then(fail, reject);
      });
      sent.end(content);
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.slice(0, 300);
  }
}
