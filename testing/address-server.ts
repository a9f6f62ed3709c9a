/**
 * A server of addresses after docs/address-sources.md that fails on demand: for tests in one process, and as a program
 * in a pod of the lab. It imports nothing but Node, so that the file alone is the whole program.
 *
 *   GET /faults?mode=lost&times=3    from here on; without a query it tells the mode      the token does not
 *   GET /state                       every claim, and what was done                      guard these
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How a request goes wrong. */
export type FaultMode =
  /** Nothing goes wrong. */
  | 'none'
  /** The connection breaks before anything is done. */
  | 'down'
  /** 500, and nothing is done. */
  | 'error'
  /** It is done, and the connection breaks before the answer. */
  | 'lost'
  /** It is done, and the answer comes after `delayMs`. */
  | 'late'
  /** It is done and answered after `delayMs`, whoever still waits. */
  | 'slow'
  /** 200 with words that are no answer. */
  | 'garbage'
  /** More octets than anybody should read. */
  | 'endless';

export interface Fault {
  readonly mode: FaultMode;
  /** The next so many requests; without it until told otherwise. */
  readonly times?: number;
  readonly delayMs?: number;
}

export interface StoredClaim {
  readonly id: string;
  readonly cluster: string;
  readonly pool: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly address: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly order: string;
}

export interface AddressServerOptions {
  /** What it gives, in this order; those with a colon are IPv6. */
  readonly addresses: readonly string[];
  readonly token?: string;
  /** Where its claims are kept, so that another process goes on with them. */
  readonly file?: string;
  /** How many claims one page of a list has, at most. */
  readonly pageSize?: number;
}

