/** A source that speaks the protocol of docs/address-sources.md: three requests, each of which may be repeated. */

import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { open, StaleSocketError } from '../cluster/http-exchange.ts';
import type { AddressSource, ClaimAnswer, ClaimRequest, GrantedClaim, Order } from './address-source.ts';
import { SourceError } from './address-source.ts';
import { claimBody, MAX_ANSWER_OCTETS, PAGE_SIZE, readClaimed, readPage, readRefusal } from './protocol.ts';

/** Requests to one source that may be under way at once. */
export const MAX_REQUESTS = 4;
/** More pages than any cluster fills: a source that never ends a list would keep us for ever. */
const MAX_PAGES = 100;

export type SourceOperation = 'claim' | 'release' | 'list';

/** Told of each request when it has ended; `result` is `ok`, `refused` or why it failed. */
export type SourceObserver = (operation: SourceOperation, result: string, tookMs: number) => void;

export interface HttpSourceOptions {
  /** The root of the three requests, without a slash at its end. */
  readonly url: string;
  /** One request, from the call until the whole answer is there. */
  readonly timeoutMs: number;
  readonly token?: string | undefined;
  /** PEM; in place of the certificates that Node trusts. */
  readonly ca?: string | undefined;
  /** Called when a request is about to be sent: what it throws stops the request. */
  readonly guard?: () => void;
  readonly observe?: SourceObserver;
}

interface Sent {
  readonly operation: SourceOperation;
  readonly method: 'PUT' | 'DELETE' | 'GET';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}
interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: unknown;
}

const NOTHING = Symbol('no JSON');

export class HttpSource implements AddressSource {
  readonly #options: HttpSourceOptions;
  readonly #agent: HttpAgent;

  constructor(options: HttpSourceOptions) {
    this.#options = options;
    const pool = { keepAlive: true, maxSockets: MAX_REQUESTS };
    const { ca } = options;
    this.#agent = options.url.startsWith('https:')
      ? new HttpsAgent({ ...pool, ...(ca && { ca }) })
      : new HttpAgent(pool);
  }

