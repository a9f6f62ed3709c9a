/**
 * Herald's protocol for address sources (docs/address-sources.md) in front of NetBox's REST API. It keeps nothing itself:
 * a claim is an IP address in NetBox whose custom fields say for whom.
 *
 *   PUT    /claims/ID   GET ip-addresses/?cf_herald_claim=ID, else POST prefixes/N/available-ips/ or POST ip-addresses/
 *   DELETE /claims/ID   GET ip-addresses/?cf_herald_claim=ID, DELETE ip-addresses/N/
 *   GET    /claims      GET ip-addresses/?cf_herald_cluster=...
 *
 * One file without packages, for Node 24: `node adapter.ts`. Its settings are variables, see README.md.
 */

import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';

export interface AdapterSettings {
  /** Without a slash at its end. */
  readonly netboxUrl: string;
  /** Read anew for each request, so that a rotated one is used. */
  readonly netboxToken: () => string;
  /** NetBox's numbers of the prefixes, in the order in which they are filled. */
  readonly prefixes: readonly number[];
  /** What Herald must present. */
  readonly token: () => string;
  /** One request to NetBox. */
  readonly timeoutMs: number;
}

interface ClaimBody {
  readonly cluster: string;
  readonly pool: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly service: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly order: string;
  readonly address?: string;
}
/** An IP address of NetBox, as far as it is read here. */
interface NetboxAddress {
  readonly id: number;
  /** With its prefix length. */
  readonly address: string;
  readonly custom_fields: { readonly herald_claim?: string | null; readonly herald_details?: string | null };
}
interface Page<T> {
  readonly next: string | null;
  readonly results: readonly T[];
}
interface NetboxPrefix {
  readonly prefix: string;
  readonly vrf: { readonly id: number } | null;
}
type Details = Omit<ClaimBody, 'cluster' | 'address'>;
interface Reply {
  readonly status: number;
  readonly body?: object;
}
type Send = <T>(method: string, path: string, body?: object) => Promise<{ readonly status: number; readonly data: T }>;

const PAGE_SIZE = 500;
const MAX_BODY = 256 * 1024;
/** No space is left (NetBox 3.2 and newer). */
const CONFLICT = 409;

/** NetBox failed, or refuses the adapter: whoever asked may ask again. */
class NetboxError extends Error {}

export function createAdapter(settings: AdapterSettings): Server {
  const send = sendTo(settings);
  // NetBox knows no unique claims, so that two requests at once could make two addresses: one after the other.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  return createServer((request, response) => {
    void replyTo(request, settings, send, inTurn)
      .catch((error: Error) => ({
        status: error instanceof NetboxError ? 502 : 500,
        body: { message: error instanceof NetboxError ? error.message : 'the adapter failed' },
      }))
      .then((reply) => answer(response, reply));
  });
}

async function replyTo(
  request: IncomingMessage,
  settings: AdapterSettings,
  send: Send,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://adapter');
  if (pathname === '/healthz') return { status: 200, body: {} };
  if (!isAllowed(request, settings.token())) return { status: 401, body: { message: 'the token is not the one' } };
  const [, id] = /^\/claims(?:\/([0-9A-Za-z._-]{1,128}))?$/.exec(pathname) ?? [];
  if (id === undefined && pathname === '/claims' && request.method === 'GET') return list(searchParams, send);
  if (id !== undefined && request.method === 'PUT') {
    const body = JSON.parse(await textOf(request)) as ClaimBody;
    return inTurn(() => claim(id, body, settings.prefixes, send));
  }
  if (id !== undefined && request.method === 'DELETE')
    return inTurn(() => release(id, searchParams.get('order') ?? '', send));
  return { status: 404, body: { message: 'there is nothing here' } };
}

async function claim(id: string, body: ClaimBody, prefixes: readonly number[], send: Send): Promise<Reply> {
  const known = await find(id, send);
  if (known) {
    const details = detailsOf(known);
    if (details.order > body.order) return outdated(details.order);
    await expect(send('PATCH', `ip-addresses/${known.id}/`, { custom_fields: fieldsOf(id, body) }), 200);
    return { status: 200, body: { address: bare(known.address) } };
  }
  const made =
    body.address === undefined ? await takeFree(id, body, prefixes, send) : await takeExact(id, body, prefixes, send);
  return 'address' in made ? { status: 201, body: { address: bare(made.address) } } : made;
}

