/**
 * An API server in memory, over real HTTP: lists in pages, watches, resourceVersions, conflicts, and the faults that a
 * test asks for. It knows no kinds: a collection is whatever was put into it.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, HttpConnection } from '../api-connection.ts';
import type { KubernetesObject } from '../objects.ts';

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';
interface HistoryEntry {
  readonly revision: number;
  readonly collection: string;
  readonly type: EventType;
  readonly object: KubernetesObject;
}

/** A refusal that the next requests get. */
interface Fault {
  left: number;
  readonly status: number;
  readonly reason: string;
}

const PATH = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z0-9]+)(?:\/([^/]+))?(?:\/status)?$/;

export class FakeApiServer {
  readonly #server: Server;
  readonly #objects = new Map<string, Map<string, KubernetesObject>>();
  readonly #history: HistoryEntry[] = [];
  readonly #watches = new Set<{ readonly collection: string; readonly response: ServerResponse }>();
  readonly #unserved = new Set<string>();
  #revision = 100;
  #compacted = 0;
  #fault: Fault | undefined;
  #isDown = false;
  /** What watches will be sent once they are no longer held back. */
  #heldBack: (() => void)[] | undefined;
  /** What was asked, in order: `GET services`, `WATCH services 103`, `PUT leases/a 409`. */
  readonly requests: string[] = [];
  /** The headers of the last request. */
  headers: IncomingMessage['headers'] = {};
  /** Holds back every answer until it resolves. */
  before: (request: string) => Promise<void> | void = () => undefined;
  /** Holds back the answer to a list that has been read already. */
  lag: () => Promise<void> | void = () => undefined;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeApiServer> {
    const fake = new FakeApiServer();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    fake.#server.unref();
    return fake;
  }

  get url(): URL {
    const { port } = this.#server.address() as AddressInfo;
    return new URL(`http://127.0.0.1:${port}`);
  }

  connect(options: ConnectionOptions = {}): HttpConnection {
    return new HttpConnection(
      { server: this.url, tls: {}, authorization: () => 'Bearer t0ken', refused: () => undefined },
      options,
    );
  }

  get revision(): number {
    return this.#revision;
  }