interface Reply {
  readonly status: number;
  readonly body?: object | string;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class AddressServer {
  readonly claims = new Map<string, StoredClaim>();
  /** What was done: `claim ID`, `release ID`, `list`. */
  readonly done: string[] = [];
  /** What is asked of it before each request is looked at; a test may change it. */
  fault: Fault = { mode: 'none' };
  /** Refuses each new claim with these words. */
  refuses: string | undefined;
  /** Tells every cluster of every claim. */
  listsAll = false;
  /** How many requests came, whatever became of them. */
  requests = 0;
  readonly #options: AddressServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: AddressServerOptions) {
    this.#options = options;
    const { file } = options;
    if (!file || !existsSync(file)) return;
    for (const claim of JSON.parse(readFileSync(file, 'utf8')) as StoredClaim[]) this.claims.set(claim.id, claim);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/ipam`;
  }

  /** Listens, after a `stop` at the same port again. */
  async start(port = this.#port, host = '127.0.0.1'): Promise<this> {
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // whoever asked is gone
    }
    const url = new URL(request.url ?? '', 'http://server');
    const text = Buffer.concat(chunks).toString();
    if (url.pathname === '/faults') {
      this.#setFault(url.searchParams);
      send(response, { status: 200, body: this.fault });
      return;
    }
    if (url.pathname === '/state') {
      send(response, { status: 200, body: { claims: [...this.claims.values()], done: this.done } });
      return;
    }
    this.requests += 1;
    const reply = async (): Promise<Reply> => this.#reply(request, url, text);
    await this.#answer(response, this.#takeFault(), reply);
  }

  #setFault(query: URLSearchParams): void {
    const mode = query.get('mode');
    const [times, delayMs] = ['times', 'delayMs'].map((name) => Number(query.get(name) ?? '0'));
    if (mode) this.fault = { mode: mode as FaultMode, ...(times && { times }), ...(delayMs && { delayMs }) };
  }

  #takeFault(): Fault {
    const fault = this.fault;
    if (fault.times !== undefined)
      this.fault = fault.times > 1 ? { ...fault, times: fault.times - 1 } : { mode: 'none' };
    return fault;
  }

  async #answer(response: ServerResponse, { mode, delayMs = 300 }: Fault, work: () => Promise<Reply>): Promise<void> {
    if (mode === 'down') response.destroy();
    else if (mode === 'error') send(response, { status: 500, body: { message: 'told to fail' } });
    else if (mode === 'garbage') send(response, { status: 200, body: 'it works!' });
    else if (mode === 'endless') send(response, { status: 200, body: 'x'.repeat(3 * 1024 * 1024) });
    else {
      if (mode === 'slow') await pause(delayMs);
      const reply = await work();
      if (mode === 'late') await pause(delayMs);
      if (mode === 'lost') response.destroy();
      else send(response, reply);
    }
  }

  #reply(request: IncomingMessage, url: URL, text: string): Reply {
    const { token } = this.#options;
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return { status: 401, body: { message: 'the token is not the one' } };
    const [, id] = /\/claims(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const isClaims = /\/claims(\/[^/]+)?$/.test(url.pathname);
    if (isClaims && id === undefined && request.method === 'GET') return this.#list(url.searchParams);
    if (id !== undefined && request.method === 'PUT') return this.#claim(id, JSON.parse(text));
    if (id !== undefined && request.method === 'DELETE') return this.#release(id, url.searchParams.get('order') ?? '');
    return { status: 404, body: { message: 'there is nothing here' } };
  }

  #claim(id: string, asked: Omit<StoredClaim, 'id' | 'address'> & { address?: string }): Reply {
    this.done.push(`claim ${id}`);
    const known = this.claims.get(id);
    if (known && known.order > asked.order) return outdated(known);
    const taken = new Set([...this.claims.values()].map(({ address }) => address));
    const isOfFamily = (address: string): boolean => address.includes(':') === (asked.family === 'IPv6');
    const free = this.#options.addresses.filter((address) => isOfFamily(address) && !taken.has(address));
    if (!known && this.refuses !== undefined) return refusal('Refused', this.refuses);
    const address =
      known?.address ?? (asked.address === undefined ? free[0] : free.find((one) => one === asked.address));
    if (address === undefined)
      return asked.address === undefined
        ? refusal('Exhausted', 'no address is free')
        : refusal('Taken', `${asked.address} is not free`);
    const { cluster, pool, family, service, order } = asked;
    this.claims.set(id, { id, cluster, pool, family, service, order, address });
    this.#save();
    return { status: known ? 200 : 201, body: { address } };
  }

  #release(id: string, order: string): Reply {
    this.done.push(`release ${id}`);
    const known = this.claims.get(id);
    if (!known) return { status: 404, body: { message: 'there is no such claim' } };
    if (known.order > order) return outdated(known);
    this.claims.delete(id);
    this.#save();
    return { status: 204 };
  }

  #list(query: URLSearchParams): Reply {
    this.done.push('list');
    const ours = [...this.claims.values()]
      .filter(({ cluster }) => this.listsAll || cluster === query.get('cluster'))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const after = ours.filter(({ id }) => id > (query.get('continue') ?? ''));
    const claims = after.slice(0, this.#options.pageSize ?? 500);
    const last = claims.at(-1);
    return { status: 200, body: { claims, ...(claims.length < after.length && last && { next: last.id }) } };
  }

  #save(): void {
    const { file } = this.#options;
    if (!file) return;
    writeFileSync(`${file}.new`, JSON.stringify([...this.claims.values()]));
    renameSync(`${file}.new`, file);
  }
}

const refusal = (reason: string, message: string): Reply => ({ status: 409, body: { reason, message } });
const outdated = ({ order }: StoredClaim): Reply => ({
  status: 409,
  body: { reason: 'Outdated', message: 'a later request of this claim was answered', order },
});

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

if (import.meta.main) {
  const { ADDRESSES = '', TOKEN, STATE_FILE, PORT = '8080' } = process.env;
  const addresses = ADDRESSES.split(',').filter((address) => address !== '');
  await new AddressServer({ addresses, ...(TOKEN && { token: TOKEN }), ...(STATE_FILE && { file: STATE_FILE }) }).start(
    Number(PORT),
    '0.0.0.0',
  );
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
}