/** The next free address of the first prefix that has one. */
async function takeFree(
  id: string,
  body: ClaimBody,
  prefixes: readonly number[],
  send: Send,
): Promise<NetboxAddress | Reply> {
  for (const prefix of await prefixesOf(body.family, prefixes, send)) {
    const made = await send<NetboxAddress>('POST', `prefixes/${prefix.number}/available-ips/`, objectOf(id, body));
    if (made.status === 201) return made.data;
    if (made.status !== CONFLICT) throw failed('available-ips', made.status, made.data);
  }
  return refusal('Exhausted', `no prefix has a free ${body.family} address`);
}

/** NetBox allows one address twice unless it is told otherwise, so it is looked for first. */
async function takeExact(
  id: string,
  body: ClaimBody,
  prefixes: readonly number[],
  send: Send,
): Promise<NetboxAddress | Reply> {
  const { address = '', family } = body;
  const home = (await prefixesOf(family, prefixes, send)).find(({ prefix }) => contains(prefix, address));
  if (!home) return refusal('NotInPrefix', `${address} lies in none of the prefixes`);
  const query = new URLSearchParams({ address, ...(home.vrf && { vrf_id: String(home.vrf.id) }) });
  const found = await expect(send<Page<NetboxAddress>>('GET', `ip-addresses/?${query}`), 200);
  if (found.results.length > 0) return refusal('Taken', `${address} is in NetBox already`);
  const length = home.prefix.split('/')[1];
  const object = { ...objectOf(id, body), address: `${address}/${length}`, vrf: home.vrf?.id ?? null };
  const made = await send<NetboxAddress>('POST', 'ip-addresses/', object);
  if (made.status === 201) return made.data;
  if (made.status === 400) return refusal('Taken', wordsOf(made.data));
  throw failed('ip-addresses', made.status, made.data);
}

async function release(id: string, order: string, send: Send): Promise<Reply> {
  const known = await find(id, send);
  if (!known) return { status: 404, body: { message: 'there is no such claim' } };
  const details = detailsOf(known);
  if (details.order > order) return outdated(details.order);
  await remove(known, send);
  return { status: 204 };
}

async function list(query: URLSearchParams, send: Send): Promise<Reply> {
  const cluster = query.get('cluster') ?? '';
  const limit = Math.min(Number(query.get('limit')) || PAGE_SIZE, PAGE_SIZE);
  const offset = Number(query.get('continue') ?? '0');
  const search = new URLSearchParams({
    cf_herald_cluster: cluster,
    limit: String(limit),
    offset: String(offset),
    ordering: 'id',
  });
  const page = await expect(send<Page<NetboxAddress>>('GET', `ip-addresses/?${search}`), 200);
  const claims = page.results.map((found) => {
    const { pool, family, service } = detailsOf(found);
    return { id: found.custom_fields.herald_claim, cluster, pool, family, service, address: bare(found.address) };
  });
  return { status: 200, body: { claims, ...(page.next && { next: String(offset + page.results.length) }) } };
}

/** The address of a claim. Should there be two, as after a restore of NetBox, the older one counts and the other goes. */
async function find(id: string, send: Send): Promise<NetboxAddress | undefined> {
  const query = new URLSearchParams({ cf_herald_claim: id, limit: String(PAGE_SIZE) });
  const { results } = await expect(send<Page<NetboxAddress>>('GET', `ip-addresses/?${query}`), 200);
  // Should the custom field be filtered loosely, parts of an id are found too.
  const [first, ...others] = results
    .filter(({ custom_fields }) => custom_fields.herald_claim === id)
    .toSorted((a, b) => a.id - b.id);
  for (const other of others) await remove(other, send);
  return first;
}

async function remove({ id }: NetboxAddress, send: Send): Promise<void> {
  const { status, data } = await send('DELETE', `ip-addresses/${id}/`);
  if (status !== 204 && status !== 404) throw failed('ip-addresses', status, data);
}

async function prefixesOf(
  family: ClaimBody['family'],
  numbers: readonly number[],
  send: Send,
): Promise<readonly (NetboxPrefix & { readonly number: number })[]> {
  const all = await Promise.all(
    numbers.map(async (number) => ({
      number,
      ...(await expect(send<NetboxPrefix>('GET', `prefixes/${number}/`), 200)),
    })),
  );
  return all.filter(({ prefix }) => prefix.includes(':') === (family === 'IPv6'));
}