  /** Creates or replaces an object as another client would. */
  put<T extends KubernetesObject>(plural: string, object: T): T {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const collection = this.#collection(plural);
    const before = collection.get(key);
    this.#revision += 1;
    const metadata = {
      uid: before?.metadata.uid ?? `uid-${this.#revision}`,
      ...object.metadata,
      resourceVersion: String(this.#revision),
    };
    const stored = { ...object, metadata };
    collection.set(key, stored);
    this.#record(plural, before ? 'MODIFIED' : 'ADDED', stored);
    return stored;
  }

  get(plural: string, name: string, namespace = ''): KubernetesObject | undefined {
    return this.#collection(plural).get(`${namespace}/${name}`);
  }

  delete(plural: string, name: string, namespace = ''): void {
    const collection = this.#collection(plural);
    const object = collection.get(`${namespace}/${name}`);
    if (!object) return;
    collection.delete(`${namespace}/${name}`);
    this.#revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    this.#record(plural, 'DELETED', { ...object, metadata });
  }

  /** Forgets the history: a watch from before gets 410. */
  compact(): void {
    this.#compacted = this.#revision;
    this.#history.length = 0;
  }

  /** Breaks every connection that is open. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Accepts connections and breaks them, until `up`. */
  down(): void {
    this.#isDown = true;
    this.cut();
  }

  up(): void {
    this.#isDown = false;
  }

  /** Refuses the next `count` requests. */
  refuse(count: number, status: number, reason: string): void {
    this.#fault = { left: count, status, reason };
  }

  /** Answers 404 for a kind, and ends its watches, as when its CRD goes. */
  unserve(plural: string): void {
    this.#unserved.add(plural);
    for (const { collection, response } of this.#watches) if (collection === plural) response.end();
  }

  serve(plural: string): void {
    this.#unserved.delete(plural);
  }

  /** Ends the watches of a kind as the API server does after some minutes. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  /** Holds back what watches would be sent, until `release`: a watch that lags behind lists. */
  holdBack(): void {
    this.#heldBack = [];
  }

  release(): void {
    const held = this.#heldBack ?? [];
    this.#heldBack = undefined;
    for (const deliver of held) deliver();
  }

  bookmark(plural: string): void {
    this.#revision += 1;
    const object = { metadata: { resourceVersion: String(this.#revision) } };
    for (const { collection, response } of this.#watches) {
      if (collection === plural) response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  /** All that it holds, one line each. */
  toString(): string {
    return [...this.#objects]
      .flatMap(([plural, objects]) =>
        [...objects].map(([key, { metadata }]) => `${plural} ${key} @${metadata.resourceVersion}`),
      )
      .join('\n');
  }

  #collection(plural: string): Map<string, KubernetesObject> {
    const known = this.#objects.get(plural) ?? new Map<string, KubernetesObject>();
    this.#objects.set(plural, known);
    return known;
  }

  #record(collection: string, type: EventType, object: KubernetesObject): void {
    this.#history.push({ revision: this.#revision, collection, type, object });
    const deliver = () => {
      for (const watch of this.#watches) if (watch.collection === collection) send(watch.response, type, object);
    };
    if (this.#heldBack) this.#heldBack.push(deliver);
    else deliver();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    const [, , namespace = '', plural = '', name = ''] = PATH.exec(pathname) ?? [];
    const method = searchParams.get('watch') === 'true' ? 'WATCH' : (request.method ?? '');
    const what = `${method} ${plural}${name && `/${name}`}`;
    const at = this.requests.push(what) - 1;
    this.headers = request.headers;
    let text = '';
    for await (const chunk of request) text += chunk;
    await this.before(what);
    if (this.#isDown) {
      request.socket.destroy();
      return;
    }
    const status = this.#serve(
      method,
      { plural, namespace, name },
      searchParams,
      text ? JSON.parse(text) : {},
      response,
    );
    if (status !== 200) this.requests[at] += ` ${status}`;
  }

  #serve(
    method: string,
    where: { readonly plural: string; readonly namespace: string; readonly name: string },
    query: URLSearchParams,
    body: KubernetesObject,
    response: ServerResponse,
  ): number {
    const refused = this.#refusal(where.plural);
    if (refused) return refuse(response, refused.status, refused.reason);
    if (method === 'WATCH') return this.#watch(where.plural, Number(query.get('resourceVersion')), response);
    if (method === 'GET' && !where.name) return this.#list(where.plural, query, response);
    return this.#single(method, where, body, response);
  }

  #refusal(plural: string): { status: number; reason: string } | undefined {
    if (this.#fault && this.#fault.left > 0) {
      this.#fault.left -= 1;
      return this.#fault;
    }
    return this.#unserved.has(plural) ? { status: 404, reason: 'NotFound' } : undefined;
  }

  #list(plural: string, query: URLSearchParams, response: ServerResponse): number {
    const all = [...this.#collection(plural).values()];
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const next = from + limit < all.length ? String(from + limit) : '';
    const metadata = { resourceVersion: String(this.#revision), continue: next };
    const answer = { metadata, items: all.slice(from, from + limit) };
    void Promise.resolve(this.lag()).then(() => reply(response, 200, answer));
    return 200;
  }

  #watch(plural: string, since: number, response: ServerResponse): number {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (since < this.#compacted) {
      send(response, 'ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
      response.end();
      return 410;
    }
    for (const { revision, collection, type, object } of this.#history) {
      if (collection === plural && revision > since) send(response, type, object);
    }
    const watch = { collection: plural, response };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
    return 200;
  }

  #single(
    method: string,
    { plural, namespace, name }: { plural: string; namespace: string; name: string },
    body: KubernetesObject,
    response: ServerResponse,
  ): number {
    const known = this.get(plural, name || (body.metadata?.name ?? ''), namespace);
    const sent = body.metadata?.resourceVersion;
    if (method === 'POST' ? known : sent !== undefined && sent !== known?.metadata.resourceVersion) {
      return refuse(response, 409, 'Conflict');
    }
    if (!known && method !== 'POST') return refuse(response, 404, 'NotFound');
    if (method === 'GET') return reply(response, 200, known);
    if (method === 'DELETE') {
      this.delete(plural, name, namespace);
      return reply(response, 200, { kind: 'Status', status: 'Success' });
    }
    const merged = { ...known, ...body, metadata: { ...known?.metadata, ...body.metadata } };
    return reply(response, 200, this.put(plural, merged));
  }
}

function send(response: ServerResponse, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function reply(response: ServerResponse, status: number, body: unknown): number {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  return status;
}

function refuse(response: ServerResponse, code: number, reason: string): number {
  return reply(response, code, { kind: 'Status', code, reason, message: `refused: ${reason}` });
}
