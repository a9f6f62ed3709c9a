/** Keeps a connection told of where the API servers listen, so that it need not rely on kube-proxy. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../observability/log.ts';
import type { HttpConnection } from './api-connection.ts';
import { serversIn } from './api-servers.ts';
import { getObject } from './requests.ts';
import { resources } from './resource.ts';

/** The API servers keep this slice themselves. */
const SLICE = { namespace: 'default', name: 'kubernetes' };
const LEARN_EVERY_MS = 300_000;
const LEARN_AGAIN_MS = 10_000;

/** Runs until `signal` aborts; where the slice cannot be read it says so once and goes on trying. */
export async function followApiServers(
  { connection, log }: { readonly connection: HttpConnection; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  let hasComplained = false;
  while (!signal.aborted) {
    let waitMs = LEARN_EVERY_MS;
    try {
      const slice = await getObject(connection, resources.endpointSlices, SLICE, signal);
      const servers = slice ? serversIn(slice) : [];
      // An API server that ends leaves the slice: the last one leaves it empty, and comes back where it was.
      if (servers.length > 0) connection.learnServers(servers);
    } catch (error) {
      if (!hasComplained && !signal.aborted)
        log.warn('where the API servers listen is not known: only kube-proxy leads to them', { error });
      hasComplained = true;
      waitMs = LEARN_AGAIN_MS;
    }
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