const objectOf = (id: string, body: ClaimBody): object => ({
  status: 'active',
  description: `Service ${body.service.namespace}/${body.service.name} (Herald)`,
  custom_fields: fieldsOf(id, body),
});

function fieldsOf(id: string, { cluster, pool, family, service, order }: ClaimBody): object {
  const details: Details = { pool, family, service, order };
  return { herald_claim: id, herald_cluster: cluster, herald_details: JSON.stringify(details) };
}

function detailsOf({ custom_fields }: NetboxAddress): Details {
  try {
    return JSON.parse(custom_fields.herald_details ?? '') as Details;
  } catch {
    throw new NetboxError('the custom field herald_details of an address was changed by hand');
  }
}

function contains(cidr: string, address: string): boolean {
  const [network = '', length] = cidr.split('/');
  const type = isIPv6(network) ? 'ipv6' : 'ipv4';
  const block = new BlockList();
  block.addSubnet(network, Number(length), type);
  return isIPv6(address) === (type === 'ipv6') && block.check(address, type);
}

const bare = (address: string): string => address.split('/')[0] ?? '';
const refusal = (reason: string, message: string): Reply => ({ status: 409, body: { reason, message } });
const outdated = (order: string): Reply => ({
  status: 409,
  body: { reason: 'Outdated', message: 'a later request of this claim was answered', order },
});

function sendTo({ netboxUrl, netboxToken, timeoutMs }: AdapterSettings): Send {
  return async <T>(method: string, path: string, body?: object) => {
    const token = netboxToken();
    // Tokens of version 2 (NetBox 4.5) say so themselves.
    const authorization = token.startsWith('nbt_') ? `Bearer ${token}` : `Token ${token}`;
    try {
      const response = await fetch(`${netboxUrl}/api/ipam/${path}`, {
        method,
        headers: { authorization, accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      return { status: response.status, data: (text === '' ? undefined : JSON.parse(text)) as T };
    } catch (error) {
      throw new NetboxError(`NetBox did not answer ${method} ${path.split('?')[0]}: ${(error as Error).message}`);
    }
  };
}

async function expect<T>(answer: Promise<{ status: number; data: T }>, status: number): Promise<T> {
  const got = await answer;
  if (got.status !== status) throw failed('a request', got.status, got.data);
  return got.data;
}

const failed = (what: string, status: number, data: unknown): NetboxError =>
  new NetboxError(`NetBox answered ${what} with ${status}: ${wordsOf(data)}`);

/** NetBox's own words: {"detail": "..."} or, for a field, {"address": ["..."]}. */
function wordsOf(data: unknown): string {
  const { detail } = (data ?? {}) as { detail?: unknown };
  return (typeof detail === 'string' ? detail : JSON.stringify(data ?? '')).slice(0, 200);
}

function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  const expected = Buffer.from(`Bearer ${token}`);
  const given = Buffer.from(headers.authorization ?? '');
  return token !== '' && given.length === expected.length && timingSafeEqual(given, expected);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of request) {
    octets += (chunk as Buffer).length;
    if (octets > MAX_BODY) throw new Error('too long a request');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body && JSON.stringify(body));
}

function settingsOf(env: NodeJS.ProcessEnv): AdapterSettings & { readonly port: number } {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  const fileOf = (path: string) => (): string => readFileSync(path, 'utf8').trim();
  const prefixes = required('NETBOX_PREFIXES').split(',').map(Number);
  if (prefixes.some((number) => !Number.isInteger(number)))
    throw new Error('NETBOX_PREFIXES must be numbers like 12,34: those of the prefixes in NetBox');
  return {
    netboxUrl: required('NETBOX_URL').replace(/\/+$/, ''),
    netboxToken: fileOf(required('NETBOX_TOKEN_FILE')),
    prefixes,
    token: fileOf(required('TOKEN_FILE')),
    timeoutMs: 4_000,
    port: Number(env['PORT'] ?? '8080'),
  };
}

if (import.meta.main)
  try {
    const settings = settingsOf(process.env);
    const server = createAdapter(settings).listen(settings.port);
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close(() => process.exit(0)));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
