/** One request and its answer over node:http or node:https: sent only when its connection is ready, ended by a signal. */

import { type Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Exchange {
  readonly url: URL;
  /** The name that the certificate must bear; missing: the host of `url`. */
  readonly servername?: string | undefined;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly payload: Buffer | undefined;
  readonly agent: Agent;
  /** Aborting it ends the exchange, also while the answer is being read; its reason is what the reader gets. */
  readonly signal: AbortSignal;
  /** Called when the connection is ready: what it throws is what `open` throws, and nothing is sent. */
  readonly guard?: (() => void) | undefined;
}

/** The other side closed a kept-alive connection just before it was used: nothing was answered. */
export class StaleSocketError extends Error {
  override readonly name = 'StaleSocketError';
}

/** With libuv's ten probes, one per second: an API server that vanished is noticed after 15 s. */
const KEEPALIVE_AFTER_MS = 5_000;

/** Sends a request and waits for the head of its answer. Whoever gets the answer reads it to its end or destroys it. */
export function open({
  url,
  servername,
  method,
  headers,
  payload,
  agent,
  signal,
  guard,
}: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { method, headers, agent };
    const request =
      url.protocol === 'http:'
        ? httpRequest(url, options)
        : httpsRequest(url, { ...options, ...(servername && { servername }) });
    const abort = () => request.destroy(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    request.once('close', () => signal.removeEventListener('abort', abort));
    request.once('response', resolve);
    request.on('error', (cause) => {
      const isStale =
        request.reusedSocket && 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE');
      reject(
        isStale && !signal.aborted ? new StaleSocketError('the kept-alive connection was closed', { cause }) : cause,
      );
    });
    request.once('socket', (socket) =>
      whenConnected(socket, () => {
        try {
          guard?.();
          request.end(payload);
        } catch (error) {
          reject(error);
          request.destroy();
        }
      }),
    );
  });
}

/** A process can be frozen while a connection is being made: what must be checked last is checked after that. */
function whenConnected(socket: Socket, send: () => void): void {
  const isTls = socket instanceof TLSSocket;
  // A connection whose first user gave up before it was made is handed to the next: made, but never used. The
  // protocol of a TLS connection is null exactly until its handshake has ended.
  if (!socket.connecting && !(isTls && socket.alpnProtocol === null)) {
    send();
    return;
  }
  socket.setKeepAlive(true, KEEPALIVE_AFTER_MS);
  socket.once(isTls ? 'secureConnect' : 'connect', send);
}

/** The whole body of an answer. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? (chunks[0] as Buffer).toString() : Buffer.concat(chunks).toString();
}

/** The lines of a body, those together that came together, without empty ones. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<readonly string[]> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield lines.filter((line) => line !== '');
  }
}
