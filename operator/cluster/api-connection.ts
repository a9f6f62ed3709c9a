/** The connection to the API server: requests over kept-alive connections, and watches that are read line by line. */

import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ApiError, apiErrorOf, type TransportReason } from './api-error.ts';
import { ApiServers } from './api-servers.ts';
import { type Call, callOf } from './calls.ts';
import { type Credentials, inClusterCredentials, kubeconfigCredentials } from './credentials.ts';
import { linesOf, open, StaleSocketError, textOf } from './http-exchange.ts';

export { ApiError };

/**
 * Which connections a request may use, so that none waits behind another kind: status writes in `work`, the Lease in
 * `lease`, events in `background`.
 */
export type Lane = 'work' | 'lease' | 'background';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** `application/json` when missing. */
  readonly contentType?: string;
  /** From the call until the whole answer is there. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly lane?: Lane;
  /** Called when a connection is ready and the request is about to be sent: what it throws stops the request. */
  readonly guard?: () => void;
}

export type WatchEvent<T> = (
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: { readonly metadata: { readonly resourceVersion: string } } }
) & {
  /** When it was read from the connection, ms of `performance.now()`; those that came together have the same. */
  readonly receivedAt?: number;
};

export interface ApiConnection {
  /** @throws {ApiError} for every answer but 2xx, and when there is none */
  request<T>(request: ApiRequest): Promise<T>;
  /**
   * Yields events until the API server ends the watch or `signal` aborts it; `begun` is called when the API server
   * has accepted it, which may be long before the first event.
   *
   * @throws {ApiError} when the watch is refused, breaks, or carries an ERROR event (410: list again)
   */
  watch<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    begun?: () => void,
  ): AsyncIterable<WatchEvent<T>>;
  /** Ends every request and watch. */
  close(): void;
}

/** What a connection tells about its requests; `status` is 0 when there was no answer. */
export interface ConnectionMetrics {
  requested(method: string, status: number, tookMs: number): void;
  /** Each request and each watch as it is sent; what is not about a resource is left out. */
  called?(call: Call): void;
}

export interface ConnectionOptions {
  /** Requests of the lane `work` that may be under way at once. */
  readonly maxSockets?: number;
  readonly metrics?: ConnectionMetrics;
}

const REQUEST_TIMEOUT_MS = 10_000;
/** How long a watch may take to begin: the API server answers before the first event. */
const WATCH_START_MS = 10_000;
/** Measured floor: 64 parallel writers get the most out of one API server (880 status writes per second). */
const MAX_SOCKETS = 64;
/** For lanes that shall not take the API server's time away from `work`. */
const FEW_SOCKETS = 2;

/** Connects with the kubeconfig that is given, else as the pod that we run in. @throws {CredentialsError} */
export function connect(
  { kubeconfig }: { readonly kubeconfig?: string | undefined },
  options: ConnectionOptions = {},
): HttpConnection {
  return kubeconfig ? kubeconfigConnection(kubeconfig, options) : inClusterConnection(options);
}

/** @throws {CredentialsError} outside of a pod */
export const inClusterConnection = (options: ConnectionOptions = {}): HttpConnection =>
  new HttpConnection(inClusterCredentials(), options);

/** @throws {CredentialsError} when the kubeconfig cannot be used */
export const kubeconfigConnection = (path: string, options: ConnectionOptions = {}): HttpConnection =>
  new HttpConnection(kubeconfigCredentials(path), options);

/** HTTP/1.1, so that a slow answer holds up nobody else; without TLS only where the credentials say http (kubectl proxy). */
export class HttpConnection implements ApiConnection {
  readonly #credentials: Credentials;
  readonly #servers: ApiServers;
  readonly #agents: Readonly<Record<Lane | 'watch', HttpAgent>>;
  readonly #metrics: ConnectionMetrics | undefined;