  claim(request: ClaimRequest, signal: AbortSignal): Promise<ClaimAnswer> {
    const sent: Sent = { operation: 'claim', method: 'PUT', path: pathOf(request.id), body: claimBody(request) };
    return this.#observed(sent, signal, (answer) => {
      if (answer.status !== 200 && answer.status !== 201) return refused(sent, answer);
      const address = readClaimed(answer.body);
      if (!address) throw badAnswer(sent, 'without an address');
      return { outcome: 'Granted', address };
    });
  }

  release(id: string, order: Order, signal: AbortSignal): Promise<void> {
    const sent: Sent = { operation: 'release', method: 'DELETE', path: pathOf(id), query: { order } };
    return this.#observed(sent, signal, (answer) => {
      if (![200, 202, 204, 404, 410].includes(answer.status)) throw failureOf(sent, answer);
    });
  }

  async list(cluster: string, signal: AbortSignal): Promise<readonly GrantedClaim[]> {
    const claims: GrantedClaim[] = [];
    let next: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const query = { cluster, limit: String(PAGE_SIZE), ...(next !== undefined && { continue: next }) };
      const sent: Sent = { operation: 'list', method: 'GET', path: '/claims', query };
      const page = await this.#observed(sent, signal, (answer) => {
        if (answer.status !== 200) throw failureOf(sent, answer);
        const read = readPage(answer.body);
        if (!read) throw badAnswer(sent, 'that is no list of claims');
        return read;
      });
      claims.push(...page.claims);
      next = page.next;
      if (next === undefined) return claims;
    }
    throw new SourceError('BadAnswer', `GET /claims was answered with more than ${MAX_PAGES} pages`);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #observed<T>(sent: Sent, signal: AbortSignal, read: (answer: Answer) => T): Promise<T> {
    const beganAt = performance.now();
    let result = 'aborted';
    try {
      const value = read(await this.#send(sent, signal));
      result = (value as { outcome?: string } | undefined)?.outcome === 'Refused' ? 'refused' : 'ok';
      return value;
    } catch (error) {
      if (error instanceof SourceError) result = error.reason;
      throw error;
    } finally {
      this.#options.observe?.(sent.operation, result, performance.now() - beganAt);
    }
  }

  async #send(sent: Sent, caller: AbortSignal): Promise<Answer> {
    const { timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([caller, timeout]);
    try {
      const response = await this.#open(sent, signal);
      const body = jsonOf(await boundedText(response, sent));
      return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body };
    } catch (error) {
      if (caller.aborted) throw caller.reason;
      if (timeout.aborted) throw new SourceError('Timeout', `${nameOf(sent)} was not answered within ${timeoutMs} ms`);
      throw isNetworkError(error) ? new SourceError('Unreachable', `${nameOf(sent)}: ${error.message}`) : error;
    }
  }

  async #open(sent: Sent, signal: AbortSignal): Promise<IncomingMessage> {
    const { url: root, token, guard } = this.#options;
    const url = new URL(`${root.replace(/\/+$/, '')}${sent.path}`);
    url.search = new URLSearchParams(sent.query).toString();
    const payload = sent.body && Buffer.from(JSON.stringify(sent.body));
    const headers = {
      accept: 'application/json',
      'user-agent': 'herald',
      ...(token && { authorization: `Bearer ${token}` }),
      ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
    };
    const exchange = { url, method: sent.method, headers, payload, agent: this.#agent, signal, guard };
    try {
      return await open(exchange);
    } catch (error) {
      // Nobody answered on a connection that had already been closed; every request may be repeated.
      if (!(error instanceof StaleSocketError)) throw error;
      return await open(exchange);
    }
  }
}

const pathOf = (id: string): string => `/claims/${encodeURIComponent(id)}`;

/** Ids say nothing to people. */
const nameOf = ({ method, operation }: Sent): string => `${method} of a ${operation === 'list' ? 'list' : 'claim'}`;

/** A refusal for good; what may pass is thrown. */
function refused(sent: Sent, answer: Answer): ClaimAnswer {
  const { reason, message } = readRefusal(answer.body);
  if ((answer.status !== 409 && answer.status !== 422) || reason === 'Outdated') throw failureOf(sent, answer);
  return { outcome: 'Refused', message: message || `it says ${answer.status} and no more` };
}

function failureOf(sent: Sent, { status, retryAfter, body }: Answer): SourceError {
  const { reason, message, order } = readRefusal(body);
  const words = `${nameOf(sent)} was answered with ${status}${message && `: ${message}`}`;
  if (status === 409 && reason === 'Outdated') return new SourceError('Outdated', words, { order });
  if (status === 401 || status === 403) return new SourceError('Unauthorized', words);
  if (status === 429 || status >= 500)
    return new SourceError('Failed', words, { retryAfterMs: millisecondsOf(retryAfter) });
  return new SourceError('BadAnswer', words);
}

const badAnswer = (sent: Sent, what: string): SourceError =>
  new SourceError('BadAnswer', `${nameOf(sent)} was answered with something ${what}`);

/** Of Retry-After (RFC 9110 10.2.3) only the form in seconds is read. */
function millisecondsOf(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
}

async function boundedText(response: IncomingMessage, sent: Sent): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of response) {
    octets += (chunk as Buffer).length;
    // Leaving the loop destroys the answer and its connection.
    if (octets > MAX_ANSWER_OCTETS) throw badAnswer(sent, `of more than ${MAX_ANSWER_OCTETS} octets`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return NOTHING;
  }
}

const isNetworkError = (error: unknown): error is Error =>
  error instanceof StaleSocketError || (error instanceof Error && 'code' in error && !(error instanceof SourceError));
