/** Which addresses Services hold: by their status before anything was decided, by decision since. */

import { annotations } from '../../crds/annotations.ts';
import type { HeldAddress } from '../config/stored-state.ts';
import type { IncrementalAllocator } from './incremental-allocator.ts';
import { requestOf, type ServiceObject } from './service-request.ts';

/** What the status of a Service says that it holds. */
export function heldByStatus(service: ServiceObject): readonly HeldAddress[] {
  const { key, namespace, labels, held, requestedPool } = requestOf(service);
  const pool = service.metadata.annotations?.[annotations.ipAllocatedFromPool];
  return held.map((address) => ({ address, service: key, namespace, labels, pool, requestedPool }));
}

/** What the allocator has decided that Services of ours hold. */
export const heldByDecision = (allocator: Pick<IncrementalAllocator, 'holders'>): readonly HeldAddress[] =>
  allocator
    .holders()
    .filter(({ request }) => !request.isForeign)
    .flatMap(({ request: { key, namespace, labels, requestedPool }, holding: { addresses, pool } }) =>
      addresses.map((address) => ({ address, service: key, namespace, labels, pool: pool.name, requestedPool })),
    );
