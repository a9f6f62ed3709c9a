/** Sends a request to a source with an order that it takes. */

import { type Order, SourceError } from '../sources/address-source.ts';
import type { SourceDoor } from './source-door.ts';

/** How often a request is sent again at once because its order was too low. */
const TRIES = 3;

/** @throws {SourceError} as `send` does; Outdated when another leader goes on sending */
export async function inOrder<T>(
  sources: Pick<SourceDoor, 'nextOrder'>,
  send: (order: Order) => Promise<T>,
): Promise<T> {
  let above: Order | undefined;
  for (let tries = 1; ; tries++)
    try {
      return await send(sources.nextOrder(above));
    } catch (error) {
      const isOutdated = error instanceof SourceError && error.reason === 'Outdated';
      if (!isOutdated || tries === TRIES) throw error;
      above = error.order;
    }
}
