/**
 * The part of NetBox's REST API that the adapter of examples/netbox uses, as its documentation (integrations/rest-api,
 * reference/filtering) and its `ipam/api/views.py` describe it: paging, custom fields, available-ips with 201 and 409, 403
 * without a token, 404 for what is gone.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface NetboxRecord {
  readonly id: number;
  readonly address: string;
  readonly vrf: { readonly id: number } | null;
  readonly status: { readonly value: string };
  readonly description: string;
  custom_fields: Record<string, string | null>;
}
interface Prefix {
  readonly id: number;
  readonly prefix: string;
  readonly vrf: { readonly id: number } | null;
  /** What it has to give, without its length. */
  readonly hosts: readonly string[];
}
interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

/** The custom fields that somebody has to define first. */
const FIELDS = ['herald_claim', 'herald_cluster', 'herald_details'];
const PATH = /^\/api\/ipam\/(ip-addresses|prefixes)\/(?:(\d+)\/(available-ips\/)?)?$/;

export class FakeNetbox {
  readonly addresses = new Map<number, NetboxRecord>();
  readonly requests: string[] = [];
  /** The next request with this method is done, and its connection breaks before the answer. */
  loses: string | undefined;
  readonly #token: string;
  readonly #prefixes: readonly Prefix[];
  readonly #server: Server;
  #lastId = 100;

  constructor(token: string, prefixes: readonly Prefix[]) {
    this.#token = token;
    this.#prefixes = prefixes;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** An address that somebody else put there. */
  add(address: string, custom_fields: Record<string, string | null> = {}): NetboxRecord {
    this.#lastId += 1;
    const fields = { ...Object.fromEntries(FIELDS.map((name) => [name, null])), ...custom_fields };
    const status = { value: 'active' };
    const record = { id: this.#lastId, address, vrf: null, status, description: '', custom_fields: fields };
    this.addresses.set(record.id, record);
    return record;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '' } = request;
    this.requests.push(`${method} ${url}`);
    const text = Buffer.concat(chunks).toString();
    const { status, body } =
      request.headers.authorization === `Token ${this.#token}`
        ? this.#reply(method, new URL(url, 'http://netbox'), text === '' ? {} : JSON.parse(text))
        : { status: 403, body: { detail: 'Invalid token' } };
    if (this.loses === method) {
      this.loses = undefined;
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  #reply(method: string, { pathname, searchParams }: URL, body: Record<string, unknown>): Reply {
    const [, kind, id, available] = PATH.exec(pathname) ?? [];
    if (kind === 'prefixes' && id !== undefined) return this.#prefix(method, Number(id), available !== undefined, body);
    if (kind !== 'ip-addresses') return { status: 404, body: { detail: 'Not found.' } };
    if (id === undefined) return method === 'POST' ? this.#create(body) : this.#page(searchParams);
    const record = this.addresses.get(Number(id));
    if (!record) return { status: 404, body: { detail: 'No IPAddress matches the given query.' } };
    if (method === 'DELETE') {
      this.addresses.delete(record.id);
      return { status: 204 };
    }
    if (method === 'PATCH') record.custom_fields = { ...record.custom_fields, ...(body['custom_fields'] as object) };
    return { status: 200, body: record };
  }

  #prefix(method: string, id: number, isAvailable: boolean, body: Record<string, unknown>): Reply {
    const prefix = this.#prefixes.find((one) => one.id === id);
    if (!prefix) return { status: 404, body: { detail: 'No Prefix matches the given query.' } };
    if (!isAvailable) return { status: 200, body: { id, prefix: prefix.prefix, vrf: prefix.vrf } };
    if (method !== 'POST') return { status: 405, body: { detail: `Method "${method}" not allowed.` } };
    const length = prefix.prefix.split('/')[1];
    const taken = new Set([...this.addresses.values()].map(({ address }) => address.split('/')[0]));
    const free = prefix.hosts.find((host) => !taken.has(host));
    if (free === undefined) {
      const detail = `An insufficient number of IP addresses are available within ${prefix.prefix} (1 requested, 0 available)`;
      return { status: 409, body: { detail } };
    }
    return this.#create({ ...body, address: `${free}/${length}`, vrf: prefix.vrf?.id ?? null });
  }

  #create({ address, custom_fields = {}, vrf, description = '' }: Record<string, unknown>): Reply {
    const unknown = Object.keys(custom_fields as object).filter((name) => !FIELDS.includes(name));
    if (unknown.length > 0)
      return { status: 400, body: { __all__: [`Custom field '${unknown[0]}' does not exist for this object type.`] } };
    const record = this.add(String(address), custom_fields as Record<string, string>);
    const made = { ...record, vrf: vrf ? { id: Number(vrf) } : null, description: String(description) };
    this.addresses.set(record.id, made);
    return { status: 201, body: made };
  }

  #page(query: URLSearchParams): Reply {
    const limit = Number(query.get('limit') ?? 50);
    const offset = Number(query.get('offset') ?? 0);
    const found = [...this.addresses.values()]
      .filter(({ custom_fields, address, vrf }) =>
        [...query].every(([name, value]) => {
          if (name.startsWith('cf_')) return custom_fields[name.slice(3)] === value;
          if (name === 'address') return address.split('/')[0] === value;
          if (name === 'vrf_id') return String(vrf?.id) === value;
          return true;
        }),
      )
      .sort((a, b) => a.id - b.id);
    const results = found.slice(offset, offset + limit);
    const next = offset + limit < found.length ? `http://netbox/?limit=${limit}&offset=${offset + limit}` : null;
    return { status: 200, body: { count: found.length, next, previous: null, results } };
  }
}
