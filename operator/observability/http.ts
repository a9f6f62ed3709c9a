/** The two small servers of every process: health for the kubelet, metrics for Prometheus. */

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Logger } from './log.ts';
import { type Access, MetricsAccess, type ReviewConnection } from './metrics-access.ts';
import { selfSignedCertificate } from './self-signed.ts';

/** A server that listens. `close` ends open connections too and may be called twice. */
export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface HealthOptions {
  readonly port: number;
  /** Absent listens on all addresses. */
  readonly host?: string;
  readonly isReady: () => { readonly ready: boolean; readonly why?: string };
  /** False lets the kubelet restart the container; absent means that answering is proof enough. */
  readonly isAlive?: () => boolean;
}

/** Serves /healthz and /readyz with 200 or 503; the body of /readyz says why it is not ready, or what is not well beside. */
export function startHealthServer({
  port,
  host,
  isReady,
  isAlive = () => true,
}: HealthOptions): Promise<RunningServer> {
  const server = createServer((request, response) => {
    switch (pathOf(request)) {
      case '/healthz':
        return isAlive() ? answer(response, 200, 'ok') : answer(response, 503, 'not alive');
      case '/readyz':
        return answer(response, ...readinessAnswer(isReady()));
      default:
        return answer(response, 404, 'only /healthz and /readyz are here');
    }
  });
  return listening(server, port, host);
}

function readinessAnswer({
  ready,
  why,
}: ReturnType<HealthOptions['isReady']>): readonly [status: number, body: string] {
  return ready ? [200, why ? `ok, but ${why}` : 'ok'] : [503, `not ready: ${why ?? 'no reason given'}`];
}

export interface MetricsOptions {
  /** 0 lets the system choose; a process whose setting is 0 does not start this server. */
  readonly port: number;
  /** Absent or empty listens on all addresses by TLS; on a loopback address the metrics are plain HTTP for everybody. */
  readonly host?: string;
  readonly registry: Registry;
  readonly connection: ReviewConnection;
  readonly log: Logger;
}

/** Serves /metrics: by TLS 1.3, with a certificate made now, to callers that the API server vouches for. */
export function startMetricsServer(options: MetricsOptions): Promise<RunningServer> {
  const { port, host, registry, connection, log } = options;
  if (isLoopback(host ?? '')) return listening(createServer(metricsListener(registry, log)), port, host);

  const access = new MetricsAccess({ connection, log });
  const listener = metricsListener(registry, log, (request) => access.decide(request.headers.authorization));
  const certificate = selfSignedCertificate(['herald', 'localhost'], new Date());
  return listening(createTlsServer({ ...certificate, minVersion: 'TLSv1.3' }, listener), port, host);
}

const REFUSALS: Record<Exclude<Access, 'Allowed'>, readonly [status: number, body: string]> = {
  Unauthenticated: [401, 'a valid bearer token is needed'],
  Forbidden: [403, 'the bearer of this token may not get /metrics'],
  Unavailable: [503, 'the API server did not review the token'],
};

function metricsListener(
  registry: Registry,
  log: Logger,
  decide: (request: IncomingMessage) => Promise<Access> = async () => 'Allowed',
): RequestListener {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (pathOf(request) !== '/metrics') return answer(response, 404, 'only /metrics is here');
    const access = await decide(request);
    if (access !== 'Allowed') return answer(response, ...REFUSALS[access]);
    response.setHeader('content-type', registry.contentType);
    response.end(await registry.metrics());
  };
  return (request, response) => {
    serve(request, response).catch((error: unknown) => {
      log.error('metrics not served', { error });
      answer(response, 500, 'the metrics could not be collected: see the log');
    });
  };
}

/** 127.0.0.0/8, ::1 and the name that means them. */
const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);

/** Not by URL, which throws for targets that any stranger may send. */
const pathOf = (request: IncomingMessage): string => (request.url ?? '/').replace(/\?.*/s, '');

function answer(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${body}\n`);
}

/** @throws {Error} with the code of the system, such as EADDRINUSE, naming the port */
function listening(server: Server, port: number, host: string | undefined): Promise<RunningServer> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        Object.assign(new Error(`cannot listen on port ${port}`, { cause }), {
          code: (cause as NodeJS.ErrnoException).code,
        }),
      ),
    );
    // Without a host Node listens on :: and, where the system has no IPv6, on 0.0.0.0.
    server.listen({ port, ...(host && { host }) }, () => {
      resolve({ port: (server.address() as AddressInfo).port, close: () => closed(server) });
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