  constructor(credentials: Credentials, { maxSockets = MAX_SOCKETS, metrics }: ConnectionOptions = {}) {
    const { server, tls } = credentials;
    const agent = (sockets: number): HttpAgent => {
      const pool = { keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets };
      return server.protocol === 'http:' ? new HttpAgent(pool) : new HttpsAgent({ ...pool, ...tls });
    };
    this.#credentials = credentials;
    this.#servers = new ApiServers({ url: server });
    this.#metrics = metrics;
    this.#agents = {
      work: agent(maxSockets),
      lease: agent(FEW_SOCKETS),
      background: agent(FEW_SOCKETS),
      watch: agent(Number.POSITIVE_INFINITY),
    };
  }

  async request<T>(request: ApiRequest): Promise<T> {
    const startedAt = performance.now();
    this.#called(request);
    const deadline = new Deadline(request, request.timeoutMs ?? REQUEST_TIMEOUT_MS, request.signal);
    let status = 0;
    try {
      const response = await this.#open(request, request.lane ?? 'work', deadline.signal);
      status = response.statusCode ?? 0;
      return this.#valueOf<T>(request, response, await textOf(response));
    } catch (error) {
      throw deadline.signal.aborted ? deadline.signal.reason : errorOf(error, request);
    } finally {
      deadline.clear();
      this.#metrics?.requested(request.method, status, performance.now() - startedAt);
    }
  }

  async *watch<T>(
    path: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    begun?: () => void,
  ): AsyncGenerator<WatchEvent<T>> {
    const request: ApiRequest = { method: 'GET', path, query: { ...query, watch: 'true' } };
    this.#called(request, true);
    const deadline = new Deadline(request, WATCH_START_MS, signal);
    try {
      const response = await this.#open(request, 'watch', deadline.signal);
      if (response.statusCode !== 200) this.#valueOf(request, response, await textOf(response));
      deadline.started();
      begun?.();
      for await (const lines of linesOf(response)) {
        const receivedAt = performance.now();
        for (const line of lines) yield eventOf<T>(line, request, receivedAt);
      }
    } catch (error) {
      if (signal.aborted) return;
      throw deadline.signal.aborted ? deadline.signal.reason : errorOf(error, request);
    } finally {
      deadline.clear();
    }
  }

  /** Further addresses to try where nobody answers. */
  learnServers(urls: readonly URL[]): void {
    this.#servers.learn(urls);
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  #called(request: ApiRequest, isWatch = false): void {
    const call = callOf(request, isWatch);
    if (call) this.#metrics?.called?.(call);
  }

  async #open(request: ApiRequest, lane: Lane | 'watch', signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, query, body, contentType = 'application/json', guard } = request;
    const server = this.#servers.current;
    const url = new URL(server.url);
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    url.search = new URLSearchParams(query).toString();
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const authorization = this.#credentials.authorization();
    const headers = {
      accept: 'application/json',
      'user-agent': 'herald',
      ...(authorization && { authorization }),
      ...(payload && { 'content-type': contentType, 'content-length': payload.length }),
    };
    const { servername } = server;
    const exchange = { url, servername, method, headers, payload, agent: this.#agents[lane], signal, guard };
    try {
      try {
        return await open(exchange);
      } catch (error) {
        // Nobody answered on a connection that had already been closed. Only a create may not be sent twice.
        if (!(error instanceof StaleSocketError) || method === 'POST') throw error;
        return await open(exchange);
      }
    } catch (error) {
      if (isSilence(error)) this.#servers.failed(server);
      throw error;
    }
  }

  /** The answer as a value. @throws {ApiError} when it is a refusal */
  #valueOf<T>(request: ApiRequest, { statusCode = 0, headers }: IncomingMessage, text: string): T {
    if (statusCode === 401) this.#credentials.refused();
    const value = text === '' ? undefined : jsonOf(text);
    if (statusCode >= 200 && statusCode < 300 && value !== NOT_JSON) return value as T;
    throw apiErrorOf(statusCode, value === NOT_JSON ? text : value, nameOf(request), headers['retry-after']);
  }
}

/** Ends a request when its time is over or its caller no longer wants it, with an ApiError that says which. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #abort: () => void;

  constructor(request: ApiRequest, timeoutMs: number, caller: AbortSignal | undefined) {
    const end = (reason: TransportReason, what: string) =>
      this.#controller.abort(new ApiError(0, reason, `${nameOf(request)}: ${what}`));
    this.#timer = setTimeout(() => end('Timeout', `no answer within ${timeoutMs} ms`), timeoutMs);
    this.#abort = () => end('Aborted', 'no longer wanted');
    this.#caller = caller;
    if (caller?.aborted) this.#abort();
    caller?.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on only the caller ends it. */
  started(): void {
    clearTimeout(this.#timer);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#abort);
  }
}

const nameOf = ({ method, path }: ApiRequest): string => `${method} ${path}`;

const NOT_JSON = Symbol('not JSON');

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

/** A failure of the network, and not what a guard throws. */
function isNetworkError(error: unknown): error is Error {
  return error instanceof StaleSocketError || (error instanceof Error && 'code' in error);
}

/** Whether nobody answered, for a reason that may lie on the way to this server. */
function isSilence(error: unknown): boolean {
  return error instanceof ApiError ? error.reason === 'Timeout' : isNetworkError(error);
}

/** What a failure without an answer means; what is no failure of the network stays what it is. */
function errorOf(error: unknown, request: ApiRequest): unknown {
  if (!isNetworkError(error)) return error;
  return new ApiError(0, 'ConnectionFailed', `${nameOf(request)}: ${error.message}`, { cause: error });
}

function eventOf<T>(line: string, request: ApiRequest, receivedAt: number): WatchEvent<T> {
  const event = jsonOf(line);
  if (event === NOT_JSON) throw new ApiError(0, 'NotJson', `${nameOf(request)}: an event is not JSON`);
  const { type, object } = event as WatchEvent<T> | { readonly type: 'ERROR'; readonly object: unknown };
  if (type === 'ERROR') throw apiErrorOf(500, object, nameOf(request));
  return Object.assign(event as WatchEvent<T>, { receivedAt });
}
