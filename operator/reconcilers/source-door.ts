/** The way to external sources during one term of leadership: opened with what their Secret has, every request in order. */

import type { ApiConnection } from '../cluster/api-connection.ts';
import { isForbidden } from '../cluster/api-error.ts';
import type { LeaderTerm } from '../cluster/leader-term.ts';
import type { Secret } from '../cluster/objects.ts';
import { getObject } from '../cluster/requests.ts';
import { resources } from '../cluster/resource.ts';
import { parseDurationMs } from '../config/go-duration.ts';
import type { Pool } from '../config/pool.ts';
import { type AddressSource, type Order, SourceError } from '../sources/address-source.ts';
import { HttpSource, type SourceObserver } from '../sources/http-source.ts';

const DEFAULT_TIMEOUT_MS = 5_000;
/** Those of the Lease and of the clock, wide enough for ever: orders are compared as text. */
const TERM_DIGITS = 10;
const CLOCK_DIGITS = 17;
/** What a header takes (RFC 9110 5.5), without blanks: anything else is a mistake in the Secret. */
const TOKEN = /^[\x21-\x7e]+$/;

export interface SourceDoor {
  /** Opens the source of a pool with its Secret as it is now. @throws {SourceError} BadSecret */
  open(pool: Pool): Promise<AddressSource>;
  /** Greater than every order before it, of this and of former leaders, and than `above`. */
  nextOrder(above?: Order): Order;
}

export interface ClusterSourcesParts {
  readonly connection: ApiConnection;
  readonly term: LeaderTerm;
  readonly observer?: ((pool: string) => SourceObserver) | undefined;
}

export class ClusterSources implements SourceDoor {
  readonly #parts: ClusterSourcesParts;
  readonly #orders: Orders;

  constructor(parts: ClusterSourcesParts) {
    this.#parts = parts;
    this.#orders = new Orders(parts.term.number, () => Date.now() * 1000);
  }

  async open(pool: Pool): Promise<AddressSource> {
    const { http } = pool.source ?? {};
    if (!http) throw new SourceError('BadAnswer', 'the pool names no source');
    const { term, observer } = this.#parts;
    const secret = http.secretRef ? await this.#secretOf(pool.namespace, http.secretRef.name) : {};
    return new HttpSource({
      url: http.url,
      timeoutMs: parseDurationMs(http.timeout ?? '') ?? DEFAULT_TIMEOUT_MS,
      ...secret,
      guard: () => term.assertMayWrite(),
      ...(observer && { observe: observer(`${pool.namespace}/${pool.name}`) }),
    });
  }

  nextOrder(above?: Order): Order {
    return this.#orders.next(above);
  }

  async #secretOf(namespace: string, name: string): Promise<SourceSecret> {
    const { connection, term } = this.#parts;
    const where = `Secret ${namespace}/${name}`;
    try {
      const secret = await getObject(connection, resources.secrets, { namespace, name }, term.signal);
      if (!secret) throw new SourceError('BadSecret', `there is no ${where}; create it`);
      return readSourceSecret(secret, where);
    } catch (error) {
      if (!isForbidden(error)) throw error;
      const remedy = 'let the ServiceAccount herald-operator get Secrets there';
      throw new SourceError('BadSecret', `Herald may not read ${where}; ${remedy}`);
    }
  }
}

interface SourceSecret {
  readonly token?: string;
  readonly ca?: string;
}

/** @throws {SourceError} BadSecret, without a word of its content */
export function readSourceSecret({ data = {} }: Secret, where: string): SourceSecret {
  const textOf = (key: string): string =>
    Buffer.from(data[key] ?? '', 'base64')
      .toString()
      .trim();
  const token = textOf('token');
  const ca = textOf('ca.crt');
  if (token === '' && ca === '') throw new SourceError('BadSecret', `${where} has neither token nor ca.crt; fill it`);
  if (token !== '' && !TOKEN.test(token))
    throw new SourceError('BadSecret', `the token in ${where} has characters that no HTTP header takes`);
  if (ca !== '' && !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new SourceError('BadSecret', `ca.crt in ${where} is no certificate in PEM`);
  return { ...(token && { token }), ...(ca && { ca }) };
}

/** Orders of one leader: the number of its term, then a clock that never stands still. */
export class Orders {
  readonly #term: string;
  readonly #clock: () => number;
  #last = 0;
  /** A Lease that was deleted begins to count anew: then orders go on behind the greatest that a source has seen. */
  #prefix = '';

  /** @param clock microseconds; a process that begins again in its own term goes on above what it sent before */
  constructor(term: number, clock: () => number) {
    this.#term = String(term).padStart(TERM_DIGITS, '0');
    this.#clock = clock;
  }

  next(above: Order = ''): Order {
    this.#last = Math.max(this.#last + 1, this.#clock());
    const order = `${this.#term}-${String(this.#last).padStart(CLOCK_DIGITS, '0')}`;
    // Of two texts with one beginning the longer is greater.
    if (above >= this.#prefix + order) this.#prefix = `${above}.`;
    return this.#prefix + order;
  }
}
