/**
 * Where the API server is reached: at the address that is configured, and, when nobody answers there, at those where
 * the cluster says its API servers listen themselves.
 *
 * A pod is given the address of the Service `kubernetes`, which kube-proxy forwards. A kube-proxy that is stuck, or
 * that still waits out its own backoff after an outage, must not keep Herald from a working API server.
 */

import { formatIp, parseIp } from '../net/address.ts';
import type { EndpointSlice } from './objects.ts';

export interface ApiServer {
  readonly url: URL;
  /** The name that the certificate must bear; missing: the host of `url`. */
  readonly servername?: string;
}

/** A name that every API server's certificate bears, whatever addresses stand in it. */
const SERVER_NAME = 'kubernetes.default.svc';

/** Which server the next connection goes to: one is kept while it works, and after a failure the next one is tried. */
export class ApiServers {
  #known: readonly ApiServer[];
  #at = 0;

  constructor(configured: ApiServer) {
    this.#known = [configured];
  }

  get current(): ApiServer {
    return this.#known[this.#at] as ApiServer;
  }

  /** Nobody answered at `server`. */
  failed(server: ApiServer): void {
    if (server === this.current) this.#at = (this.#at + 1) % this.#known.length;
  }

  /** Where the API servers listen; what is in use stays in use while it is known. */
  learn(urls: readonly URL[]): void {
    const { current } = this;
    const before = new Map(this.#known.slice(1).map((server) => [server.url.href, server]));
    const learnt = urls.map((url) => before.get(url.href) ?? { url, servername: SERVER_NAME });
    this.#known = [this.#known[0] as ApiServer, ...learnt];
    this.#at = Math.max(0, this.#known.indexOf(current));
  }
}

/** The addresses in the slice of the Service `kubernetes`. */
export function serversIn({ endpoints, ports }: EndpointSlice): readonly URL[] {
  const port = ports?.find(({ name }) => name === 'https')?.port;
  if (!port) return [];
  return (endpoints ?? []).flatMap(({ addresses = [] }) =>
    addresses.flatMap((text) => {
      const address = parseIp(text);
      if (!address) return [];
      const host = formatIp(address);
      return new URL(`https://${address.family === 6 ? `[${host}]` : host}:${port}`);
    }),
  );
}
